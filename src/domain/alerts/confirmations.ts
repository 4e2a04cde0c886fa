import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { MailRecipient } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { findOptOuts } from "./opt-outs.js";
import { addressKey, readRecipients } from "./recipients.js";

/**
 * An admin may enter any address, so until its reader has used the confirmation link, only that link is mailed to it. A
 * confirmation lasts as long as the address stays on the portal's list.
 */

/** Limits of confirmation mails in 24 hours: requested by one account, and to one address by all accounts together. */
const MOST_BY_ACCOUNT = 20;
const MOST_TO_ADDRESS = 3;

/** The result of requesting a confirmation mail. */
export type ConfirmationRequest = "asked" | "too-soon" | "too-many" | "not-needed";

const REQUEST_CONFIRMATION = `
  WITH recent AS (
    SELECT a.portal_id, a.address, asked.at FROM alert_addresses a, unnest(a.asked_at) AS asked (at)
     WHERE (a.portal_id = $1 OR a.address = $2) AND asked.at > now() - interval '1 day'
  ), bounds AS (
    SELECT count(*) FILTER (WHERE portal_id = $1 AND address = $2 AND at > now() - interval '10 minutes') > 0 AS is_too_soon,
           count(*) FILTER (WHERE portal_id = $1) >= $3 OR count(*) FILTER (WHERE address = $2) >= $4 AS is_too_many
      FROM recent
  ), asked AS (
    UPDATE alert_addresses a SET mail_due_at = now(), mail_tries = 0, mail_problem = NULL,
        asked_at = ARRAY(SELECT at FROM unnest(a.asked_at) AS asked (at) WHERE at > now() - interval '1 day') || now()::timestamptz(3)
      FROM bounds WHERE a.portal_id = $1 AND a.address = $2 AND NOT is_too_soon AND NOT is_too_many
  )
  SELECT is_too_soon, is_too_many FROM bounds`;

/** The caller has locked the portal's settings; this lock makes other accounts that request the same address wait. */
async function requestConfirmation(
  client: PoolClient,
  portalId: PortalId,
  key: string,
): Promise<ConfirmationRequest> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`alert address ${key}`]);
  const { rows } = await client.query<{ is_too_soon: boolean; is_too_many: boolean }>(REQUEST_CONFIRMATION, [
    portalId,
    key,
    MOST_BY_ACCOUNT,
    MOST_TO_ADDRESS,
  ]);
  if (rows[0]?.is_too_many === true) return "too-many";
  return rows[0]?.is_too_soon === true ? "too-soon" : "asked";
}

const FORGET_UNLISTED = `
  UPDATE alert_addresses SET confirmed_at = NULL, mail_due_at = NULL
   WHERE portal_id = $1 AND NOT address = ANY ($2) AND num_nonnulls(confirmed_at, mail_due_at) > 0`;

const ADD_LISTED = `
  INSERT INTO alert_addresses AS a (portal_id, address, confirmed_at)
  SELECT $1, address, CASE WHEN address = $3 THEN now() END FROM unnest($2::text[]) AS address
  ON CONFLICT (portal_id, address) DO UPDATE SET confirmed_at = excluded.confirmed_at, mail_due_at = NULL
    WHERE excluded.confirmed_at IS NOT NULL AND a.confirmed_at IS NULL`;

interface SavedList {
  readonly portalId: PortalId;
  /** The addresses before and after the change. */
  readonly before: string | null;
  readonly after: string | null;
  /** The address of the user who saves, confirmed by HubSpot. */
  readonly ownAddress: string | null;
}

/**
 * Call after a list was saved, in the same transaction: requests confirmation of the addresses that were added, and
 * deletes the confirmation of those removed.
 *
 * @returns how many of the list have not confirmed.
 */
// eslint-disable-next-line house/audited-verbs -- a part of changeAlerts
export async function confirmNewcomers(
  client: PoolClient,
  { portalId, before, after, ownAddress }: SavedList,
): Promise<number> {
  const earlier = new Set(keysOf(before));
  const keys = keysOf(after);
  await client.query(FORGET_UNLISTED, [portalId, keys]);
  await client.query(ADD_LISTED, [portalId, keys, addressKey(ownAddress ?? "")]);
  const waiting = await findWaiting(client, portalId, keys);
  // In a fixed order, so that two accounts that request the same addresses cannot deadlock.
  for (const key of waiting.toSorted())
    if (!earlier.has(key)) await requestConfirmation(client, portalId, key);
  return waiting.length;
}

/** Handles an admin's request for another mail with the link. */
// eslint-disable-next-line house/audited-verbs -- a part of askToConfirm
export async function requestConfirmationAgain(
  client: PoolClient,
  portalId: PortalId,
  address: string,
): Promise<ConfirmationRequest> {
  const { rows } = await client.query<{ alert_email: string | null }>(
    "SELECT alert_email FROM portal_settings WHERE portal_id = $1 FOR UPDATE",
    [portalId],
  );
  const key = addressKey(address);
  const isListed = keysOf(rows[0]?.alert_email ?? null).includes(key);
  if (!isListed || (await findWaiting(client, portalId, [key])).length === 0) return "not-needed";
  await client.query(ADD_LISTED, [portalId, [key], ""]);
  return requestConfirmation(client, portalId, key);
}

