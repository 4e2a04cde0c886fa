import { setTimeout as sleep } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { raiseAlert } from "#domain/alerts/outbox.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";

/** Days from a disconnect to the deletion of everything we hold of the account. */
export const KEPT_DAYS = 30;
/** How many days before that its admins are alerted. */
const NOTICE_DAYS = 7;
/** Maximum of rows one statement deletes, so that nothing waits behind it. */
const STEP = 2_000;
const PAUSE_MS = 20;

/**
 * Since when a portal has been disconnected. A process of an earlier release does not record it: then the row's last
 * change counts.
 */
const LEFT_AT = "CASE WHEN p.disconnected_at >= p.installed_at THEN p.disconnected_at ELSE p.updated_at END";

const TO_BE_TOLD = `
  SELECT p.portal_id FROM portals p
   WHERE p.status = 'DISCONNECTED' AND ${LEFT_AT} <= now() - interval '1 day' * $1::int
     AND (p.erasure_told_at IS NULL OR p.erasure_told_at < ${LEFT_AT}) ORDER BY p.portal_id LIMIT 1000`;

/** However long ago it was disconnected, nothing is deleted before its admins had a week's notice. */
const TO_BE_ERASED = `
  SELECT p.portal_id FROM portals p
   WHERE p.status = 'DISCONNECTED' AND ${LEFT_AT} <= now() - interval '1 day' * $1::int
     AND p.erasure_told_at >= ${LEFT_AT} AND p.erasure_told_at <= now() - interval '1 day' * $2::int
   ORDER BY p.portal_id LIMIT 1000`;

const NOTICE = `This account has been disconnected from Sequence Enroller for ${KEPT_DAYS - NOTICE_DAYS} days or more. In a week everything the app holds of it is deleted: settings, history and audit log. To keep it, connect the account again.`;

interface EraseOptions {
  readonly pool: Pool;
  readonly logger: Logger;
  /** True once the process is stopping: the rest is done later. */
  readonly isEnding: () => boolean;
}

/** Alerts the admins of accounts that are about to be deleted, and deletes accounts whose time is over. */
export async function eraseLeftAccounts({ pool, logger, isEnding }: EraseOptions): Promise<void> {
  const toBeTold = await portalsOf(pool, TO_BE_TOLD, [KEPT_DAYS - NOTICE_DAYS]);
  const untold = "the admins of a disconnected account could not be told of its deletion";
  await eachPortal(toBeTold, { logger, what: untold }, async ({ portalId }) => {
    await inTransaction(pool, async (client) => {
      await client.query("UPDATE portals SET erasure_told_at = now() WHERE portal_id = $1", [portalId]);
      await raiseAlert(client, { portalId, kind: "DELETION_AHEAD", message: NOTICE });
    });
    logger.info({ portalId }, "a disconnected account is deleted in a week unless it is connected again");
  });
  const toBeErased = await portalsOf(pool, TO_BE_ERASED, [KEPT_DAYS, NOTICE_DAYS]);
  const kept = "a disconnected account could not be deleted";
  await eachPortal(toBeErased, { logger, what: kept }, async ({ portalId }) => {
    if (isEnding()) return;
    const outcome = await eraseAccount(pool, { portalId, isEnding });
    if (outcome.kind === "erased")
      logger.info({ portalId, rows: outcome.rows }, "deleted a disconnected account");
  });
}

async function portalsOf(
  pool: Pool,
  text: string,
  values: readonly number[],
): Promise<{ portalId: bigint }[]> {
  const { rows } = await pool.query<{ portal_id: string }>(text, [...values]);
  return rows.map(({ portal_id }) => ({ portalId: BigInt(portal_id) }));
}

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
export async function eraseAccount(
  pool: Pool,
  { portalId, isEnding = () => false }: { portalId: bigint; isEnding?: () => boolean },
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
  portalId: bigint,
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
async function deleteJobs(pool: Pool, portalId: bigint): Promise<number> {
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
