import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import { authorOf, type Actor, type ApiScope } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { makeKey } from "./key-text.js";

/** The maximum number of an account's valid keys: nobody can keep track of more. */
export const MAX_KEYS = 100;

/** Characters of a key's name. */
export const LONGEST_KEY_NAME = 100;

/** A key as requested. */
export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  /** From then on it is refused; undefined: never. */
  readonly expiresAt: Date | undefined;
}

export type CreateKeyOutcome =
  /** The key is returned this once and never again. */
  | { readonly kind: "created"; readonly key: string; readonly prefix: string }
  | { readonly kind: "too-many" } // the account has MAX_KEYS; two made at once may exceed it by one
  | { readonly kind: "unknown-portal" };

/** Makes an API key for the actor's account. */
export async function createKey(pool: Pool, actor: Actor, draft: KeyDraft): Promise<CreateKeyOutcome> {
  requireRight(actor, "createKey");
  return inTransaction(pool, async (client) => {
    const refusal = await whyNoMore(client, actor.portalId);
    if (refusal !== undefined) return { kind: refusal };
    const { key, prefix, secretHash } = makeKey();
    await client.query(
      `INSERT INTO api_keys (portal_id, name, prefix, secret_hash, scopes, expires_at, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        actor.portalId,
        draft.name,
        prefix,
        secretHash,
        draft.scopes,
        draft.expiresAt ?? null,
        authorOf(actor).userEmail,
      ],
    );
    await recordChange(client, actor, {
      subject: "key",
      subjectName: draft.name,
      action: "CREATED",
      after: { prefix, scopes: draft.scopes, expiresAt: draft.expiresAt ?? null },
    });
    return { kind: "created", key, prefix };
  });
}

async function whyNoMore(
  client: PoolClient,
  portalId: PortalId,
): Promise<"too-many" | "unknown-portal" | undefined> {
  const { rows } = await client.query<{ keys: number }>(
    `SELECT (SELECT count(*)::int FROM api_keys k WHERE k.portal_id = p.portal_id AND k.revoked_at IS NULL) AS keys
       FROM portals p WHERE p.portal_id = $1`,
    [portalId],
  );
  const [portal] = rows;
  if (portal === undefined) return "unknown-portal";
  return portal.keys >= MAX_KEYS ? "too-many" : undefined;
}

/**
 * Revokes the key with this prefix. Every process refuses it within seconds (recognize-key.ts). False if the account
 * has no such valid key.
 */
export async function revokeKey(pool: Pool, actor: Actor, prefix: string): Promise<boolean> {
  requireRight(actor, "revokeKey");
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `UPDATE api_keys SET revoked_at = now()
        WHERE portal_id = $1 AND prefix = $2 AND revoked_at IS NULL RETURNING name`,
      [actor.portalId, prefix],
    );
    const [revoked] = rows;
    if (revoked === undefined) return false;
    await recordChange(client, actor, {
      subject: "key",
      subjectName: revoked.name,
      action: "REVOKED",
      before: { prefix },
    });
    return true;
  });
}
