import type { Pool, PoolClient } from "pg";
import { AppError } from "../../errors.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { Cipher } from "./cipher.js";
import { openRefreshToken, resealRefreshToken } from "./token-seals.js";

/** A refresh token, sealed as in `portal_tokens`. */
export interface GivenUpGrant {
  readonly portalId: PortalId;
  readonly refreshTokenSealed: string;
}

/** By then, requests with the old grant have ended in every process. */
const GRACE_SECONDS = 60;
const BATCH = 20;
/** Longer than HubSpot may take to answer, with two secrets tried. */
const CLAIM_SECONDS = 60;
/** Half a minute, doubled each time, up to six hours: about two weeks in total. */
const MAX_TRIES = 60;
const RETRY = "interval '30 seconds' * least(720, power(2, least(tries, 20)))";

/** Records, in the transaction that discards it, that a grant is to be revoked at HubSpot. */
export async function giveUpGrant(
  client: PoolClient,
  { portalId, refreshTokenSealed }: GivenUpGrant,
): Promise<void> {
  await client.query(
    `INSERT INTO grant_revocations (portal_id, refresh_token_sealed, due_at)
     VALUES ($1, $2, now() + $3 * interval '1 second')`,
    [portalId, refreshTokenSealed, GRACE_SECONDS],
  );
}

/** The same for the portal's stored grant; does nothing if it has none. */
export async function giveUpStoredGrant(client: PoolClient, portalId: PortalId): Promise<void> {
  await client.query(
    `INSERT INTO grant_revocations (portal_id, refresh_token_sealed, due_at)
     SELECT portal_id, refresh_token_sealed, now() + $2 * interval '1 second' FROM portal_tokens WHERE portal_id = $1`,
    [portalId, GRACE_SECONDS],
  );
}

export interface RevocationOptions {
  readonly pool: Pool;
  readonly cipher: Cipher;
  /** Throws with code GRANT_REVOKED if HubSpot no longer knows the grant. */
  readonly revokeGrant: (refreshToken: string) => Promise<void>;
  readonly logger: Logger;
}

interface DueRevocation extends GivenUpGrant {
  readonly id: bigint;
  readonly tries: number;
  /** The portal's current grant; null: it has none. */
  readonly inUseSealed: string | null;
}

/**
 * Revokes due grants at HubSpot, a few at a time. Processes take different ones; if one dies, another continues. A
 * grant in use is never revoked, even if HubSpot issued the same one twice.
 */
export async function revokeGivenUpGrants(options: RevocationOptions): Promise<void> {
  const due = await claim(options.pool);
  await Promise.all(due.map((revocation) => revoke(options, revocation)));
}

async function claim(pool: Pool): Promise<DueRevocation[]> {
  const { rows } = await pool.query<{
    portal_id: string;
    id: string;
    refresh_token_sealed: string;
    tries: number;
    in_use: string | null;
  }>({
    name: "claim-grant-revocations",
    text: `
      WITH due AS (
        SELECT portal_id, id FROM grant_revocations WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
      )
      UPDATE grant_revocations AS r SET tries = tries + 1, due_at = now() + $2 * interval '1 second'
        FROM due WHERE r.portal_id = due.portal_id AND r.id = due.id
      RETURNING r.portal_id, r.id, r.refresh_token_sealed, r.tries,
                (SELECT refresh_token_sealed FROM portal_tokens t WHERE t.portal_id = r.portal_id) AS in_use`,
    values: [BATCH, CLAIM_SECONDS],
  });
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    id: BigInt(row.id),
    refreshTokenSealed: row.refresh_token_sealed,
    tries: row.tries,
    inUseSealed: row.in_use,
  }));
}

async function revoke(options: RevocationOptions, due: DueRevocation): Promise<void> {
  const { pool, logger } = options;
  const { portalId, tries } = due;
  try {
    const refreshToken = openRefreshToken(options.cipher, due);
    if (!isInUse(options.cipher, due, refreshToken)) {
      await options.revokeGrant(refreshToken);
      logger.info({ portalId }, "revoked an unused grant");
    }
  } catch (error) {
    if (!(error instanceof AppError && error.code === "GRANT_REVOKED")) {
      logger.warn({ portalId, tries, err: error }, "could not revoke an unused grant");
      if (tries < MAX_TRIES) return postpone(pool, due);
    }
  }
  await pool.query("DELETE FROM grant_revocations WHERE portal_id = $1 AND id = $2", [portalId, due.id]);
}

function isInUse(cipher: Cipher, { portalId, inUseSealed }: DueRevocation, refreshToken: string): boolean {
  if (inUseSealed === null) return false;
  return openRefreshToken(cipher, { portalId, refreshTokenSealed: inUseSealed }) === refreshToken;
}

async function postpone(pool: Pool, { portalId, id }: DueRevocation): Promise<void> {
  await pool.query(
    `UPDATE grant_revocations SET due_at = now() + ${RETRY} WHERE portal_id = $1 AND id = $2`,
    [portalId, id],
  );
}

/**
 * Re-encrypts the grants that wait to be revoked and are not sealed with the first key.
 *
 * @returns how many rows were re-sealed.
 * @throws SealKeyUnknown, SealBroken.
 */
export async function resealRevocations({
  pool,
  cipher,
}: Pick<RevocationOptions, "pool" | "cipher">): Promise<number> {
  const { rows } = await pool.query<{ portal_id: string; id: string; refresh_token_sealed: string }>(
    "SELECT portal_id, id, refresh_token_sealed FROM grant_revocations ORDER BY portal_id, id",
  );
  let resealed = 0;
  for (const row of rows) {
    const given = { portalId: BigInt(row.portal_id), refreshTokenSealed: row.refresh_token_sealed };
    const sealed = resealRefreshToken(cipher, given);
    if (sealed === undefined) continue;
    await pool.query(
      "UPDATE grant_revocations SET refresh_token_sealed = $3 WHERE portal_id = $1 AND id = $2",
      [given.portalId, row.id, sealed],
    );
    resealed += 1;
  }
  return resealed;
}
