import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import type { ImportKey } from "./advance-import.js";
import { CLOSE_COLUMNS, type CloseChoices, type CloseFacts } from "./close-choices.js";
import { storedName } from "./create-import.js";

/** Seals the key for its column of the portal's row (src/domain/vault/cipher.ts). */
export interface KeyCipher {
  seal(plain: string, context: { portalId: PortalId; field: string }): string;
  /** @throws typed faults if the key is not configured, or the text was altered or moved. */
  open(sealed: string, context: { portalId: PortalId; field: string }): string;
}

/** What the key is sealed for. */
export const CLOSE_KEY_FIELD = "imports.source_key";

/**
 * Makes an import of an organization's subscriptions in Close. Workers read them with the key, which is stored sealed and
 * erased once they are read, cannot be read, or the import is canceled.
 */
export async function createCloseImport(
  { pool, cipher }: { pool: Pool; cipher: KeyCipher },
  actor: Actor,
  { apiKey, name }: { apiKey: string; name: string },
): Promise<bigint> {
  requireRight(actor, "createImport");
  const { portalId } = actor;
  const called = storedName(name.trim() === "" ? "From Close" : name);
  const sealed = cipher.seal(apiKey, { portalId, field: CLOSE_KEY_FIELD });
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO imports (portal_id, name, state, source, source_key, columns, mapping, choices)
       VALUES ($1, $2, 'READING', 'CLOSE', $3, $4, $5, $6) RETURNING id`,
      [
        portalId,
        called,
        sealed,
        JSON.stringify(CLOSE_COLUMNS),
        JSON.stringify({ email: CLOSE_COLUMNS[0] }),
        JSON.stringify({ statuses: ["active"] }),
      ],
    );
    await recordChange(client, actor, { subject: "import", subjectName: called, action: "CREATED" });
    return BigInt(rows[0]?.id ?? 0);
  });
}

/** The key to Close, as long as it is needed. */
export async function readCloseKey(
  { pool, cipher }: { pool: Pool; cipher: KeyCipher },
  { portalId, importId }: ImportKey,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ sealed: string | null }>(
    "SELECT source_key AS sealed FROM imports WHERE portal_id = $1 AND id = $2",
    [portalId, importId],
  );
  const sealed = rows[0]?.sealed ?? undefined;
  return sealed === undefined ? undefined : cipher.open(sealed, { portalId, field: CLOSE_KEY_FIELD });
}

/** What Close's names may stand for here: sequences of the same name, users of the same address; and who is active. */
export async function guessChoices(pool: Pool, portalId: PortalId, facts: CloseFacts): Promise<CloseChoices> {
  const { rows: sequences } = await pool.query<{ name: string; id: string }>(
    `SELECT name, min(sequence_id) AS id FROM sequences WHERE portal_id = $1 AND is_listed AND name = ANY ($2)
      GROUP BY name HAVING count(*) = 1`,
    [portalId, facts.sequences.map(({ name }) => name)],
  );
  const { rows: users } = await pool.query<{ email: string; id: string }>(
    `SELECT lower(email) AS email, min(user_id)::text AS id FROM users
      WHERE portal_id = $1 AND is_listed AND lower(email) = ANY ($2) GROUP BY 1`,
    [portalId, facts.senders.map(({ email }) => email)],
  );
  const byName = new Map(sequences.map(({ name, id }) => [name, id]));
  const mapped = facts.sequences.flatMap(({ id, name }) => {
    const found = byName.get(name);
    return found === undefined ? [] : [[id, found] as const];
  });
  return {
    statuses: ["active"],
    sequences: Object.fromEntries(mapped),
    senders: Object.fromEntries(users.map(({ email, id }) => [email, id])),
  };
}
