import { hasEnded, readSequenceFacts } from "#domain/contract/sequence-facts.js";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import type { DueUnenrollment, UnenrollmentMove } from "#domain/unenroll/unenrollments.js";
import { MINUTE_MS } from "#platform/time/units.js";

/** How long unenrolling takes, in ms; shorter ones are for tests. */
export interface UnenrollTimes {
  /** HubSpot needs some 80 s (docs/hubspot.md §5.2): first a look when it may be done, then one after the other. */
  readonly firstLookMs: number;
  readonly lookEveryMs: number;
  /** After this long, counted from the stamp, the helper workflow is not waited for anymore. */
  readonly patienceMs: number;
  /**
   * For this long after a stamp the helper workflow may still act: an enrollment in the next sequence waits that long.
   */
  readonly settleMs: number;
}

export const UNENROLL_TIMES: UnenrollTimes = {
  firstLookMs: 45_000,
  lookEveryMs: 20_000,
  patienceMs: 10 * MINUTE_MS,
  settleMs: 2 * MINUTE_MS,
};

/** Someone else may clear the property: it is set at most this many times. */
const MOST_STAMPS = 3;

type Properties = Readonly<Record<string, string | null>>;

/** A stamp's value: HubSpot's date properties take milliseconds. Each differs from those before. */
export const stampOf = (now: Date): string => String(now.getTime());

/**
 * What a look at a contact means if it is to be stamped, was stamped, or was given up.
 *
 * @param properties undefined: the contact is gone.
 */
export function judgeStamped(
  due: DueUnenrollment,
  { properties, now, times }: { properties: Properties | undefined; now: Date; times: UnenrollTimes },
): UnenrollmentMove {
  if (properties === undefined) return { of: due, to: "CLEARED", dueInMs: 0 };
  const isOut = hasEnded(due.enrollment, readSequenceFacts(properties, now));
  if (due.state === "REQUESTED")
    return isOut
      ? { of: due, to: "CLEARED", dueInMs: 0, outcome: "UNENROLLED" }
      : { of: due, to: "STAMPING", dueInMs: 0, stamp: stampOf(now) };
  if (due.state === "CLEARED")
    return { of: due, to: "CLEARED", dueInMs: 0, outcome: isOut ? "UNENROLLED" : undefined };
  if (isOut) return { of: due, to: "CLEARING", dueInMs: 0, outcome: "UNENROLLED" };
  const sinceMs = now.getTime() - (due.stampedAt ?? now).getTime();
  if (sinceMs >= times.patienceMs) return { of: due, to: "CLEARING", dueInMs: 0, outcome: "TIMED_OUT" };
  const isEmptied = (properties[STAMP_PROPERTY] ?? "") === "";
  if (isEmptied && due.stamps < MOST_STAMPS)
    return { of: due, to: "STAMPING", dueInMs: 0, stamp: stampOf(now) };
  return { of: due, to: "STAMPED", dueInMs: times.lookEveryMs };
}
