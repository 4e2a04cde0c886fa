import type { ClaimedExecution } from "#domain/contract/execution.js";
import { enrolled, type Outcome, type Sender } from "#domain/contract/outcome.js";
import { hasEnded, isSince, readSequenceFacts, sequencesBefore } from "#domain/contract/sequence-facts.js";
import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import type { CurrentEnrollment, PortalGateway } from "#platform/hubspot/gateway.js";
import type { HubSpotClock } from "#platform/hubspot/hubspot-clock.js";

type Properties = Readonly<Record<string, string | null>>;

/** What is needed, besides the attempt's gateway, to find the result of a request without an answer. */
export interface DoubtTools {
  readonly clock: HubSpotClock;
  /** See {@link BELIEVE_NONE_AFTER_MS}. */
  readonly believeNoneAfterMs: number;
  /** The values of DOUBT_PROPERTIES of a contact; undefined: the contact is gone. One request reads many. */
  readonly readProperties: (contactId: string) => Promise<Properties | undefined>;
}

/** An abandoned request may still be running at HubSpot: this is its time to connect and to answer. */
const REQUEST_MS = 20_000;
/** HubSpot writes the properties of a contact some tens of seconds after it enrolled it. */
const PROPERTIES_TRAIL_MS = 90_000;
/**
 * "HubSpot does not show our enrollment" is believed this long after the last request that may have been sent, by HubSpot's
 * own clock. Before that it may only not show it yet: the lookup may trail, and it may not show what has ended.
 */
export const BELIEVE_NONE_AFTER_MS = REQUEST_MS + PROPERTIES_TRAIL_MS;

/** Our estimate of HubSpot's clock, and a request's travel time, can be off by this much. */
const CLOCK_TOLERANCE_MS = 5_000;

/** What HubSpot shows about the enrollment that an execution's requests may have made. */
export type Judgement =
  | { readonly is: "ours"; readonly outcome: Outcome }
  | {
      /**
       * Whose enrollment is running, as far as HubSpot shows. Ours may have ended before it, or may not be shown yet.
       */
      readonly is: "anothers" | "none";
      /**
       * How long until that is believed, in ms; 0: it is. Undefined: HubSpot counts an enrollment that it does not
       * show.
       */
      readonly believedInMs: number | undefined;
    };

/**
 * Reads the effect of an execution's unanswered requests: the enrollment that HubSpot shows for the contact and, if
 * that is not ours, the contact's properties, which also show an ended one.
 *
 * @throws HubSpot's faults.
 */
export async function judgeDoubt(
  execution: ClaimedExecution,
  { gateway, doubts }: { gateway: PortalGateway; doubts: DoubtTools },
): Promise<Judgement> {
  const { clock } = doubts;
  const enrollment = await readEnrollment(execution.contactId, { gateway, clock });
  if (enrollment !== undefined && isOurs(enrollment, execution, clock))
    return { is: "ours", outcome: fromEnrollment(enrollment) };
  const askedAt = clock.at();
  const properties = (await doubts.readProperties(execution.contactId)) ?? {};
  const facts = readSequenceFacts(properties, askedAt);
  if (isOurs(facts, execution, clock))
    return { is: "ours", outcome: enrolled({ enrolledAt: facts.enrolledAt }) };
  const isShown = facts.isEnrolled || (enrollment !== undefined && !hasEnded(enrollment, facts));
  return {
    is: isShown ? "anothers" : "none",
    believedInMs: believedInMs(execution, {
      properties,
      since: oursSince(execution, clock),
      askedAt,
      believeNoneAfterMs: doubts.believeNoneAfterMs,
    }),
  };
}

/** The enrollment HubSpot shows, without an impossible date. */
async function readEnrollment(
  contactId: string,
  { gateway, clock }: { gateway: PortalGateway; clock: HubSpotClock },
): Promise<CurrentEnrollment | undefined> {
  const shown = await gateway.readEnrollment(contactId);
  return shown && { ...shown, enrolledAt: readHubSpotDate(shown.enrolledAt?.getTime(), clock.at()) };
}

/** From when an enrollment can be ours, by HubSpot's clock; undefined while that is not known. */
function oursSince({ firstSentAt, firstAttemptMs }: ClaimedExecution, clock: HubSpotClock): Date | undefined {
  const began = firstSentAt ?? clock.at(firstAttemptMs);
  return began && new Date(began.getTime() - CLOCK_TOLERANCE_MS);
}

