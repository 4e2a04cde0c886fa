import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { DELIVERY_DAYS } from "#domain/subscriptions/deliveries.js";

/** The maximum number of rows that one statement deletes, so that nothing waits behind it. */
const STEP = 2_000;
const PAUSE_MS = 20;

/**
 * SQL on `imports i`: nobody looks at its results anymore, which name contacts and are kept no longer than the account
 * keeps its history; its upload ended before the file did, or
 * its source could not be read, to which there may be a key.
 */
const OLD_IMPORT = `(coalesce(i.ended_at, i.created_at) < now() - interval '1 day' * least(90,
    (SELECT s.retention_days FROM portal_settings s WHERE s.portal_id = i.portal_id)) AND i.state NOT IN ('RUNNING', 'CHECKING')
  OR i.state = 'UPLOADING' AND i.created_at < now() - interval '1 day'
  OR i.state = 'READING' AND i.created_at < now() - interval '3 days')`;

/** What is kept besides executions, and how long. Each statement deletes, or empties, at most `$1` rows. */
const STATEMENTS: Readonly<Record<string, string>> = {
  /** Admins can see who changed what for two years. */
  audit: `
    DELETE FROM audit_entries a USING (
      SELECT old.portal_id, old.id FROM portals p, LATERAL (
        SELECT portal_id, id FROM audit_entries
         WHERE portal_id = p.portal_id AND at < now() - interval '730 days' ORDER BY at LIMIT $1
      ) AS old LIMIT $1
    ) AS old WHERE a.portal_id = old.portal_id AND a.id = old.id`,
  alerts: `
    DELETE FROM alerts a USING (
      SELECT portal_id, id FROM alerts WHERE ended_at < now() - interval '90 days' LIMIT $1
    ) AS old WHERE a.portal_id = old.portal_id AND a.id = old.id`,
  bulkJobs: `
    DELETE FROM bulk_jobs j USING (
      SELECT portal_id, id FROM bulk_jobs WHERE ended_at < now() - interval '90 days' LIMIT $1
    ) AS old WHERE j.portal_id = old.portal_id AND j.id = old.id`,
  /** Contacts that were put in workflows. */
  flowEntries: `
    DELETE FROM flow_entries w USING (
      SELECT portal_id, id FROM flow_entries WHERE ended_at < now() - interval '90 days' LIMIT $1
    ) AS old WHERE w.portal_id = old.portal_id AND w.id = old.id`,
  /**
   * An address that HubSpot did not know may be anyone's: it is shown for a week, so that a typing error can be found.
   */
  flowEntryAddresses: `
    UPDATE flow_entries w SET email = NULL FROM (
      SELECT portal_id, id FROM flow_entries
       WHERE ended_at < now() - interval '7 days' AND email IS NOT NULL LIMIT $1
    ) AS old WHERE w.portal_id = old.portal_id AND w.id = old.id`,
  /** Ended, or begun and never ended, imports; the first also deletes what a crash left of an upload. */
  importRows: `
    DELETE FROM import_rows WHERE (portal_id, import_id, row_number) IN (
      SELECT r.portal_id, r.import_id, r.row_number FROM import_rows r JOIN imports i ON i.portal_id = r.portal_id AND i.id = r.import_id
       WHERE ${OLD_IMPORT} LIMIT $1)`,
  imports: `
    DELETE FROM imports WHERE (portal_id, id) IN (
      SELECT i.portal_id, i.id FROM imports i WHERE ${OLD_IMPORT}
         AND NOT EXISTS (SELECT FROM import_rows r WHERE r.portal_id = i.portal_id AND r.import_id = i.id) LIMIT $1)`,
  /** Expired ones are refused by their own date. */
  revokedSessions: `
    DELETE FROM revoked_sessions WHERE session_id IN (
      SELECT session_id FROM revoked_sessions WHERE expires_at < now() ORDER BY expires_at LIMIT $1)`,
  redeemedStates: `
    DELETE FROM redeemed_states WHERE nonce IN (
      SELECT nonce FROM redeemed_states WHERE expires_at < now() ORDER BY expires_at LIMIT $1)`,
  /**
   * HubSpot repeats a webhook for a day and a call for three: after that nothing more arrives. But a contact may be
   * erased long after it was merged, and its records are then under the id of the contact it was merged into.
   */
  contactFates: `
    DELETE FROM contact_fates f USING (
      SELECT portal_id, contact_key FROM contact_fates told WHERE told_at < now() - interval '4 days'
         AND (became_id IS NULL OR NOT EXISTS (
               SELECT FROM executions e WHERE e.portal_id = told.portal_id AND e.contact_id = told.became_id))
       ORDER BY told_at LIMIT $1
    ) AS old WHERE f.portal_id = old.portal_id AND f.contact_key = old.contact_key`,
  /** Removed from the list, and no longer counted by the limit on mails (src/domain/alerts/confirmations.ts). */
  alertAddresses: `
    DELETE FROM alert_addresses a USING (
      SELECT a.portal_id, a.address FROM alert_addresses a LEFT JOIN portal_settings s USING (portal_id)
       WHERE NOT a.address = ANY (string_to_array(lower(replace(coalesce(s.alert_email, ''), ' ', '')), ','))
         AND coalesce(a.asked_at[cardinality(a.asked_at)], '-infinity') < now() - interval '1 day' LIMIT $1
    ) AS old WHERE a.portal_id = old.portal_id AND a.address = old.address`,
  /** What was sent to customers' programs can be seen and sent again for a week. */
  webhookDeliveries: `
    DELETE FROM webhook_deliveries d USING (
      SELECT portal_id, id FROM webhook_deliveries
       WHERE created_at < now() - interval '${DELIVERY_DAYS} days' AND state <> 'PENDING' ORDER BY created_at LIMIT $1
    ) AS old WHERE d.portal_id = old.portal_id AND d.id = old.id`,
  /** An Idempotency-Key counts for a day. */
  apiRequests: `
    DELETE FROM api_requests r USING (
      SELECT portal_id, key_hash FROM api_requests WHERE created_at < now() - interval '25 hours' ORDER BY created_at LIMIT $1
    ) AS old WHERE r.portal_id = old.portal_id AND r.key_hash = old.key_hash`,
  /** A key's count of requests, of a window that ended an hour ago by any clock: one in use begins its next window instead. */
  apiRateLimits: `
    DELETE FROM api_rate_limits r USING (
      SELECT key, expire FROM api_rate_limits
       WHERE expire < (extract(epoch FROM now()) - 3600)::bigint * 1000 ORDER BY expire LIMIT $1
    ) AS old WHERE r.key = old.key AND r.expire = old.expire`,
  /** No cooldown needs them anymore. */
  pastEnrollments: `
    DELETE FROM past_enrollments p USING (
      SELECT portal_id, contact_id, sequence_id FROM past_enrollments WHERE kept_until < now() ORDER BY kept_until LIMIT $1
    ) AS old WHERE p.portal_id = old.portal_id AND p.contact_id = old.contact_id AND p.sequence_id = old.sequence_id`,
};

/** Deletes records other than executions once nobody needs them. @returns how many. */
export async function deleteOldRecords(pool: Pool, isEnding: () => boolean): Promise<number> {
  let total = 0;
  for (const statement of Object.values(STATEMENTS)) {
    for (let deleted = STEP; deleted === STEP && !isEnding();) {
      deleted = (await pool.query(statement, [STEP])).rowCount ?? 0;
      total += deleted;
      if (deleted > 0) await sleep(PAUSE_MS);
    }
  }
  return total;
}
