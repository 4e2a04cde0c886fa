import type { Pool } from "pg";
import { eraseAccount } from "#domain/accounts/erase-account.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";

/** Days from a disconnect to the deletion of everything we hold of the account. */
export const KEPT_DAYS = 30;
/** How many days before that its admins are alerted. */
const NOTICE_DAYS = 7;

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
): Promise<{ portalId: PortalId }[]> {
  const { rows } = await pool.query<{ portal_id: string }>(text, [...values]);
  return rows.map(({ portal_id }) => ({ portalId: BigInt(portal_id) }));
}
