import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** How a call was answered when it first came: held for a number of days, or refused for good. */
export type FirstAnswer =
  | { readonly kind: "held"; readonly holdDays: number }
  | { readonly kind: "answered"; readonly errorMessage: string };

/** An hour of the hold is kept for the last completion (accept.ts). */
const KEPT_HOURS = 1;

/**
 * The first answer to a call that is delivered again. If it depended on the time of day or on settings, reading the
 * same call now could give another answer.
 */
export async function readFirstAnswer(
  pool: Pool,
  { portalId, callbackId }: { portalId: PortalId; callbackId: string },
): Promise<FirstAnswer | undefined> {
  const { rows } = await pool.query<{
    hold_days: number;
    was_answered: boolean;
    error_message: string | null;
  }>({
    name: "read-first-answer",
    text: `
      SELECT round((extract(epoch FROM hold_ends_at - accepted_at) / 3600 + $3) / 24)::int AS hold_days,
             coalesce(decided_at = accepted_at, false) AS was_answered, error_message
        FROM executions WHERE portal_id = $1 AND callback_id = $2`,
    values: [portalId, callbackId, KEPT_HOURS],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  return row.was_answered
    ? { kind: "answered", errorMessage: row.error_message ?? "" }
    : { kind: "held", holdDays: row.hold_days };
}
