import type { Pool } from "pg";

/**
 * How long HubSpot holds a contact for us where the action's own wait needs no more; HubSpot's default, too. After that
 * the contact moves on without outputs (dossier §3.5). An hour of it is kept for the last completion to arrive.
 */
export const HOLD_DAYS = 7;

/** Where an admin has not set `portal_settings.max_hold_days`. */
const DEFAULT_MAX_HOLD_DAYS = 30;

/** A hold as our BLOCK answer asks for it, an ISO-8601 duration. */
export function holdDuration(days: number): string {
  return `P${days}D`;
}

/** The longest wait a workflow's step may ask for in this portal, in days. */
export async function readMaxHoldDays(pool: Pool, portalId: bigint): Promise<number> {
  const { rows } = await pool.query<{ max_hold_days: number }>({
    name: "read-max-hold-days",
    text: `SELECT max_hold_days FROM portal_settings WHERE portal_id = $1`,
    values: [portalId],
  });
  return rows[0]?.max_hold_days ?? DEFAULT_MAX_HOLD_DAYS;
}
