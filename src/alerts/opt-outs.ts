import type { Pool, PoolClient } from "pg";
import type { TextCipher } from "./webhook-seals.js";

export const UNSUBSCRIBE_PATH = "/alerts/unsubscribe";
const FIELD = "alert_opt_out";

/** An address that gets a portal's alerts. */
export interface Subscription {
  readonly portalId: bigint;
  readonly address: string;
}

/** Whoever has the link may end the mails to that address, and nothing else; the address does not show in it. */
export function unsubscribeUrl(
  { portalId, address }: Subscription,
  { cipher, publicUrl }: { cipher: TextCipher; publicUrl: string },
): string {
  const token = cipher.seal(address, { portalId, field: FIELD });
  return `${publicUrl}${UNSUBSCRIBE_PATH}?account=${portalId}&token=${encodeURIComponent(token)}`;
}

/** Undefined if the link is not one of ours. */
export function readSubscription(
  cipher: TextCipher,
  { account, token }: { account: unknown; token: unknown },
): Subscription | undefined {
  if (typeof account !== "string" || typeof token !== "string" || !/^[1-9]\d{0,17}$/.test(account))
    return undefined;
  const portalId = BigInt(account);
  try {
    return { portalId, address: cipher.open(token, { portalId, field: FIELD }) };
  } catch {
    return undefined;
  }
}

/** Of a portal's addresses, those that want none of its alerts. */
export async function findOptOuts(pool: Pool, portalId: bigint): Promise<Set<string>> {
  const { rows } = await pool.query<{ address: string }>(
    "SELECT address FROM alert_opt_outs WHERE portal_id = $1",
    [portalId],
  );
  return new Set(rows.map(({ address }) => address));
}

/** @returns whether that changed anything. */
export async function setOptOut(
  client: PoolClient,
  { portalId, address }: Subscription,
  isOut: boolean,
): Promise<boolean> {
  const { rowCount } = await client.query(
    isOut
      ? "INSERT INTO alert_opt_outs (portal_id, address) VALUES ($1, $2) ON CONFLICT DO NOTHING"
      : "DELETE FROM alert_opt_outs WHERE portal_id = $1 AND address = $2",
    [portalId, address],
  );
  return rowCount === 1;
}
