import type { PoolClient } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { ALERT_CHANNELS } from "./outbox/alert.js";
import { gatherAlertSql } from "./outbox/raise.js";

/** A new connection, as far as the alert needs it. */
interface MadeConnection {
  readonly portalId: PortalId;
  /** Who connected the account. */
  readonly userId: UserId | null;
  readonly userEmail: string | null;
  readonly occasion: "install" | "sign-in";
  /** Undefined if the app was never installed before: there is nobody to alert. */
  readonly before:
    { readonly status: "CONNECTED" | "DISCONNECTED"; readonly authorizedByUserId: UserId | null } | undefined;
}

const RAISE = `
  WITH news AS (SELECT $1::bigint AS portal_id), ${gatherAlertSql({
    news: "news",
    kind: "'ACCOUNT_CONNECTED'",
    message: "$2::text",
    page: "'/settings/audit'",
    listPage: "'/settings/audit'",
    channels: "$3::text[]",
  })}`;

/**
 * Alerts the admins that someone else connected the account, in the transaction that connects it. That transaction
 * holds the portal's row, so these alerts are raised one after the other, as gathering them requires.
 */
export async function alertOfConnection(client: PoolClient, made: MadeConnection): Promise<void> {
  const { portalId, userId, userEmail, occasion, before } = made;
  if (before === undefined || userId === before.authorizedByUserId) return;
  if (before.status === "CONNECTED" && occasion === "sign-in") return;
  const who = userEmail ?? (userId === null ? "Unknown user" : `User ${userId}`);
  const message = `${who} connected the account again.`;
  await client.query(RAISE, [portalId, message, ALERT_CHANNELS]);
}
