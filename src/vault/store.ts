import type { Pool, PoolClient } from "pg";
import { inTransaction } from "../db/transaction.js";
import type { Grant, GrantOccasion } from "./grant.js";

/** Tokens of a portal as they lie in the database. `refreshTokenSealed` is unique to each save: it is the row's version. */
export interface SealedTokens {
  accessTokenSealed: string;
  refreshTokenSealed: string;
  accessExpiresAt: Date;
}

export interface StoredTokens extends SealedTokens {
  portalId: bigint;
  /** Judged by the database's clock, the one clock all processes share. */
  isLeased: boolean;
}

/** Rows of `portals` and `portal_tokens`. Every change of a token names the ciphertext it started from. */
export interface TokenStore {
  find(portalId: bigint): Promise<StoredTokens | undefined>;
  save(grant: Grant, tokens: SealedTokens, occasion: GrantOccasion): Promise<{ wasConnected: boolean }>;
  /** Takes the refresh lease of exactly this version of the row; false where another process holds it or the row moved on. */
  lease(row: StoredTokens, leaseMs: number): Promise<boolean>;
  releaseLease(row: StoredTokens): Promise<void>;
  /** False where the row was replaced or erased since: then these tokens must not be used. */
  replace(row: StoredTokens, tokens: SealedTokens): Promise<boolean>;
  /** Erases the tokens; with `onlyIf`, only that version of them. Answers whether it did. */
  disconnect(portalId: bigint, reason: string, onlyIf?: StoredTokens): Promise<boolean>;
  listAfter(portalId: bigint, limit: number): Promise<StoredTokens[]>;
  /** Like `replace`, but leaves a leased row alone: a refresh under way must find the version it started from. */
  reseal(row: StoredTokens, tokens: SealedTokens): Promise<boolean>;
}

interface TokenRow {
  portal_id: string;
  access_token_sealed: string;
  refresh_token_sealed: string;
  access_expires_at: Date;
  is_leased: boolean;
}

const COLUMNS = `portal_id, access_token_sealed, refresh_token_sealed, access_expires_at,
  coalesce(refresh_lease_until > now(), false) AS is_leased`;

const REPLACE = `UPDATE portal_tokens
  SET access_token_sealed = $3, refresh_token_sealed = $4, access_expires_at = $5, refresh_lease_until = NULL,
      updated_at = now()
  WHERE portal_id = $1 AND refresh_token_sealed = $2`;

/** Told inside the transaction that disconnects a portal: what it writes is committed with it, or not at all. */
export type OnDisconnect = (
  client: PoolClient,
  portal: { portalId: bigint; reason: string },
) => Promise<void>;

/** A portal's connection as it was before a grant was saved, and as it is with it. */
export interface ConnectionState {
  readonly status: "CONNECTED" | "DISCONNECTED";
  readonly authorizedByEmail: string | null;
  readonly scopes: readonly string[];
}

export interface NewConnection {
  readonly portalId: bigint;
  readonly userId: bigint | null;
  readonly userEmail: string | null;
  /** Undefined where the app was never installed before. */
  readonly before: ConnectionState | undefined;
  readonly after: ConnectionState;
}

/** Told inside the transaction that connects a portal, or has its grant given anew; not of a mere sign-in. */
export type OnConnect = (client: PoolClient, connection: NewConnection) => Promise<void>;

export interface TokenStoreOptions {
  readonly pool: Pool;
  readonly onConnect?: OnConnect | undefined;
  readonly onDisconnect?: OnDisconnect | undefined;
}

export function createTokenStore({ pool, onConnect, onDisconnect }: TokenStoreOptions): TokenStore {
  const changes = async (sql: string, values: unknown[]) =>
    ((await pool.query(sql, values)).rowCount ?? 0) > 0;
  return {
    async find(portalId) {
      const { rows } = await pool.query<TokenRow>(
        `SELECT ${COLUMNS} FROM portal_tokens WHERE portal_id = $1`,
        [portalId],
      );
      return rows[0] && toStored(rows[0]);
    },
    save: (grant, tokens, occasion) =>
      inTransaction(pool, (client) => saveGrant(client, { grant, tokens, occasion, onConnect })),
    lease: (row, leaseMs) =>
      changes(
        `UPDATE portal_tokens SET refresh_lease_until = now() + make_interval(secs => $3)
         WHERE portal_id = $1 AND refresh_token_sealed = $2
           AND (refresh_lease_until IS NULL OR refresh_lease_until <= now())`,
        [row.portalId, row.refreshTokenSealed, leaseMs / 1000],
      ),
    async releaseLease(row) {
      await changes(
        "UPDATE portal_tokens SET refresh_lease_until = NULL WHERE portal_id = $1 AND refresh_token_sealed = $2",
        [row.portalId, row.refreshTokenSealed],
      );
    },
    replace: (row, tokens) => changes(REPLACE, replacement(row, tokens)),
    reseal: (row, tokens) =>
      changes(
        `${REPLACE} AND (refresh_lease_until IS NULL OR refresh_lease_until <= now())`,
        replacement(row, tokens),
      ),
    disconnect: (portalId, reason, onlyIf) =>
      inTransaction(pool, (client) => disconnectPortal(client, { portalId, reason, onlyIf, onDisconnect })),
    async listAfter(portalId, limit) {
      const sql = `SELECT ${COLUMNS} FROM portal_tokens WHERE portal_id > $1 ORDER BY portal_id LIMIT $2`;
      return (await pool.query<TokenRow>(sql, [portalId, limit])).rows.map(toStored);
    },
  };
}

