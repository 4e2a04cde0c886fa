import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { findAlertSettings } from "./alert-settings.js";
import type { AlertsSetup } from "./change-alerts.js";
import type { AlertChannel } from "./outbox/alert.js";

/** Limit of tests per portal in 24 hours, all channels together. */
const MOST_A_DAY = 10;

const MESSAGE = "This is a test of Sequence Enroller's alerts. No action needed.";

export type TestVerdict = "raised" | "too-soon" | "too-many" | "without-address";

/** `open` has a row if a test may be sent now; if not, `tests` says why. */
const RAISE = `
  WITH tests AS (
    SELECT count(*) FILTER (WHERE channel = $2 AND created_at > now() - interval '1 minute') > 0 AS is_too_soon,
           count(*) >= $4 AS is_too_many
    FROM alerts WHERE portal_id = $1 AND kind = 'TEST' AND created_at > now() - interval '1 day'
  ), open AS (
    SELECT FROM tests WHERE NOT is_too_soon AND NOT is_too_many
  ), replaced AS (
    UPDATE alerts SET outcome = 'FAILED', ended_at = now()
    WHERE portal_id = $1 AND kind = 'TEST' AND channel = $2 AND outcome IS NULL AND EXISTS (SELECT FROM open)
  ), raised AS (
    INSERT INTO alerts (portal_id, kind, channel, message) SELECT $1, 'TEST', $2, $3 FROM open
  )
  SELECT is_too_soon, is_too_many FROM tests`;

/**
 * Raises a TEST alert and replaces any of its channel that is still unsent: the newest one shows whether the address
 * works now. A channel gets at most one a minute and a portal ten a day, however often and in however many browsers the
 * button is pressed: the address may belong to someone who never asked for it.
 */
export async function sendTestAlert(
  { pool, cipher }: AlertsSetup,
  actor: Actor,
  channel: AlertChannel,
): Promise<TestVerdict> {
  requireRight(actor, "sendTestAlert");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    // Two presses at once: the second counts when the first is committed. Every portal with an address has this row.
    await client.query(`SELECT FROM portal_settings WHERE portal_id = $1 FOR UPDATE`, [portalId]);
    const { email, webhookUrl } = await findAlertSettings({ database: client, cipher }, portalId);
    if ((channel === "EMAIL" ? email : webhookUrl) === null) return "without-address";
    const { rows } = await client.query<{ is_too_soon: boolean; is_too_many: boolean }>(RAISE, [
      portalId,
      channel,
      MESSAGE,
      MOST_A_DAY,
    ]);
    if (rows[0]?.is_too_many === true) return "too-many";
    if (rows[0]?.is_too_soon === true) return "too-soon";
    await recordChange(client, actor, {
      subject: "alerts",
      subjectName: channel === "EMAIL" ? "Test mail" : "Test alert",
      action: "SENT",
    });
    return "raised";
  });
}
