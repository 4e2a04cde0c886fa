import type { PoolClient } from "pg";
import { ALERT_CHANNELS, gatherAlertSql } from "./outbox.js";

/** A connection that was made, as far as it is told. */
interface MadeConnection {
  readonly portalId: bigint;
  /** Who made it. */
  readonly userId: bigint | null;
  readonly userEmail: string | null;
  /** Whether they administer the account, or nobody did before. */
  readonly isAdmins: boolean;
  readonly occasion: "install" | "sign-in";
  /** Undefined where the app was never installed before: there is nobody to tell. */
  readonly before:
    { readonly status: "CONNECTED" | "DISCONNECTED"; readonly authorizedByUserId: bigint | null } | undefined;
}

const RAISE = `
  WITH news AS (SELECT $1::bigint AS portal_id), ${gatherAlertSql({
    ...{ news: "news", kind: "'ACCOUNT_CONNECTED'", message: "$2::text" },
    ...{ page: "'/settings/audit'", listPage: "'/settings/audit'", channels: "$3::text[]" },
  })}`;

/**
 * Tells the admins, in the transaction that connects the account, that somebody else than before did so. The portal's row
 * is locked meanwhile: these are raised one after the other, as gathering them wants.
 */
export async function alertOfConnection(client: PoolClient, made: MadeConnection): Promise<void> {
  const { portalId, userId, userEmail, isAdmins, occasion, before } = made;
  if (before === undefined || userId === before.authorizedByUserId) return;
  if (before.status === "CONNECTED" && occasion === "sign-in") return;
  const who = userEmail ?? (userId === null ? "Somebody" : `User ${userId}`);
  const message = `${who} connected the account again.${isAdmins ? "" : " They cannot use these settings pages."}`;
  await client.query(RAISE, [portalId, message, ALERT_CHANNELS]);
}
