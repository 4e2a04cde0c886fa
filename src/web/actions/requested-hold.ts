import type { Pool } from "pg";
import type { IncomingExecution } from "#domain/executions/accept/accept.js";
import { HOLD_DAYS } from "#domain/contract/hold.js";
import { toInvalid, type ParsedCall } from "./call-envelope.js";
import type { GivenInputs } from "./enroll-inputs.js";
import { pointInTime } from "./point-in-time.js";

/** What a portal's settings say of holds. */
export interface HoldSettings {
  readonly timeZone: string | null;
  readonly maxHoldDays: number;
  /** When they were read, by the database's clock: that is the one a hold and its deadline are counted by, not this machine's. */
  readonly now: Date;
}

/** A step's wish to hold the contact for longer than other calls. */
export interface RequestedHold {
  readonly notBefore: string | undefined;
  /** It waits for the contact's current sequence to end, however long that may take. */
  readonly untilSequenceEnds: boolean;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export function requestedHold(given: GivenInputs): RequestedHold | undefined {
  const untilSequenceEnds = given.if_already_enrolled === "wait";
  const notBefore = given.not_before;
  return notBefore === undefined && !untilSequenceEnds ? undefined : { notBefore, untilSequenceEnds };
}

export async function readHoldSettings(pool: Pool, portalId: bigint): Promise<HoldSettings> {
  const { rows } = await pool.query<{ time_zone: string | null; max_hold_days: number | null; now: Date }>({
    name: "read-hold-settings",
    text: `SELECT now() AS now, p.time_zone, s.max_hold_days FROM (SELECT $1::bigint AS portal_id) AS asked
             LEFT JOIN portals p USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)`,
    values: [portalId],
  });
  return {
    timeZone: rows[0]?.time_zone ?? null,
    maxHoldDays: rows[0]?.max_hold_days ?? DEFAULT_MAX_HOLD_DAYS,
    now: rows[0]?.now ?? new Date(),
  };
}

/** As the column's default (prisma/schema.prisma). */
const DEFAULT_MAX_HOLD_DAYS = 30;

/**
 * The call with the hold its step asks for: as long as its wait, and a margin in which it is then worked on, within the
 * portal's limit. One that would have to be held for longer is answered at once, with the setting that says so.
 */
export function withHold(
  execution: IncomingExecution,
  asked: RequestedHold,
  { maxHoldDays, timeZone, now }: HoldSettings,
): ParsedCall {
  const longestDays = Math.max(HOLD_DAYS, maxHoldDays);
  const notBefore = asked.notBefore === undefined ? undefined : pointInTime(asked.notBefore, timeZone);
  const waitMs = Math.max(0, (notBefore?.getTime() ?? 0) - now.getTime());
  const neededDays = waitMs === 0 ? HOLD_DAYS : Math.ceil(waitMs / DAY_MS) + HOLD_DAYS;
  const dated = withNotBefore(execution, notBefore);
  if (neededDays > longestDays) {
    const refused = toInvalid(
      dated,
      `“Not before” is ${Math.ceil(waitMs / DAY_MS)} days away: with a margin of ${HOLD_DAYS} days the contact would be ` +
        `held for ${neededDays} days, longer than the ${longestDays} days that “Longest hold” in the app's settings ` +
        `allows. Choose an earlier date, or ask an admin to raise that setting.`,
    );
    return { ...refused, dependsOnTime: true };
  }
  const holdDays = asked.untilSequenceEnds ? longestDays : neededDays;
  const dueAt = waitMs > 0 && notBefore !== undefined ? { dueAt: notBefore } : {};
  // An ordinary hold brings the ordinary deadline: no hours of its own.
  const hold =
    holdDays === HOLD_DAYS ? {} : { holdDays, waitHours: waitHours(asked, { waitMs, longestDays }) };
  return { kind: "valid", execution: { ...dated, ...dueAt, ...hold }, dependsOnTime: true };
}

/** Of a wait for a sequence's end all that the limit allows; the margin of every hold is for the work after it. */
function waitHours(
  { untilSequenceEnds }: RequestedHold,
  { waitMs, longestDays }: { waitMs: number; longestDays: number },
): number {
  return untilSequenceEnds ? (longestDays - HOLD_DAYS) * 24 : waitMs / HOUR_MS;
}

function withNotBefore(execution: IncomingExecution, notBefore: Date | undefined): IncomingExecution {
  if (notBefore === undefined) return execution;
  return { ...execution, request: { ...execution.request, notBefore: notBefore.toISOString() } };
}
