import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { Grant, GrantOccasion, GrantTerms, SavedGrant, SealedTokens, StoredTokens } from "./grant.js";
import { judgeGrant } from "./judge-grant.js";
import { giveUpGrant, giveUpStoredGrant } from "./revocations.js";

/** Identifies a grant of a portal; it stays the same through refreshes. */
export interface GrantMark {
  readonly grantedAt: Date;
}

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

/** Rows of `portals` and `portal_tokens`. Every change of a token names the ciphertext it started from. */
export interface TokenStore {
  find(portalId: bigint): Promise<StoredTokens | undefined>;
  save(grant: Grant, tokens: SealedTokens, terms: GrantTerms): Promise<SavedGrant>;
  /**
   * Takes the refresh lease of exactly this version of the row; false if another process holds it or the row has
   * changed.
   */
  lease(row: StoredTokens, leaseMs: number): Promise<boolean>;
  /** Returns the lease after a failed refresh; nobody takes it again for `putOffMs`. */
  releaseLease(row: StoredTokens, putOffMs: number): Promise<void>;
  /** False if the row was replaced or erased since: then these tokens must not be used. */
  replace(row: StoredTokens, tokens: SealedTokens): Promise<boolean>;
  /** Which grant the portal has; undefined if it has none. */
  currentGrant(portalId: bigint): Promise<GrantMark | undefined>;
  /**
   * Erases the tokens of the actor's portal, if `only` holds, with an entry in the audit. After an admin has, only an
   * install connects the account again.
   *
   * @returns whether it did.
   * @throws NotAllowed where the actor may not.
   */
  disconnect(disconnection: Disconnection, only?: DisconnectOnly): Promise<boolean>;
  listAfter(portalId: bigint, limit: number): Promise<StoredTokens[]>;
  /** For each key that seals stored grants: how many, and a few of them. */
  listByKey(samples: number): Promise<SealedByKey[]>;
  /** Like `replace`, but leaves a leased row alone: a refresh under way must find the version it started from. */
  reseal(row: StoredTokens, tokens: SealedTokens): Promise<boolean>;
}

/** Grants whose refresh token was sealed with one key. */
export interface SealedByKey {
  readonly keyId: string;
  readonly grants: number;
  readonly samples: readonly StoredTokens[];
}

interface TokenRow {
  portal_id: string;
  access_token_sealed: string;
  refresh_token_sealed: string;
  access_expires_at: Date;
  is_leased: boolean;
  put_off_ms: number;
}

const COLUMNS = `portal_id, access_token_sealed, refresh_token_sealed, access_expires_at,
  coalesce(refresh_lease_until > now(), false) AS is_leased,
  greatest(0, coalesce(extract(epoch FROM refresh_not_before - now()) * 1000, 0))::float8 AS put_off_ms`;

const REPLACE = `UPDATE portal_tokens
  SET access_token_sealed = $3, refresh_token_sealed = $4, access_expires_at = $5, refresh_lease_until = NULL,
      refresh_not_before = NULL, updated_at = now()
  WHERE portal_id = $1 AND refresh_token_sealed = $2`;

/** Called inside the transaction that disconnects a portal: what it writes is committed with it, or not at all. */
export type OnDisconnect = (
  client: PoolClient,
  portal: { portalId: bigint; reason: string },
) => Promise<void>;

/** A portal's connection as it was before a grant was saved, and as it is with it. */
export interface ConnectionState {
  readonly status: "CONNECTED" | "DISCONNECTED";
  /** The user in whose name the app works. */
  readonly authorizedByUserId: bigint | null;
  readonly authorizedByEmail: string | null;
  readonly scopes: readonly string[];
}

export interface NewConnection {
  readonly portalId: bigint;
  /** Whose grant it is. */
  readonly userId: bigint | null;
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
  readonly portalId: bigint;
  readonly userId: bigint | null;
  /** HubSpot said just now what our copy of the user list says of them. */
  readonly isConfirmed: boolean;
}

/** Called inside the transaction that saves a grant: whether its user administers the portal, or nobody does. */
export type MayTakeOver = (client: PoolClient, signer: Signer) => Promise<boolean>;

