import { alreadyEnrolled, answered, failed, type Outcome } from "#domain/contract/outcome.js";
import { nextLookAt } from "#domain/contract/look-times.js";
import { isSince, wholeDays, type SequenceFacts } from "#domain/contract/sequence-facts.js";
import { outcomeOfEnd } from "#domain/ends/how-ended.js";
import type { LookResult, SeenEnrollment, WatchedExecution } from "#domain/executions/watch.js";
import type { WaitOutcome } from "#domain/contract/wait-contract.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { DAY_MS, MINUTE_MS } from "#platform/time/units.js";

/** HubSpot's clock may differ from ours by this much. */
const CLOCK_TOLERANCE_MS = 5_000;
/** The properties lag by tens of seconds (docs/hubspot.md §7.1): an enrollment just before the step shows by then. */
const LAG_MS = 60_000;
/** For one of our own enrollments, we wait longer for the properties. */
const OWN_LAG_MS = 10 * MINUTE_MS;
/**
 * If we enrolled the contact this shortly before the step, the step means that sequence, even if it has ended
 * meanwhile.
 */
const JUST_ENROLLED_MS = 10 * MINUTE_MS;

/** The evidence for judging an execution's contact. */
export interface LookEvidence {
  /** Undefined: the contact is gone. */
  readonly facts: SequenceFacts | undefined;
  /** The contact's latest enrollment by us. */
  readonly own: { readonly sequenceId: string; readonly enrolledAt: Date } | undefined;
  readonly now: Date;
  readonly portalId: PortalId;
}

function decided(outcome: Outcome): LookResult {
  return { to: "DECIDED", outcome };
}

function keepWatching(
  { acceptedAt }: WatchedExecution,
  { now, portalId }: LookEvidence,
  { seen, endsAt }: { seen: SeenEnrollment; endsAt: Date },
): LookResult {
  const next = nextLookAt(now, acceptedAt, portalId);
  return { to: "WATCHING", dueAt: next < endsAt ? next : endsAt, seen };
}

function timesOutAt({ acceptedAt, deadlineAt, maxWaitDays }: WatchedExecution): Date {
  if (maxWaitDays === undefined) return deadlineAt;
  return new Date(Math.min(deadlineAt.getTime(), acceptedAt.getTime() + maxWaitDays * DAY_MS));
}

/**
 * Since when the contact has been out of the sequence that the execution waits for; undefined while it may be in it.
 */
interface Ended {
  readonly at: Date;
  readonly enrolledAt: Date | undefined;
  readonly sequenceId: string | undefined;
}

function ended(end: Ended, facts: SequenceFacts): LookResult {
  return decided(
    answered({
      outcome: outcomeOfEnd(end.at, { from: end.enrolledAt ?? end.at }, facts),
      ended_at: end.at.toISOString(),
      days_enrolled: end.enrolledAt === undefined ? "" : String(wholeDays(end.enrolledAt, end.at)),
      sequence_id: end.sequenceId ?? "",
    }),
  );
}

/** The enrollment the step waits for, as far as it is known; an end counts only if it is not before `since`. */
function awaited(
  execution: WatchedExecution,
  { facts, own }: LookEvidence,
): { sequenceId: string | undefined; enrolledAt: Date | undefined; since: Date } {
  const { seen, acceptedAt } = execution;
  if (seen.enrolled_at !== undefined) {
    const enrolledAt = new Date(seen.enrolled_at);
    return { sequenceId: seen.sequence_id, enrolledAt, since: enrolledAt };
  }
  const isOwn = own !== undefined && own.enrolledAt.getTime() >= acceptedAt.getTime() - JUST_ENROLLED_MS;
  if (isOwn) return { ...own, since: own.enrolledAt };
  return {
    sequenceId: facts?.sequenceId,
    enrolledAt: facts?.enrolledAt,
    since: new Date(acceptedAt.getTime() - CLOCK_TOLERANCE_MS),
  };
}

function isBehind(facts: SequenceFacts | undefined, own: { readonly enrolledAt: Date }): boolean {
  const known = facts?.enrolledAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  return known < own.enrolledAt.getTime() - CLOCK_TOLERANCE_MS;
}

