import type { EndOutcome, EnrollmentEnd } from "#domain/contract/enrollment-end.js";
import type { SequenceFacts } from "#domain/contract/sequence-facts.js";
import { MINUTE_MS } from "#platform/time/units.js";

/** A reply ends a sequence once HubSpot has seen it: within minutes. */
const REPLY_NEAR_END_MS = 60 * MINUTE_MS;

/**
 * The stretch of time in which an enrollment can have ended. A contact is in one sequence at a time, so it was over when
 * the contact's next enrollment began.
 */
export interface EnrollmentStretch {
  /** When it began. */
  readonly from: Date;
  /** When the contact's next enrollment began; undefined: there is none that we know of. */
  readonly until?: Date | undefined;
}

/** Whether `at` is known and lies in the stretch. */
export function isWithin(at: Date | undefined, { from, until }: EnrollmentStretch): at is Date {
  return at !== undefined && at >= from && (until === undefined || at <= until);
}

/** How an enrollment ended of which is known that it ended at `at`; the one judge of it, for every look. */
export function outcomeOfEnd(at: Date, stretch: EnrollmentStretch, facts: SequenceFacts): EndOutcome {
  const { finishedAt, unenrolledAt, repliedAt } = facts;
  const isFinished =
    isWithin(finishedAt, stretch) && (!isWithin(unenrolledAt, stretch) || finishedAt >= unenrolledAt);
  if (isFinished) return "FINISHED";
  const isReplied =
    isWithin(repliedAt, stretch) && Math.abs(at.getTime() - repliedAt.getTime()) <= REPLY_NEAR_END_MS;
  return isReplied ? "REPLIED" : "UNENROLLED";
}

/**
 * The end that the properties show in the period. Each of the three dates is about the latest end of its kind: one that
 * a later enrollment has overwritten says nothing here, and the others still may.
 */
export function endWithin(stretch: EnrollmentStretch, facts: SequenceFacts): EnrollmentEnd | undefined {
  const at = [facts.endedAt, facts.finishedAt, facts.unenrolledAt].find((told) => isWithin(told, stretch));
  return at && { at, outcome: outcomeOfEnd(at, stretch, facts) };
}
