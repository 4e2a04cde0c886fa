import type { Pool } from "pg";
import { API_SCOPES, type ApiScope } from "#domain/contract/actor.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A key as lists show it. */
export interface ListedKey {
  readonly prefix: string;
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  readonly createdAt: Date;
  /** Who made it; null: not known. */
  readonly createdBy: string | null;
  readonly expiresAt: Date | null;
  /** To about a minute; null: never used. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  /** Whether it lets anyone in now. */
  readonly isInForce: boolean;
}

/** Far more than are valid at a time; of the revoked ones, the newest are listed. */
const MOST_LISTED = 500;

/** An account's keys: valid ones first, each group newest first. */
export async function listKeys(pool: Pool, portalId: PortalId): Promise<ListedKey[]> {
  const { rows } = await pool.query<Omit<ListedKey, "scopes"> & { scopes: string[] }>(
    `SELECT prefix, name, scopes, created_at AS "createdAt", created_by AS "createdBy", expires_at AS "expiresAt",
            last_used_at AS "lastUsedAt", revoked_at AS "revokedAt",
            revoked_at IS NULL AND coalesce(expires_at > now(), true) AS "isInForce"
       FROM api_keys WHERE portal_id = $1 ORDER BY "isInForce" DESC, id DESC LIMIT ${MOST_LISTED}`,
    [portalId],
  );
  return rows.map((row) => ({ ...row, scopes: knownScopes(row.scopes) }));
}

/** Those that this version knows. */
export function knownScopes(stored: readonly string[]): ApiScope[] {
  return API_SCOPES.filter((scope) => stored.includes(scope));
}