function toStored(row: TokenRow): StoredTokens {
  return {
    portalId: BigInt(row.portal_id),
    accessTokenSealed: row.access_token_sealed,
    refreshTokenSealed: row.refresh_token_sealed,
    accessExpiresAt: row.access_expires_at,
    isLeased: row.is_leased,
  };
}

function replacement(row: StoredTokens, tokens: SealedTokens): unknown[] {
  return [
    row.portalId,
    row.refreshTokenSealed,
    tokens.accessTokenSealed,
    tokens.refreshTokenSealed,
    tokens.accessExpiresAt,
  ];
}

/** Both writers below lock the portal's row first, so that they cannot deadlock on each other. */
async function saveGrant(
  client: PoolClient,
  {
    grant,
    tokens,
    occasion,
    onConnect,
  }: { grant: Grant; tokens: SealedTokens; occasion: GrantOccasion; onConnect: OnConnect | undefined },
): Promise<{ wasConnected: boolean }> {
  const found = await client.query<ConnectionState>(
    `SELECT status, authorized_by_email AS "authorizedByEmail", scopes FROM portals WHERE portal_id = $1 FOR UPDATE`,
    [grant.portalId],
  );
  const before = found.rows[0];
  const wasConnected = before?.status === "CONNECTED";
  // Signing in to a connected portal proves an identity; it must not change in whose name the app was installed.
  const keepsAuthorizer = wasConnected && occasion === "sign-in";
  await client.query(
    `INSERT INTO portals AS p (portal_id, status, hub_domain, authorized_by_user_id, authorized_by_email, scopes, directory_requested_at)
     VALUES ($1, 'CONNECTED', $2, $3, $4, $5, now())
     ON CONFLICT (portal_id) DO UPDATE SET
       status = 'CONNECTED', disconnected_reason = NULL, scopes = excluded.scopes, updated_at = now(),
       hub_domain = coalesce(excluded.hub_domain, p.hub_domain),
       installed_at = CASE WHEN p.status = 'CONNECTED' THEN p.installed_at ELSE now() END,
       authorized_by_user_id = CASE WHEN $6 THEN p.authorized_by_user_id ELSE excluded.authorized_by_user_id END,
       authorized_by_email = CASE WHEN $6 THEN p.authorized_by_email ELSE excluded.authorized_by_email END,
       directory_requested_at = CASE WHEN $6 THEN p.directory_requested_at ELSE now() END`,
    [grant.portalId, grant.hubDomain, grant.userId, grant.userEmail, grant.scopes, keepsAuthorizer],
  );
  await client.query(
    `INSERT INTO portal_tokens (portal_id, access_token_sealed, refresh_token_sealed, access_expires_at)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (portal_id) DO UPDATE SET
       access_token_sealed = excluded.access_token_sealed, refresh_token_sealed = excluded.refresh_token_sealed,
       access_expires_at = excluded.access_expires_at, refresh_lease_until = NULL, updated_at = now()`,
    [grant.portalId, tokens.accessTokenSealed, tokens.refreshTokenSealed, tokens.accessExpiresAt],
  );
  if (!keepsAuthorizer) {
    const { portalId, userId, userEmail, scopes } = grant;
    const after: ConnectionState = { status: "CONNECTED", authorizedByEmail: userEmail, scopes };
    await onConnect?.(client, { portalId, userId, userEmail, before, after });
  }
  return { wasConnected };
}

async function disconnectPortal(
  client: PoolClient,
  portal: {
    portalId: bigint;
    reason: string;
    onlyIf: StoredTokens | undefined;
    onDisconnect: OnDisconnect | undefined;
  },
): Promise<boolean> {
  const { portalId, reason, onlyIf, onDisconnect } = portal;
  await client.query("SELECT 1 FROM portals WHERE portal_id = $1 FOR UPDATE", [portalId]);
  const erased = await client.query(
    "DELETE FROM portal_tokens WHERE portal_id = $1 AND ($2::text IS NULL OR refresh_token_sealed = $2)",
    [portalId, onlyIf?.refreshTokenSealed ?? null],
  );
  if (onlyIf !== undefined && erased.rowCount === 0) return false;
  const left = await client.query(
    `UPDATE portals SET status = 'DISCONNECTED', disconnected_reason = $2, updated_at = now()
      WHERE portal_id = $1 AND status <> 'DISCONNECTED'`,
    [portalId, reason],
  );
  if (left.rowCount !== 0) await onDisconnect?.(client, { portalId, reason });
  return true;
}