const keysOf = (list: string | null): string[] => readRecipients(list ?? "").map(addressKey);

async function findWaiting(
  client: PoolClient,
  portalId: PortalId,
  keys: readonly string[],
): Promise<string[]> {
  const out = await findOptOuts(client, portalId);
  const confirmed = await findConfirmed(client, portalId);
  return keys.filter((key) => !out.has(key) && !confirmed.has(key));
}

/** The keys (recipients.ts) of a portal's addresses that alerts may be mailed to. */
export async function findConfirmed(pool: Pool | PoolClient, portalId: PortalId): Promise<Set<string>> {
  const { rows } = await pool.query<{ address: string }>(
    "SELECT address FROM alert_addresses WHERE portal_id = $1 AND confirmed_at IS NOT NULL",
    [portalId],
  );
  return new Set(rows.map(({ address }) => address));
}

/** The address's reader wants the alerts; this also ends an earlier opt-out. Does nothing if the address is not listed. */
export async function confirmAddress(pool: Pool, recipient: MailRecipient): Promise<void> {
  requireRight(recipient, "confirmAddress");
  await inTransaction(pool, async (client) => {
    if ((await readConfirmationState(client, recipient)) === "not-listed") return;
    if (!(await setConfirmed(client, recipient))) return;
    await recordChange(client, recipient, {
      subject: "alerts",
      subjectName: "Address for alerts",
      action: "CONFIRMED",
    });
  });
}

/** @returns whether that changed anything. */
async function setConfirmed(client: PoolClient, { portalId, address }: MailRecipient): Promise<boolean> {
  const key = addressKey(address);
  const { rowCount } = await client.query(
    `UPDATE alert_addresses SET confirmed_at = now(), mail_due_at = NULL, mail_problem = NULL
      WHERE portal_id = $1 AND address = $2 AND confirmed_at IS NULL`,
    [portalId, key],
  );
  const { rowCount: returned } = await client.query(
    "DELETE FROM alert_opt_outs WHERE portal_id = $1 AND lower(address) = $2",
    [portalId, key],
  );
  return rowCount !== 0 || returned !== 0;
}

/** For the page behind the link: whether the address is still on the list, and whether it gets alerts. */
export async function readConfirmationState(
  pool: Pool | PoolClient,
  { portalId, address }: { portalId: PortalId; address: string },
): Promise<"not-listed" | "waiting" | "confirmed"> {
  const { rows } = await pool.query<{ alert_email: string | null; is_confirmed: boolean }>(
    `SELECT s.alert_email, a.confirmed_at IS NOT NULL
              AND NOT EXISTS (SELECT FROM alert_opt_outs o WHERE o.portal_id = $1 AND lower(o.address) = $2) AS is_confirmed
       FROM portal_settings s JOIN alert_addresses a ON a.portal_id = s.portal_id AND a.address = $2
      WHERE s.portal_id = $1`,
    [portalId, addressKey(address)],
  );
  const [row] = rows;
  if (row === undefined || !keysOf(row.alert_email).includes(addressKey(address))) return "not-listed";
  return row.is_confirmed ? "confirmed" : "waiting";
}

/** The state of one address on a portal's list, for its admins. */
export interface Recipient {
  /** As the admin typed it. */
  readonly address: string;
  readonly state: "confirmed" | "waiting" | "unsubscribed";
  /**
   * For a waiting address: whether a mail with the link is still to be sent, when the last one was sent, and what
   * prevented it.
   */
  readonly isMailDue: boolean;
  readonly mailedAt: Date | null;
  readonly mailProblem: string | null;
}

interface AddressRow {
  address: string;
  is_confirmed: boolean;
  is_due: boolean;
  mailed_at: Date | null;
  mail_problem: string | null;
}

/** @param list as stored in the settings */
export async function listRecipients(
  pool: Pool,
  portalId: PortalId,
  list: string | null,
): Promise<Recipient[]> {
  const addresses = readRecipients(list ?? "");
  if (addresses.length === 0) return [];
  const { rows } = await pool.query<AddressRow>(
    `SELECT address, confirmed_at IS NOT NULL AS is_confirmed, mail_due_at IS NOT NULL AS is_due, mailed_at, mail_problem
       FROM alert_addresses WHERE portal_id = $1 AND address = ANY ($2)`,
    [portalId, addresses.map(addressKey)],
  );
  const byKey = new Map(rows.map((row) => [row.address, row]));
  const out = await findOptOuts(pool, portalId);
  return addresses.map((address) => {
    const row = byKey.get(addressKey(address));
    const state = row?.is_confirmed === true ? "confirmed" : "waiting";
    return {
      address,
      state: out.has(addressKey(address)) ? "unsubscribed" : state,
      isMailDue: row?.is_due ?? false,
      mailedAt: row?.mailed_at ?? null,
      mailProblem: row?.mail_problem ?? null,
    };
  });
}
