import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** The maximum number of rows that one statement deletes, so that nothing waits behind it. */
const STEP = 2_000;
const PAUSE_MS = 20;

export type EraseOutcome =
  | { readonly kind: "erased"; readonly rows: number }
  /** The account is connected again: what was deleted before that is gone, the rest stays. */
  | { readonly kind: "connected" }
  /** The process is stopping; another call continues. */
  | { readonly kind: "interrupted" };

/**
 * Deletes every row that names the portal, in whatever table, some thousand at a time; its own row last, so that an
 * unfinished deletion is found again. Repeating it deletes what is left and changes nothing else.
 */
// eslint-disable-next-line house/audited-verbs -- the audit is deleted with the rest; who asked for it is in the log.
export async function eraseAccount(
  pool: Pool,
  { portalId, isEnding = () => false }: { portalId: PortalId; isEnding?: () => boolean },
): Promise<EraseOutcome> {
  let rows = 0;
  for (const table of await tablesWithPortals(pool)) {
    for (let deleted = STEP; deleted === STEP;) {
      if (isEnding()) return { kind: "interrupted" };
      const step = await inTransaction(pool, (client) => deleteStep(client, table, portalId));
      if (step === "connected") return { kind: "connected" };
      deleted = step;
      rows += deleted;
      if (deleted === STEP) await sleep(PAUSE_MS);
    }
  }
  return { kind: "erased", rows: rows + (await deleteJobs(pool, portalId)) };
}

/**
 * Tables of the app's own schema, the largest first and `portals` last; a table of a later release is included. Except
 * the grants that still have to be revoked at HubSpot: they are deleted once that is done, within two weeks
 * (domain/vault/revocations.ts).
 */
async function tablesWithPortals(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT quote_ident(c.table_name) AS name FROM information_schema.columns c JOIN information_schema.tables t
         USING (table_schema, table_name)
      WHERE c.table_schema = current_schema() AND c.column_name = 'portal_id' AND t.table_type = 'BASE TABLE'
        AND c.table_name <> 'grant_revocations'
      ORDER BY c.table_name = 'portals', c.table_name <> 'executions', c.table_name`,
  );
  return rows.map(({ name }) => name);
}

/** Holds the portal's row for that long, so that a reconnect is either seen here or waits. */
async function deleteStep(
  client: PoolClient,
  table: string,
  portalId: PortalId,
): Promise<number | "connected"> {
  const { rows } = await client.query<{ status: string }>(
    "SELECT status FROM portals WHERE portal_id = $1 FOR UPDATE",
    [portalId],
  );
  if (rows[0]?.status === "CONNECTED") return "connected";
  const { rowCount } = await client.query(
    `DELETE FROM ${table} WHERE portal_id = $1
        AND ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE portal_id = $1 LIMIT $2))`,
    [portalId, STEP],
  );
  return rowCount ?? 0;
}

/** The queue's tables: they contain the portal's number, and otherwise expire within minutes. */
async function deleteJobs(pool: Pool, portalId: PortalId): Promise<number> {
  const { rows } = await pool.query<{ is_there: boolean }>(
    "SELECT to_regclass('pgboss.job') IS NOT NULL AS is_there",
  );
  if (rows[0]?.is_there !== true) return 0;
  const { rowCount } = await pool.query(
    "DELETE FROM pgboss.job WHERE singleton_key = $1 AND state <> 'active'",
    [String(portalId)],
  );
  return rowCount ?? 0;
}