/** Whatever the call showed is older than all its requests, however much the clocks differ. */
function isOurs<T extends { sequenceId: string | undefined; enrolledAt: Date | undefined }>(
  shown: T,
  execution: ClaimedExecution,
  clock: HubSpotClock,
): shown is T & { enrolledAt: Date } {
  const { sequenceId, enrolledAt } = shown;
  if (sequenceId !== execution.sequenceId || !isSince(enrolledAt, oursSince(execution, clock))) return false;
  const { enrolledAt: latestBefore } = readSequenceFacts(sequencesBefore(execution.request), clock.at());
  return latestBefore === undefined || enrolledAt.getTime() > latestBefore.getTime();
}

/** False: every request for it, or for another of its family, was answered. */
export function wasEverInDoubt({ state, doubtedAt }: ClaimedExecution): boolean {
  return doubtedAt === undefined ? state === "UNCERTAIN" : doubtedAt.getTime() > 0;
}

/** For how long the execution has been in doubt, by HubSpot's clock, in ms; 0 if that is not known. */
export function doubtedForMs({ doubtedAt }: ClaimedExecution, now: Date | undefined): number {
  return doubtedAt === undefined || now === undefined ? 0 : Math.max(0, now.getTime() - doubtedAt.getTime());
}

function believedInMs(
  execution: ClaimedExecution,
  shown: {
    properties: Properties;
    since: Date | undefined;
    askedAt: Date | undefined;
    believeNoneAfterMs: number;
  },
): number | undefined {
  if (!wasEverInDoubt(execution)) return 0;
  const { properties, since, askedAt, believeNoneAfterMs } = shown;
  if (hasUnexplainedEnrollment(execution, properties, { since, askedAt })) return undefined;
  const { doubtedAt } = execution;
  // The start is not known, because HubSpot's clock was not known yet: the doubt begins with this reading.
  if (askedAt === undefined || doubtedAt === undefined) return Math.max(1, believeNoneAfterMs);
  return Math.max(0, believeNoneAfterMs - doubtedForMs(execution, askedAt));
}

/**
 * Whether HubSpot counts more enrollments than at the time of the call, besides the latest, which it shows: ours may be
 * among them. The call's own figures may lag, but consistently: an enrollment that they do not count they do not show
 * either.
 */
function hasUnexplainedEnrollment(
  execution: ClaimedExecution,
  now: Properties,
  { since, askedAt }: { since: Date | undefined; askedAt: Date | undefined },
): boolean {
  const before = sequencesBefore(execution.request);
  const [latestBefore, latest] = [before, now].map(
    (properties) => readSequenceFacts(properties, askedAt).enrolledAt,
  );
  const count = countOf(now);
  // HubSpot leaves out properties without a value: no count and no latest enrollment means a contact that never was in
  // a sequence.
  const isFirstTimer = Object.keys(before).length > 0 && latestBefore === undefined && isSince(latest, since);
  const countBefore = countOf(before) ?? (isFirstTimer ? 0 : undefined);
  if (countBefore === undefined || count === undefined) return false;
  // A latest enrollment with an unreadable date explains nothing.
  const isAnotherLatest = latest !== undefined && latest.getTime() !== latestBefore?.getTime();
  // The latest one is older than our first request: others made the enrollments that are counted, while the contact
  // waited.
  if (isAnotherLatest && since !== undefined && latest < since) return false;
  return count - countBefore > (isAnotherLatest ? 1 : 0);
}

function countOf({ hs_sequences_enrolled_count: count }: Properties): number | undefined {
  return count == null || count === "" ? undefined : Number(count);
}

function enrollmentSender({ enrolledBy, enrolledByEmail }: CurrentEnrollment): Sender | undefined {
  if (enrolledBy == null || enrolledByEmail === null || !/^\d+$/.test(enrolledBy)) return undefined;
  return { userId: BigInt(enrolledBy), email: enrolledByEmail };
}

function fromEnrollment(enrollment: CurrentEnrollment): Outcome {
  return enrolled({
    id: enrollment.id,
    enrolledAt: enrollment.enrolledAt,
    sequenceName: enrollment.sequenceName ?? undefined,
    sender: enrollmentSender(enrollment),
  });
}
