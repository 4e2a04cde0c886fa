import { pointInTime } from "./point-in-time.js";
import { DAY_MS, HOUR_MS } from "#platform/time/units.js";

/**
 * How long HubSpot holds a contact for us unless the action's own wait needs longer; also HubSpot's default. After that
 * the contact moves on without outputs (docs/hubspot.md §3.5). An hour of it is kept for the last completion to arrive.
 */
export const HOLD_DAYS = 7;

/** Longest hold of an account whose admin chose none: as the column's default (prisma/schema.prisma). */
export const INITIAL_MAX_HOLD_DAYS = 30;

/** A hold as our BLOCK answer asks for it, an ISO-8601 duration. */
export function holdDuration(days: number): string {
  return `P${days}D`;
}

/** What a portal's settings say about holds. */
export interface HoldSettings {
  readonly timeZone: string | null;
  readonly maxHoldDays: number;
  /**
   * When they were read, by the database's clock: a hold and its deadline are counted by that clock, not this
   * machine's.
   */
  readonly now: Date;
}

/** A step's wish to hold the contact for longer than other calls. */
export interface RequestedHold {
  /** As the step names it: see point-in-time.ts. */
  readonly notBefore: string | undefined;
  /** It waits for the contact's current sequence to end, however long that may take. */
  readonly untilSequenceEnds: boolean;
}

/** How long a contact is held for one call. */
export interface Hold {
  readonly kind: "hold";
  readonly days: number;
  /** Hours of the action's own wait, before the work that every hold leaves time for; undefined: it has none. */
  readonly waitHours: number | undefined;
  readonly notBefore: Date | undefined;
  /** Until then, 0 if it is over. */
  readonly waitMs: number;
}

/** The account does not allow so long a hold: the call's input is invalid. */
export interface HoldTooLong {
  readonly kind: "too-long";
  readonly notBefore: Date | undefined;
  readonly reason: string;
}

/** Milliseconds until nothing keeps the contact from being enrolled; 0: nothing does. */
export function msUntil(notBefore: Date | undefined, now: Date): number {
  return notBefore === undefined ? 0 : Math.max(0, notBefore.getTime() - now.getTime());
}

/**
 * The hold a step asks for: as long as its wait, and a margin in which it is then worked on, within the portal's limit.
 */
export function holdFor(
  asked: RequestedHold,
  { maxHoldDays, timeZone, now }: HoldSettings,
): Hold | HoldTooLong {
  const longestDays = Math.max(HOLD_DAYS, maxHoldDays);
  const notBefore = asked.notBefore === undefined ? undefined : pointInTime(asked.notBefore, timeZone);
  const waitMs = msUntil(notBefore, now);
  const neededDays = waitMs === 0 ? HOLD_DAYS : Math.ceil(waitMs / DAY_MS) + HOLD_DAYS;
  if (neededDays > longestDays) {
    const reason =
      `“Not before” is ${Math.ceil(waitMs / DAY_MS)} days away: with a margin of ${HOLD_DAYS} days the contact would be ` +
      `held for ${neededDays} days, longer than the ${longestDays} days that “Longest hold” in the app's settings ` +
      `allows. Choose an earlier date, or ask an admin to raise that setting.`;
    return { kind: "too-long", notBefore, reason };
  }
  const days = asked.untilSequenceEnds ? longestDays : neededDays;
  // An ordinary hold brings the ordinary deadline: no hours of its own.
  const waitHours = days === HOLD_DAYS ? undefined : waitHoursOf(asked, { waitMs, longestDays });
  return { kind: "hold", days, waitHours, notBefore, waitMs };
}

/** A wait for a sequence's end gets all that the limit allows; the margin of every hold is for the work after it. */
function waitHoursOf(
  { untilSequenceEnds }: RequestedHold,
  { waitMs, longestDays }: { waitMs: number; longestDays: number },
): number {
  return untilSequenceEnds ? (longestDays - HOLD_DAYS) * 24 : waitMs / HOUR_MS;
}

/** Between the deadline and the end of the hold, for the completion: a day, or less if the ordinary hold has less. */
const SPARE_HOURS = 24;

/**
 * Hours from the acceptance to the deadline: after the action's own wait, and before HubSpot lets go of the contact.
 *
 * @param deadlineHours of a call that asks for no hold of its own.
 */
export function hoursToDeadline(
  { days = HOLD_DAYS, waitHours = 0 }: { days?: number | undefined; waitHours?: number | undefined },
  deadlineHours: number,
): number {
  const spareHours = Math.min(SPARE_HOURS, HOLD_DAYS * 24 - deadlineHours);
  return Math.min(waitHours + deadlineHours, days * 24 - spareHours);
}

/** A sender that is free later than this before the deadline is of no use. */
const SENDING_MS = 60_000;

/** How long a contact can wait for a sender, `leftMs` before its deadline. */
export function senderPatienceMs(leftMs: number): number {
  return leftMs - SENDING_MS;
}
