import type { PoolClient } from "pg";
import type { Grant } from "#platform/hubspot/oauth/oauth-api.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { GrantOccasion, GrantTerms, SavedGrant, SealedTokens } from "./grant.js";
import { judgeGrant } from "./judge-grant.js";
import { giveUpGrant, giveUpStoredGrant } from "./revocations.js";

/** A portal's connection as it was before a grant was saved, and as it is with it. */
export interface ConnectionState {
  readonly status: "CONNECTED" | "DISCONNECTED";
  /** The user in whose name the app works. */
  readonly authorizedByUserId: UserId | null;
  readonly authorizedByEmail: string | null;
  readonly scopes: readonly string[];
}

export interface NewConnection {
  readonly portalId: PortalId;
  /** Whose grant it is. */
  readonly userId: UserId | null;
  readonly userEmail: string | null;
  readonly occasion: GrantOccasion;
  /** Undefined if the app was never installed before. */
  readonly before: ConnectionState | undefined;
  readonly after: ConnectionState;
}

/** Called inside the transaction that connects a portal or replaces its grant. */
export type OnConnect = (client: PoolClient, connection: NewConnection) => Promise<void>;

/** Whose grant of a portal is to be saved. */
export interface Signer {
  readonly portalId: PortalId;
  readonly userId: UserId | null;
  /** HubSpot said just now what our copy of the user list says about them. */
  readonly isConfirmed: boolean;
}

/** Called inside the transaction that saves a grant: whether its user administers the portal, or nobody does. */
export type MayTakeOver = (client: PoolClient, signer: Signer) => Promise<boolean>;

interface Save extends GrantTerms {
  grant: Grant;
  tokens: SealedTokens;
  onConnect?: OnConnect | undefined;
  mayTakeOver: MayTakeOver;
}

/**
 * Connects a portal with a grant, or leaves it as it is, as {@link judgeGrant} says. Inside the caller's transaction. It
 * locks the portal's row first, as disconnecting does, so that the two cannot deadlock.
 */
export async function saveGrant(
  client: PoolClient,
  { grant, tokens, occasion, signer, onConnect, mayTakeOver }: Save,
): Promise<SavedGrant> {
  const { portalId, userId, userEmail, scopes } = grant;
  const known = await findConnection(client, portalId);
  const wasConnected = known?.isConnected === true;
  const isConfirmed = signer === "confirmed";
  const isAdmins =
    known === undefined ||
    (signer !== "unanswered" && (await mayTakeOver(client, { portalId, userId, isConfirmed })));
  const verdict = judgeGrant(known, { occasion, scopes, isAdmins });
  if (verdict === "keep" || verdict === "leave") {
    await giveUpGrant(client, { portalId, refreshTokenSealed: tokens.refreshTokenSealed });
    return {
      kind: verdict === "keep" ? "kept" : "not-connected",
      wasConnected,
      isKnown: known !== undefined,
      at: await transactionTime(client),
    };
  }
  const author = verdict === "take" || known === undefined ? { id: userId, email: userEmail } : known.author;
  await writePortal(client, { grant, author });
  await giveUpStoredGrant(client, portalId);
  await writeTokens(client, portalId, tokens);
  await onConnect?.(client, {
    portalId,
    userId,
    userEmail,
    occasion,
    before: known?.state,
    after: { status: "CONNECTED", authorizedByUserId: author.id, authorizedByEmail: author.email, scopes },
  });
  return { kind: "used", wasConnected, isKnown: true, at: await transactionTime(client) };
}

/** The time that this transaction writes, for example since when the portal is connected. */
async function transactionTime(client: PoolClient): Promise<Date> {
  const { rows } = await client.query<{ at: Date }>("SELECT now() AS at");
  return rows[0]?.at ?? new Date();
}

interface ConnectionRow {
  status: "CONNECTED" | "DISCONNECTED";
  is_disconnected_by_admin: boolean;
  author_id: string | null;
  author_email: string | null;
  scopes: string[];
}

async function findConnection(client: PoolClient, portalId: PortalId) {
  const { rows } = await client.query<ConnectionRow>(
    `SELECT status, is_disconnected_by_admin, authorized_by_user_id AS author_id, authorized_by_email AS author_email, scopes
       FROM portals WHERE portal_id = $1 FOR UPDATE`,
    [portalId],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const { status, scopes } = row;
  const author = { id: row.author_id === null ? null : BigInt(row.author_id), email: row.author_email };
  const state: ConnectionState = {
    status,
    scopes,
    authorizedByUserId: author.id,
    authorizedByEmail: author.email,
  };
  return {
    state,
    author,
    scopes,
    isConnected: status === "CONNECTED",
    isDisconnectedByAdmin: row.is_disconnected_by_admin,
  };
}

/**
 * Also requests a new copy of the directory and of the workflows: another grant may see other sequences, and read other
 * lists.
 */
async function writePortal(
  client: PoolClient,
  { grant, author }: { grant: Grant; author: { id: UserId | null; email: string | null } },
): Promise<void> {
  await client.query(
    `INSERT INTO portals AS p (portal_id, status, hub_domain, authorized_by_user_id, authorized_by_email, scopes, directory_requested_at,
                               flows_requested_at)
     VALUES ($1, 'CONNECTED', $2, $3, $4, $5, now(), now())
     ON CONFLICT (portal_id) DO UPDATE SET
       status = 'CONNECTED', disconnected_reason = NULL, is_disconnected_by_admin = false, users_refused_at = NULL,
       scopes = excluded.scopes, updated_at = now(),
       hub_domain = coalesce(excluded.hub_domain, p.hub_domain),
       installed_at = CASE WHEN p.status = 'CONNECTED' THEN p.installed_at ELSE now() END,
       authorized_by_user_id = excluded.authorized_by_user_id, authorized_by_email = excluded.authorized_by_email,
       directory_requested_at = now(), flows_requested_at = now()`,
    [grant.portalId, grant.hubDomain, author.id, author.email, grant.scopes],
  );
}

async function writeTokens(client: PoolClient, portalId: PortalId, tokens: SealedTokens): Promise<void> {
  await client.query(
    `INSERT INTO portal_tokens (portal_id, access_token_sealed, refresh_token_sealed, access_expires_at, granted_at)
     VALUES ($1, $2, $3, $4, clock_timestamp())
     ON CONFLICT (portal_id) DO UPDATE SET
       access_token_sealed = excluded.access_token_sealed, refresh_token_sealed = excluded.refresh_token_sealed,
       access_expires_at = excluded.access_expires_at, granted_at = excluded.granted_at, refresh_lease_until = NULL,
       refresh_not_before = NULL, updated_at = now()`,
    [portalId, tokens.accessTokenSealed, tokens.refreshTokenSealed, tokens.accessExpiresAt],
  );
}
