import type { Pool, PoolClient } from "pg";
import { BATCH_DEADLINE_HOURS } from "#domain/executions/accept/accept-enrollments.js";
import { storeEnrollments, type StoredEnrollment } from "#domain/executions/accept/store-enrollments.js";
import { LANES } from "#domain/contract/execution.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { findImport, type Import, type ImportState } from "./import.js";
import { foreseenName, RESULT } from "./results.js";

/** An import, of whatever portal. */
export interface ImportKey {
  readonly portalId: PortalId;
  readonly importId: bigint;
}

/** How long a process may take for one step before another takes it up. */
const LEASE_SECONDS = 20;

/**
 * Takes up the import that has waited longest, unless another process works on it. For a disconnected account only what
 * has to be canceled is taken up.
 *
 * @param except imports to leave alone
 */
export async function claimImport(pool: Pool, except: readonly bigint[]): Promise<ImportKey | undefined> {
  const { rows } = await pool.query<{ portal_id: string; id: string }>(
    `UPDATE imports SET leased_until = now() + interval '${LEASE_SECONDS} seconds'
      WHERE (portal_id, id) IN (
        SELECT i.portal_id, i.id FROM imports i JOIN portals p USING (portal_id)
         WHERE (i.state IN ('READING', 'CHECKING', 'RUNNING') OR i.is_cancelling OR i.forget_after IS NOT NULL)
           AND i.leased_until <= now() AND i.id <> ALL ($1::bigint[])
           AND (i.is_cancelling OR p.status = 'CONNECTED') AND i.state <> 'UPLOADING'
         ORDER BY i.leased_until, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED)
      RETURNING portal_id, id`,
    [except],
  );
  const [row] = rows;
  return row && { portalId: BigInt(row.portal_id), importId: BigInt(row.id) };
}

/**
 * Gives it back: the others come first now.
 *
 * @param waitMs for so long nobody takes it up.
 */
export async function releaseImport(
  pool: Pool,
  { portalId, importId }: ImportKey,
  waitMs: number,
): Promise<void> {
  await pool.query(
    "UPDATE imports SET leased_until = now() + $3 * interval '1 millisecond' WHERE portal_id = $1 AND id = $2",
    [portalId, importId, waitMs],
  );
}

/** What happens to one row when it is handed over. */
export type RowStep = { readonly number: number; readonly contactId: string | null } & (
  | { readonly enrollment: Omit<StoredEnrollment, "portalId" | "deadlineHours"> }
  | { readonly result: string; readonly reasonCode: string | null; readonly reason: string | null }
  /** It was settled before. */
  | { readonly isSettled: true }
);

/**
 * Hands rows over to be enrolled, rows and executions in one transaction. A crash repeats nothing, and of two processes
 * with the same rows one does nothing.
 *
 * @returns false if the import has moved on, was stopped or deleted meanwhile.
 */
export async function acceptRows(
  pool: Pool,
  key: ImportKey,
  { after, steps }: { after: number; steps: readonly RowStep[] },
): Promise<boolean> {
  const { portalId, importId } = key;
  return inTransaction(pool, async (client) => {
    const now = await current(client, key, "RUNNING");
    if (now?.handedRows !== after) return false;
    const enrolling = steps.flatMap((step) => ("enrollment" in step ? [step] : []));
    const ids = await storeEnrollments(
      client,
      { importId, source: "import", lane: LANES.batch },
      enrolling.map((step) => ({ ...step.enrollment, portalId, deadlineHours: BATCH_DEADLINE_HOURS })),
    );
    // The account was disconnected meanwhile: the import continues where it is once it is connected again.
    if (ids.includes(undefined)) return false;
    const executions = new Map(enrolling.map(({ number }, index) => [number, ids[index]]));
    await client.query(
      `UPDATE import_rows r SET execution_id = row.execution_id, contact_id = coalesce(row.contact_id, r.contact_id),
              result = row.result, reason_code = row.reason_code, reason = row.reason
         FROM unnest($3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
              AS row (number, execution_id, contact_id, result, reason_code, reason)
        WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number = row.number AND r.result IS NULL`,
      [
        portalId,
        importId,
        steps.map(({ number }) => number),
        steps.map(({ number }) => executions.get(number) ?? null),
        steps.map(({ contactId }) => contactId),
        steps.map((step) => ("result" in step ? step.result : null)),
        steps.map((step) => ("result" in step ? step.reasonCode : null)),
        steps.map((step) => ("result" in step ? step.reason : null)),
      ],
    );
    await client.query("UPDATE imports SET handed_rows = $3 WHERE portal_id = $1 AND id = $2", [
      portalId,
      importId,
      steps.at(-1)?.number ?? after,
    ]);
    return true;
  });
}

async function current(client: PoolClient, key: ImportKey, state: ImportState): Promise<Import | undefined> {
  const found = await findImport(client, { portalId: key.portalId, id: key.importId }, true);
  return found?.state === state ? found : undefined;
}

