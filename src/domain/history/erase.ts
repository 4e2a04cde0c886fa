import type { Pool } from "pg";
import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { rememberCalls } from "#domain/executions/accept/past-calls.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { ENDED_AT, MIN_RETENTION_DAYS } from "./prune.js";

/** A portal whose admin asked for its history to be erased. */
export interface Erasure {
  readonly portalId: PortalId;
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

/** Erases what the API answered until then: a request that comes again is told only the outcome. */
export async function eraseAnswers(pool: Pool, { portalId, requestedAt }: Erasure): Promise<void> {
  await pool.query(
    "UPDATE api_requests SET body = NULL WHERE portal_id = $1 AND created_at <= $2 AND body IS NOT NULL",
    [portalId, requestedAt],
  );
}

/** What an erasure keeps of a recent execution; `$6`: a sentence for each error code. */
const BLANK: Readonly<Record<string, string>> = {
  contact_email: "NULL",
  // A name that a program of the customer's chose: it may say who the contact is.
  reference: "NULL",
  request: "'{}'",
  last_problem: "NULL",
  completion_problem: "NULL",
  sender_choice: "NULL",
  outputs: "NULL",
  // HubSpot's message may quote an address.
  error_message: "$6::jsonb ->> e.error_code",
};
const IS_BLANK = Object.entries(BLANK)
  .map(([column, value]) => `e.${column} IS NOT DISTINCT FROM ${value}`)
  .join(" AND ");
const SET_BLANK = Object.entries(BLANK)
  .map(([column, value]) => `${column} = ${value}`)
  .join(", ");

/**
 * Erases, among the next `limit` executions by primary key, those that were finished when the erasure was requested.
 * Executions that ended so long ago that HubSpot cannot ask about them and no sender's cap counts them are deleted.
 * Newer ones keep what identifies a repeated call (callback, ids, outcome) and lose the address and everything HubSpot
 * sent; prune.ts deletes them later. Rows already erased are not written again. Open or reopened executions are left
 * alone: the state is read from the locked row (not compared with a constant: prune.ts says why). Locked in order of
 * ids, as everywhere.
 *
 * @returns where the next step begins; undefined at the end.
 */
export async function eraseNext(
  pool: Pool,
  { portalId, requestedAt, after, limit }: Erasure & { after: ExecutionId; limit: number },
): Promise<ExecutionId | undefined> {
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
           AND (${ENDED_AT} < now() - interval '1 day' * $5::int OR NOT (${IS_BLANK}))
         ORDER BY e.id FOR UPDATE OF e
      ), deleted AS (
        DELETE FROM executions e WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM finished WHERE is_old))
        RETURNING e.*
      ), unfollowed AS (
        DELETE FROM followed_enrollments f WHERE f.portal_id = $1 AND f.execution_id = ANY (ARRAY(SELECT id FROM finished))
      ), called AS (${rememberCalls("deleted")}
      ), blanked AS (
        UPDATE executions e SET ${SET_BLANK}
         WHERE e.portal_id = $1 AND e.id = ANY (ARRAY(SELECT id FROM finished WHERE NOT is_old))
      )
      SELECT max(id) AS last_id, count(*) AS looked_at FROM step`,
    values: [portalId, after, requestedAt, limit, MIN_RETENTION_DAYS, JSON.stringify(ERROR_SENTENCES)],
  });
  const { last_id = null, looked_at = "0" } = rows[0] ?? {};
  return last_id === null || Number(looked_at) < limit ? undefined : BigInt(last_id);
}

/** One that is under way is part of the work, not of the history. */
const DELETE_IMPORTS = `
  WITH ended AS (
    DELETE FROM imports WHERE portal_id = $1 AND created_at <= $2 AND state NOT IN ('UPLOADING', 'CHECKING', 'RUNNING', 'PAUSED')
    RETURNING id
  ) DELETE FROM import_rows WHERE portal_id = $1 AND import_id IN (SELECT id FROM ended)`;

/**
 * Deletes what is kept for cooldowns, who was put in workflows, the files of imports and the answers of webhooks'
 * receivers, and records that the erasure is done and up to when.
 */
export async function endErasure(pool: Pool, { portalId, requestedAt }: Erasure): Promise<void> {
  await pool.query("DELETE FROM past_enrollments WHERE portal_id = $1", [portalId]);
  // For those under way the contact's stamp still has to be cleared: they forget the contact once that is done.
  await pool.query("DELETE FROM unenrollments WHERE portal_id = $1 AND contact_id IS NULL", [portalId]);
  await pool.query("DELETE FROM flow_entries WHERE portal_id = $1 AND created_at <= $2 AND state = 'DONE'", [
    portalId,
    requestedAt,
  ]);
  await pool.query(DELETE_IMPORTS, [portalId, requestedAt]);
  await pool.query(
    "DELETE FROM webhook_deliveries WHERE portal_id = $1 AND created_at <= $2 AND state <> 'PENDING'",
    [portalId, requestedAt],
  );
  await pool.query(
    `UPDATE portal_settings SET erase_requested_at = NULL, erased_before = $2
      WHERE portal_id = $1 AND erase_requested_at = $2`,
    [portalId, requestedAt],
  );
}
