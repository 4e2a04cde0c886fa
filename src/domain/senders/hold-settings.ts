import type { Pool } from "pg";
import { INITIAL_MAX_HOLD_DAYS, type HoldSettings } from "#domain/contract/hold.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What a portal's settings say about holds; the defaults where it has none. */
export async function readHoldSettings(pool: Pool, portalId: PortalId): Promise<HoldSettings> {
  const { rows } = await pool.query<{ time_zone: string | null; max_hold_days: number | null; now: Date }>({
    name: "read-hold-settings",
    text: `SELECT now() AS now, p.time_zone, s.max_hold_days FROM (SELECT $1::bigint AS portal_id) AS asked
             LEFT JOIN portals p USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)`,
    values: [portalId],
  });
  return {
    timeZone: rows[0]?.time_zone ?? null,
    maxHoldDays: rows[0]?.max_hold_days ?? INITIAL_MAX_HOLD_DAYS,
    now: rows[0]?.now ?? new Date(),
  };
}
