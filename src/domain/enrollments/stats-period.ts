import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { knownZone } from "#platform/time/local-time.js";
import { DAY_MS } from "#platform/time/units.js";
import { startOfDay } from "#platform/time/zoned-day.js";

/** A period as it is asked for: dates, or times in ISO 8601. */
export interface AskedPeriod {
  /** By default 30 days before `to`. */
  readonly from?: string | undefined;
  /** A date includes its day; by default now. */
  readonly to?: string | undefined;
}

/** The same as moments: `from` inclusive, `to` exclusive. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
  /** In which days begin and end. */
  readonly timeZone: string;
}

const USUAL_DAYS = 30;

/** Reads dates in the account's time zone. */
export async function readPeriod(pool: Pool, portalId: PortalId, { from, to }: AskedPeriod): Promise<Period> {
  const { rows } = await pool.query<{ time_zone: string | null }>(
    "SELECT time_zone FROM portals WHERE portal_id = $1",
    [portalId],
  );
  const timeZone = knownZone(rows[0]?.time_zone ?? null);
  const end = to === undefined ? new Date() : (startOfDay(to, timeZone, 1) ?? new Date(to));
  const usual = new Date(end.getTime() - USUAL_DAYS * DAY_MS);
  return {
    from: from === undefined ? usual : (startOfDay(from, timeZone) ?? new Date(from)),
    to: end,
    timeZone,
  };
}
