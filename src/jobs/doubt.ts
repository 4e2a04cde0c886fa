import type { ClaimedExecution } from "../executions/execution.js";
import { enrolled, type Outcome, type Sender } from "../executions/outcome.js";
import { hasEnded, isSince, readSequenceFacts, type SequenceFacts } from "../executions/sequence-facts.js";
import type { CurrentEnrollment, PortalGateway } from "../hubspot/gateway.js";
import type { HubSpotClock } from "../hubspot/hubspot-clock.js";

type Properties = Readonly<Record<string, string | null>>;

/** What is needed to find out what became of a request without an answer, beside the gateway of the attempt. */
export interface DoubtTools {
  readonly clock: HubSpotClock;
  /** See {@link BELIEVE_NONE_AFTER_MS}. */
  readonly believeNoneAfterMs: number;
  /** The values of DOUBT_PROPERTIES of a contact; undefined: the contact is gone. Many are read for one request. */
  readonly readProperties: (contactId: string) => Promise<Properties | undefined>;
}

/** A request that was given up may still be at work at HubSpot: the time it has to connect and to answer. */
const REQUEST_MS = 20_000;
/** HubSpot writes the properties of a contact some tens of seconds after it enrolled it. */
const PROPERTIES_TRAIL_MS = 90_000;
/**
 * "HubSpot shows no enrollment of ours" is believed this long after the last request that may have been sent, by HubSpot's
 * own clock. Before that it may only not show it yet: the look-up may trail, and it may not show what has ended.
 */
export const BELIEVE_NONE_AFTER_MS = REQUEST_MS + PROPERTIES_TRAIL_MS;

/** HubSpot's clock as we know it, and the time it took a request to get there, can be off by this much. */
const CLOCK_TOLERANCE_MS = 5_000;

/** What HubSpot shows of the enrollment that an execution's requests may have made. */
export type Judgement =
  | { readonly is: "ours"; readonly outcome: Outcome }
  | {
      /** Whose enrollment runs, by what is shown. Ours may have ended before it, or may not be shown yet. */
      readonly is: "anothers" | "none";
      /** How long until that is believed, in ms; 0: it is. Undefined: not by time alone, as HubSpot contradicts itself. */
      readonly believedInMs: number | undefined;
    };

/**
 * Reads what became of the requests that an execution sent without hearing of their end: the enrollment that HubSpot shows
 * for the contact, and where that is not ours, the contact's properties, which also tell of one that has ended.
 *
 * @throws HubSpot's faults.
 */
export async function judgeDoubt(
  execution: ClaimedExecution,
  { gateway, doubts }: { gateway: PortalGateway; doubts: DoubtTools },
): Promise<Judgement> {
  const enrollment = await gateway.readEnrollment(execution.contactId);
  const { clock } = doubts;
  const since = oursSince(execution, clock);
  if (enrollment !== undefined && isOurs(enrollment, execution, since))
    return { is: "ours", outcome: fromEnrollment(enrollment) };
  const askedAt = clock.at();
  const properties = (await doubts.readProperties(execution.contactId)) ?? {};
  const facts = readSequenceFacts(properties);
  if (isOurs(facts, execution, oursSince(execution, clock)))
    return { is: "ours", outcome: enrolled({ enrolledAt: facts.enrolledAt }) };
  const isShown = facts.isEnrolled || (enrollment !== undefined && !hasEnded(enrollment, facts));
  const isCounted = hasUnexplainedEnrollment(execution.request.properties ?? {}, properties);
  return {
    is: isShown ? "anothers" : "none",
    believedInMs: isCounted ? undefined : believedInMs(execution, doubts.believeNoneAfterMs, askedAt),
  };
}

/** From when on an enrollment can be ours, by HubSpot's clock; undefined while that is not known. */
function oursSince({ firstSentAt, firstAttemptMs }: ClaimedExecution, clock: HubSpotClock): Date | undefined {
  const began = firstSentAt ?? clock.at(firstAttemptMs);
  return began && new Date(began.getTime() - CLOCK_TOLERANCE_MS);
}

function isOurs<T extends { sequenceId: string | undefined; enrolledAt: Date | undefined }>(
  shown: T,
  { sequenceId }: ClaimedExecution,
  since: Date | undefined,
): shown is T & { enrolledAt: Date } {
  return shown.sequenceId === sequenceId && isSince(shown.enrolledAt, since);
}

function believedInMs(
  { state, doubtedAt }: ClaimedExecution,
  believeNoneAfterMs: number,
  askedAt: Date | undefined,
): number {
  // Every earlier request of what is attempted and was never in doubt was answered.
  if (state === "ATTEMPTING" && doubtedAt === undefined) return 0;
  // Not known since when, as HubSpot's clock was not known yet: the doubt begins with this reading.
  if (askedAt === undefined || doubtedAt === undefined) return Math.max(1, believeNoneAfterMs);
  return Math.max(0, doubtedAt.getTime() + believeNoneAfterMs - askedAt.getTime());
}

/**
 * Whether HubSpot counts more enrollments than when the call came, beyond the one it shows as the latest: ours may be among
 * them. The call's own figures may trail, but as one: an enrollment they do not count, they do not show either.
 */
function hasUnexplainedEnrollment(before: Properties, now: Properties): boolean {
  const [countBefore, count] = [before, now].map((properties) => properties["hs_sequences_enrolled_count"]);
  if (countBefore == null || count == null) return false;
  const latest = (properties: Properties): SequenceFacts["enrolledAt"] =>
    readSequenceFacts(properties).enrolledAt;
  const isAnotherLatest = latest(now)?.getTime() !== latest(before)?.getTime();
  return Number(count) - Number(countBefore) > (isAnotherLatest ? 1 : 0);
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