/** Contacts' ids by the numbers of their rows. */
export type RowContacts = ReadonlyMap<number, string>;

/** What a dry run predicts for a row. */
export interface ForeseenRow {
  readonly number: number;
  /** Null: HubSpot was not asked, or does not have the contact. */
  readonly contactId: string | null;
  readonly result: string;
  readonly reasonCode: string | null;
}

/**
 * Stores what a dry run predicts for rows and whose they are, together with how far it came; ends it with the last row.
 * False as above.
 */
export async function noteForeseen(
  pool: Pool,
  key: ImportKey,
  { after, upTo, rows }: { after: number; upTo: number; rows: readonly ForeseenRow[] },
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const now = await current(client, key, "CHECKING");
    if (now?.checkedRows !== after) return false;
    const names = rows.map(foreseenName);
    const foreseen: Record<string, number> = { ...now.foreseen };
    for (const name of names) foreseen[name] = (foreseen[name] ?? 0) + 1;
    await client.query(
      `UPDATE import_rows r SET foreseen = row.foreseen,
              contact_id = CASE WHEN r.contact_key IS NULL THEN r.contact_id ELSE coalesce(r.contact_id, row.contact_id) END
         FROM unnest($3::int[], $4::text[], $5::text[]) AS row (number, contact_id, foreseen)
        WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number = row.number`,
      [
        key.portalId,
        key.importId,
        rows.map(({ number }) => number),
        rows.map(({ contactId }) => contactId),
        names,
      ],
    );
    await client.query(
      `UPDATE imports SET checked_rows = $3, foreseen = $4, state = CASE WHEN $3 >= row_count THEN 'CHECKED' ELSE state END
        WHERE portal_id = $1 AND id = $2`,
      [key.portalId, key.importId, upTo, JSON.stringify(foreseen)],
    );
    return true;
  });
}

/** Stores whose rows are, so that they are found once the contact is erased. */
export async function noteContacts(
  client: PoolClient,
  { portalId, importId }: ImportKey,
  contacts: RowContacts,
): Promise<void> {
  if (contacts.size === 0) return;
  await client.query(
    `UPDATE import_rows r SET contact_id = row.contact_id FROM unnest($3::int[], $4::text[]) AS row (number, contact_id)
      WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number = row.number AND r.contact_id IS NULL AND r.contact_key IS NOT NULL`,
    [portalId, importId, [...contacts.keys()], [...contacts.values()]],
  );
}

/**
 * Writes the results of executions that ended to their rows. What waits for a cap, a window or a date is not counted:
 * it holds nothing up.
 *
 * @returns how many of the import's executions have not had their turn yet.
 */
export async function settleRows(pool: Pool, { portalId, importId }: ImportKey): Promise<number> {
  const { rows } = await pool.query<{ in_line: number }>(
    `WITH open AS MATERIALIZED (
       SELECT r.row_number, ${RESULT} AS result, e.decided_at IS NOT NULL AS is_decided, e.error_code, e.error_message
         FROM import_rows r JOIN executions e ON e.portal_id = r.portal_id AND e.id = r.execution_id
        WHERE r.portal_id = $1 AND r.import_id = $2 AND r.execution_id IS NOT NULL AND r.result IS NULL
     ), settled AS (
       UPDATE import_rows r SET result = open.result, reason_code = open.error_code, reason = open.error_message FROM open
        WHERE r.portal_id = $1 AND r.import_id = $2 AND r.row_number = open.row_number AND open.is_decided
     )
     SELECT count(*) FILTER (WHERE result IS NULL)::int AS in_line FROM open`,
    [portalId, importId],
  );
  return rows[0]?.in_line ?? 0;
}

/** Ends a run whose rows are all handled. */
export async function finishImport(pool: Pool, { portalId, importId }: ImportKey): Promise<void> {
  await pool.query(
    `UPDATE imports SET state = 'DONE', ended_at = now()
      WHERE portal_id = $1 AND id = $2 AND state = 'RUNNING' AND handed_rows >= row_count`,
    [portalId, importId],
  );
}

/** Executions of a canceled import that may still be canceled. */
export async function readToCancel(pool: Pool, { portalId, importId }: ImportKey): Promise<ExecutionId[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT e.id FROM import_rows r JOIN executions e ON e.portal_id = r.portal_id AND e.id = r.execution_id
      WHERE r.portal_id = $1 AND r.import_id = $2 AND r.execution_id IS NOT NULL AND r.result IS NULL
        AND e.decided_at IS NULL ORDER BY e.id LIMIT 1000`,
    [portalId, importId],
  );
  return rows.map(({ id }) => BigInt(id));
}

/** Nothing in it waits anymore. */
export async function endCancelling(pool: Pool, { portalId, importId }: ImportKey): Promise<void> {
  await pool.query("UPDATE imports SET is_cancelling = false WHERE portal_id = $1 AND id = $2", [
    portalId,
    importId,
  ]);
}