export interface TokenStoreOptions {
  readonly pool: Pool;
  readonly onConnect?: OnConnect | undefined;
  readonly onDisconnect?: OnDisconnect | undefined;
  readonly mayTakeOver: MayTakeOver;
}

export function createTokenStore(options: TokenStoreOptions): TokenStore {
  const { pool, onDisconnect } = options;
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
    save: (grant, tokens, terms) =>
      inTransaction(pool, (client) => saveGrant(client, { grant, tokens, ...terms, ...options })),
    lease: (row, leaseMs) =>
      changes(
        `UPDATE portal_tokens SET refresh_lease_until = now() + make_interval(secs => $3)
         WHERE portal_id = $1 AND refresh_token_sealed = $2
           AND (refresh_lease_until IS NULL OR refresh_lease_until <= now())
           AND (refresh_not_before IS NULL OR refresh_not_before <= now())`,
        [row.portalId, row.refreshTokenSealed, leaseMs / 1000],
      ),
    async releaseLease(row, putOffMs) {
      await changes(
        `UPDATE portal_tokens SET refresh_lease_until = NULL, refresh_not_before = now() + make_interval(secs => $3)
          WHERE portal_id = $1 AND refresh_token_sealed = $2`,
        [row.portalId, row.refreshTokenSealed, putOffMs / 1000],
      );
    },
    replace: (row, tokens) => changes(REPLACE, replacement(row, tokens)),
    reseal: (row, tokens) =>
      changes(
        `${REPLACE} AND (refresh_lease_until IS NULL OR refresh_lease_until <= now())`,
        replacement(row, tokens),
      ),
    async currentGrant(portalId) {
      const { rows } = await pool.query<{ granted_at: Date }>(
        "SELECT granted_at FROM portal_tokens WHERE portal_id = $1",
        [portalId],
      );
      return rows[0] && { grantedAt: rows[0].granted_at };
    },
    disconnect: (disconnection, only = {}) => {
      requireRight(disconnection.actor, "disconnect");
      return inTransaction(pool, (client) =>
        disconnectPortal(client, { ...disconnection, only, onDisconnect }),
      );
    },
    async listAfter(portalId, limit) {
      const sql = `SELECT ${COLUMNS} FROM portal_tokens WHERE portal_id > $1 ORDER BY portal_id LIMIT $2`;
      return (await pool.query<TokenRow>(sql, [portalId, limit])).rows.map(toStored);
    },
    async listByKey(samples) {
      const { rows } = await pool.query<TokenRow & { key_id: string; grants: string }>(
        `SELECT * FROM (
           SELECT ${COLUMNS}, split_part(refresh_token_sealed, '.', 2) AS key_id, row_number() OVER by_key AS place,
                  count(*) OVER (PARTITION BY split_part(refresh_token_sealed, '.', 2)) AS grants
             FROM portal_tokens
           WINDOW by_key AS (PARTITION BY split_part(refresh_token_sealed, '.', 2) ORDER BY updated_at DESC)
         ) AS numbered WHERE place <= $1 ORDER BY key_id, place`,
        [samples],
      );
      const keyIds = [...new Set(rows.map(({ key_id }) => key_id))];
      return keyIds.map((keyId) => {
        const sealed = rows.filter(({ key_id }) => key_id === keyId);
        return { keyId, grants: Number(sealed[0]?.grants ?? 0), samples: sealed.map(toStored) };
      });
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
    refreshPutOffMs: row.put_off_ms,
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

interface Save extends GrantTerms {
  grant: Grant;
  tokens: SealedTokens;
  onConnect?: OnConnect | undefined;
  mayTakeOver: MayTakeOver;
}

/** Both writers below lock the portal's row first, so that they cannot deadlock on each other. */
async function saveGrant(
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

async function findConnection(client: PoolClient, portalId: bigint) {
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
  { grant, author }: { grant: Grant; author: { id: bigint | null; email: string | null } },
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

async function writeTokens(client: PoolClient, portalId: bigint, tokens: SealedTokens): Promise<void> {
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

interface Disconnect extends Disconnection {
  only: DisconnectOnly;
  onDisconnect: OnDisconnect | undefined;
}

async function disconnectPortal(
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
