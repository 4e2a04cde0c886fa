import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { saveGrant, type MayTakeOver, type OnConnect } from "./connect-portal.js";
import {
  disconnectPortal,
  type Disconnection,
  type DisconnectOnly,
  type OnDisconnect,
} from "./disconnect-portal.js";
import type { Grant } from "#platform/hubspot/oauth/oauth-api.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { GrantMark, GrantTerms, SavedGrant, SealedTokens, StoredTokens } from "./grant.js";

/** Rows of `portals` and `portal_tokens`. Every change of a token names the ciphertext it started from. */
export interface TokenStore {
  find(portalId: PortalId): Promise<StoredTokens | undefined>;
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
  currentGrant(portalId: PortalId): Promise<GrantMark | undefined>;
  /**
   * Erases the tokens of the actor's portal, if `only` holds, with an entry in the audit. After an admin has, only an
   * install connects the account again.
   *
   * @returns whether it did.
   * @throws NotAllowed if the actor may not.
   */
  disconnect(disconnection: Disconnection, only?: DisconnectOnly): Promise<boolean>;
  listAfter(portalId: PortalId, limit: number): Promise<StoredTokens[]>;
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
