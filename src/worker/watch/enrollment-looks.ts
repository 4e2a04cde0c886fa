import { readSequenceFacts } from "#domain/contract/sequence-facts.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { readEngagement } from "#domain/ends/engagement.js";
import { judgeEnrollment, type Judged } from "#domain/ends/judge-enrollment.js";
import { nextRegularLook, nextSoonLook } from "#domain/ends/look-times.js";
import {
  readOpenEnrollments,
  writeEnrollmentLooks,
  type EnrollmentLook,
  type FollowedEnrollment,
} from "#domain/ends/open-enrollments.js";
import type { Ownership } from "#domain/executions/claim.js";
import { HubSpotUnavailable, PortalSpared } from "#platform/hubspot/errors.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { HOUR_MS, MINUTE_MS } from "#platform/time/units.js";
import { BATCH, type Answers, type Reading } from "./read-contacts.js";

/** After a request that failed, none is spent on followed enrollments for this long; after a refusal, for an hour. */
const REST_AFTER_MS = { fault: 5 * MINUTE_MS, refusal: HOUR_MS };

/** Enrollments to be looked at, and the contacts to read for those that are due. */
export interface DueEnrollments {
  readonly now: Date;
  readonly enrollments: readonly FollowedEnrollment[];
  readonly contactIds: readonly string[];
}

const NONE: DueEnrollments = { now: new Date(0), enrollments: [], contactIds: [] };

/**
 * Nobody waits for these looks: whatever fails here is logged, and the portal's work continues without it.
 *
 * @param options.waiting contacts that are read anyway.
 * @param options.limit how many others may be added; 0: none.
 */
export async function readDueEnrollments(
  owner: Ownership,
  { waiting, limit }: { waiting: readonly string[]; limit: number },
  { logger }: { logger: Logger },
): Promise<DueEnrollments> {
  if (waiting.length === 0 && limit === 0) return NONE;
  const read = await withoutHarm(owner, logger, () =>
    readOpenEnrollments(owner, { contactIds: waiting, limit }),
  );
  if (read === undefined) return NONE;
  const contactIds = read.enrollments.flatMap(({ contactId }) => contactId ?? []);
  return { ...read, contactIds: [...new Set(contactIds)].slice(0, BATCH) };
}

/** Judges the enrollments by what was read of their contacts, and writes what was found. */
export async function lookAtEnrollments(
  owner: Ownership,
  due: DueEnrollments,
  { answers, restMs, logger }: { answers: Answers; restMs: number; logger: Logger },
): Promise<void> {
  if (due.enrollments.length === 0) return;
  await withoutHarm(owner, logger, async () => {
    const looks = due.enrollments.flatMap((enrollment) => lookAt(enrollment, due.now, { owner, answers }));
    const rest = Math.max(restMs, restAfter(answers));
    await writeEnrollmentLooks(owner, looks, { restMs: rest });
    await followMerges(owner, due, answers);
  });
}

async function withoutHarm<T>(
  { portalId }: Ownership,
  logger: Logger,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    logger.warn({ err: error, portalId }, "followed enrollments could not be looked at");
    return undefined;
  }
}

function restAfter({ fault, readings }: Answers): number {
  if (fault instanceof HubSpotUnavailable) return Math.max(REST_AFTER_MS.fault, fault.retryAfterMs ?? 0);
  if (fault !== undefined) return fault instanceof PortalSpared ? 0 : REST_AFTER_MS.fault;
  return [...readings.values()].some((reading) => "refusal" in reading) ? REST_AFTER_MS.refusal : 0;
}

function lookAt(
  enrollment: FollowedEnrollment,
  now: Date,
  { owner: { portalId }, answers }: { owner: Ownership; answers: Answers },
): EnrollmentLook[] {
  const { contactId } = enrollment;
  const stays = (nextLookAt: Date): EnrollmentLook[] => [
    { enrollment, judged: openUntil(enrollment, nextLookAt), engagement: undefined },
  ];
  if (contactId === undefined) {
    return [{ enrollment, judged: { kind: "lost", because: "CONTACT_GONE" }, engagement: undefined }];
  }
  const reading = answers.readings.get(contactId);
  if (answers.putOff.includes(contactId)) return stays(nextSoonLook(now, portalId));
  // It was not asked about: it stays due.
  if (reading === undefined) return [];
  if (!("values" in reading)) return stays(nextRegularLook(now, enrollment.enrolledAt, portalId));
  return [judgeRead(enrollment, reading, { now, portalId })];
}

function judgeRead(
  enrollment: FollowedEnrollment,
  { values }: Extract<Reading, { values: unknown }>,
  { now, portalId }: { now: Date; portalId: PortalId },
): EnrollmentLook {
  const facts = values && readSequenceFacts(values, now);
  const judged = judgeEnrollment({ enrollment, facts, now, portalId });
  if (values === undefined || judged.kind === "lost") return { enrollment, judged, engagement: undefined };
  return { enrollment, judged, engagement: readEngagement(values, judged.stretch, now) };
}

function openUntil({ enrolledAt, leftAt }: FollowedEnrollment, nextLookAt: Date): Judged {
  return { kind: "open", nextLookAt, leftAt, stretch: { from: enrolledAt } };
}

/** A merge that no webhook reported: from now on the contact is read together with others. */
async function followMerges(
  { pool, portalId }: Ownership,
  { contactIds }: DueEnrollments,
  { readings }: Answers,
): Promise<void> {
  const changes = contactIds.flatMap((contactId) => {
    const reading = readings.get(contactId);
    const into = reading !== undefined && "id" in reading ? reading.id : undefined;
    return into === undefined ? [] : [{ kind: "merged" as const, portalId, contactIds: [contactId], into }];
  });
  if (changes.length > 0) await applyContactChanges(pool, changes);
}
