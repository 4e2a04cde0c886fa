import type { Pool } from "pg";
import { ENDED_AT, MIN_RETENTION_DAYS } from "./prune.js";

/** A portal whose admin asked for its history to be erased. */
export interface Erasure {
  readonly portalId: bigint;
  readonly requestedAt: Date;
}

export async function listErasures(pool: Pool): Promise<Erasure[]> {
  const { rows } = await pool.query<{ portal_id: string; erase_requested_at: Date }>(
    "SELECT portal_id, erase_requested_at FROM portal_settings WHERE erase_requested_at IS NOT NULL",
  );
  return rows.map(({ portal_id, erase_requested_at }) => ({
    portalId: BigInt(portal_id),
    requestedAt: erase_requested_at,
  }));
}

/**
 * Erases the next `limit` executions by primary key that were finished when it was asked for: whole if they ended so long
 * ago that neither HubSpot can ask about them any more nor a sender's cap counts them; younger ones keep what makes a call
 * delivered again known (callback, ids, outcome), and lose the address and everything HubSpot sent along. What is still under way, or was reopened meanwhile, is left alone: the
 * state is asked of the row as it is when it is locked (not as a constant: prune.ts says why). Locked by id, as everywhere.
 *
 * @returns where the next step begins; undefined at the end.
 */
export async function eraseNext(
  pool: Pool,
  { portalId, requestedAt, after, limit }: Erasure & { after: bigint; limit: number },
): Promise<bigint | undefined> {
  const { rows } = await pool.query<{ last_id: string | null; looked_at: string }>({
    name: "erase-executions",
    text: `
      WITH step AS (
SELECT id FROM executions WHERE portal_id = $1 AND id > $2 AND accepted_at <= $3 ORDER BY id LIMIT $4
      ), ended AS MATERIALIZED (
        SELECT ARRAY['COMPLETED', 'COMPLETION_REFUSED', 'COMPLETION_ABANDONED'] AS states
      ), finished AS MATERIALIZED (
        SELECT e.id, ${ENDED_AT} < now() - interval '1 day' * $5::int AS is_old FROM executions e, ended
         WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM step)) AND e.state = ANY (ended.states)
         ORDER BY e.id FOR UPDATE OF e
      ), deleted AS (
        DELETE FROM executions WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM finished WHERE is_old))
      ), blanked AS (
        UPDATE executions SET contact_email = NULL, request = '{}', last_problem = NULL, completion_problem = NULL,
               sender_choice = NULL
         WHERE portal_id = $1 AND id = ANY (ARRAY(SELECT id FROM finished WHERE NOT is_old))
      )
      SELECT max(id) AS last_id, count(*) AS looked_at FROM step`,
    values: [portalId, after, requestedAt, limit, MIN_RETENTION_DAYS],
  });
  const { last_id = null, looked_at = "0" } = rows[0] ?? {};
  return last_id === null || Number(looked_at) < limit ? undefined : BigInt(last_id);
}

/** Forgets what cooldowns kept, and notes that it is done, unless it was asked for again meanwhile. */
export async function endErasure(pool: Pool, { portalId, requestedAt }: Erasure): Promise<void> {
  await pool.query("DELETE FROM past_enrollments WHERE portal_id = $1", [portalId]);
  await pool.query(
    "UPDATE portal_settings SET erase_requested_at = NULL WHERE portal_id = $1 AND erase_requested_at = $2",
    [portalId, requestedAt],
  );
}
