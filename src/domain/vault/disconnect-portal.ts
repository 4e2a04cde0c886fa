import type { PoolClient } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { GrantMark, StoredTokens } from "./grant.js";
import { giveUpGrant } from "./revocations.js";

/** Who ends a connection, and why. */
export interface Disconnection {
  readonly actor: Actor;
  /** A sentence for the portal's admins. */
  readonly reason: string;
  /** Whether HubSpot has removed the app from the account, where it was asked to. */
  readonly uninstalledInHubSpot?: boolean;
}

/** What a disconnect is about. */
export interface DisconnectOnly {
  /** This version of the tokens: a refresh since is another. */
  readonly version?: StoredTokens;
  /** This grant: an install or sign-in since is another. */
  readonly grant?: GrantMark;
  /** The grant may still be good at HubSpot, and is to be revoked there. */
  readonly revokes?: boolean;
}

/** Called inside the transaction that disconnects a portal: what it writes is committed with it, or not at all. */
export type OnDisconnect = (
  client: PoolClient,
  portal: { portalId: PortalId; reason: string },
) => Promise<void>;

interface Disconnect extends Disconnection {
  only: DisconnectOnly;
  onDisconnect: OnDisconnect | undefined;
}

/**
 * Inside the caller's transaction, which has checked the right. It locks the portal's row first, as connecting does, so
 * that the two cannot deadlock.
 *
 * @returns false if what `only` names is not there anymore; then nothing was changed.
 */
export async function disconnectPortal(
  client: PoolClient,
  { actor, reason, uninstalledInHubSpot, only, onDisconnect }: Disconnect,
): Promise<boolean> {
  const { portalId } = actor;
  await client.query("SELECT 1 FROM portals WHERE portal_id = $1 FOR UPDATE", [portalId]);
  const erased = await client.query<{ refresh_token_sealed: string }>(
    `DELETE FROM portal_tokens WHERE portal_id = $1 AND ($2::text IS NULL OR refresh_token_sealed = $2)
        AND ($3::timestamptz IS NULL OR granted_at = $3)
     RETURNING refresh_token_sealed`,
    [portalId, only.version?.refreshTokenSealed ?? null, only.grant?.grantedAt ?? null],
  );
  const [gone] = erased.rows;
  if (only.revokes === true && gone !== undefined)
    await giveUpGrant(client, { portalId, refreshTokenSealed: gone.refresh_token_sealed });
  const isConditional = only.version !== undefined || only.grant !== undefined;
  if (isConditional && erased.rowCount === 0) return false;
  const left = await client.query(
    `UPDATE portals SET status = 'DISCONNECTED', disconnected_reason = $2, is_disconnected_by_admin = $3, disconnected_at = now(),
            updated_at = now()
      WHERE portal_id = $1 AND status <> 'DISCONNECTED'`,
    [portalId, reason, actor.kind === "admin"],
  );
  if (left.rowCount === 0) return true;
  await onDisconnect?.(client, { portalId, reason });
  await recordChange(client, actor, {
    subject: "portal",
    subjectName: "Connection",
    action: "DISCONNECTED",
    before: { connection: "connected" },
    after: { connection: "not_connected", reason, uninstalledInHubSpot },
  });
  return true;
}