/** Whether the properties may not show an existing enrollment yet. */
function mayLag({ acceptedAt }: WatchedExecution, { facts, own, now }: LookEvidence): boolean {
  if (now.getTime() - acceptedAt.getTime() < LAG_MS) return true;
  return own !== undefined && now.getTime() - own.enrolledAt.getTime() < OWN_LAG_MS && isBehind(facts, own);
}

function seenIn(facts: SequenceFacts): SeenEnrollment {
  return {
    ...(facts.sequenceId === undefined ? {} : { sequence_id: facts.sequenceId }),
    ...(facts.enrolledAt === undefined ? {} : { enrolled_at: facts.enrolledAt.toISOString() }),
  };
}

function judgeEnrolled(
  execution: WatchedExecution,
  evidence: LookEvidence,
  facts: SequenceFacts,
): LookResult {
  const { enrolledAt, sequenceId, since } = awaited(execution, evidence);
  const isSeen = execution.seen.enrolled_at !== undefined;
  // Between two checks it left that sequence and entered another.
  const isOther = isSeen && enrolledAt !== undefined && (facts.enrolledAt ?? since) > enrolledAt;
  if (isOther && isSince(facts.endedAt, since)) {
    return ended({ at: facts.endedAt, enrolledAt, sequenceId }, facts);
  }
  const endsAt = timesOutAt(execution);
  // They describe an earlier sequence than the one we know of: the properties lag behind.
  const isEarlier = !isSeen && evidence.own !== undefined && isBehind(facts, evidence.own);
  const seen = isSeen || isEarlier ? execution.seen : seenIn(facts);
  if (evidence.now < endsAt) return keepWatching(execution, evidence, { seen, endsAt });
  return timedOut(seen, evidence.now);
}

function timedOut(seen: SeenEnrollment, now: Date): LookResult {
  const { sequence_id, enrolled_at } = seen;
  return decided(
    answered({
      outcome: "TIMED_OUT" satisfies WaitOutcome,
      days_enrolled: enrolled_at === undefined ? "" : String(wholeDays(new Date(enrolled_at), now)),
      sequence_id: sequence_id ?? "",
    }),
  );
}

function judgeNotEnrolled(
  execution: WatchedExecution,
  evidence: LookEvidence,
  facts: SequenceFacts,
): LookResult {
  const { seen } = execution;
  const { enrolledAt, sequenceId, since } = awaited(execution, evidence);
  if (isSince(facts.endedAt, since)) return ended({ at: facts.endedAt, enrolledAt, sequenceId }, facts);
  const endsAt = timesOutAt(execution);
  if (seen.enrolled_at !== undefined) {
    // It left, but the reason is not shown yet: check once more.
    if (seen.left_at !== undefined)
      return ended({ at: new Date(seen.left_at), enrolledAt, sequenceId }, facts);
    const left = { ...seen, left_at: evidence.now.toISOString() };
    return keepWatching(execution, evidence, { seen: left, endsAt });
  }
  if (mayLag(execution, evidence) && evidence.now < endsAt)
    return keepWatching(execution, evidence, { seen, endsAt });
  return decided(answered({ outcome: "NOT_ENROLLED" satisfies WaitOutcome }));
}

/** An enrollment that waits for its contact's sequence to end: any end is enough; HubSpot decides. */
function judgeEnrollment(
  execution: WatchedExecution,
  evidence: LookEvidence,
  facts: SequenceFacts,
): LookResult {
  const { deadlineAt } = execution;
  if (evidence.now >= deadlineAt) return decided(alreadyEnrolled("fail"));
  if (!facts.isEnrolled) return { to: "QUEUED" };
  return keepWatching(execution, evidence, { seen: {}, endsAt: deadlineAt });
}

/** What a check of a contact means for an execution that waits for its sequence to end. */
export function judgeLook(execution: WatchedExecution, evidence: LookEvidence): LookResult {
  const { facts } = evidence;
  if (facts === undefined) return decided(failed("CONTACT_NOT_FOUND"));
  if (execution.isUnenrolling || execution.kind === "UNENROLL")
    return evidence.now < execution.deadlineAt
      ? { to: "WATCHING", dueAt: execution.deadlineAt, seen: execution.seen }
      : decided(failed("DEADLINE_EXCEEDED"));
  if (execution.kind === "ENROLL") return judgeEnrollment(execution, evidence, facts);
  return facts.isEnrolled
    ? judgeEnrolled(execution, evidence, facts)
    : judgeNotEnrolled(execution, evidence, facts);
}
