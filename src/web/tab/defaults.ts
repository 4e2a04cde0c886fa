import { z } from "zod";
import type { Pool, PoolClient } from "pg";
import type { Database } from "#platform/db/client.js";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import { findActivePerson, fullLabel, listActivePeople } from "#domain/directory/people.js";
import { LOCK_DEFAULTS } from "#domain/policy/lock-defaults.js";
import type { Asker } from "./asker.js";

const id = z.string().regex(/^[1-9]\d{0,17}$/);
const option = z.object({ value: z.string(), label: z.string() });

/** The two defaults and what they can be set to. Fields are added, never renamed. */
export const defaultsAnswer = z.object({
  /** Opaque; goes back with the change. */
  version: z.string(),
  senderUserId: id.nullable(),
  presetId: id.nullable(),
  senders: z.array(option),
  /** There are more people than are listed; the settings site lists more of them. */
  isSendersCut: z.boolean(),
  presets: z.array(option),
});

export type DefaultsAnswer = z.output<typeof defaultsAnswer>;

/** What the tab sends. A portal named in it is not looked at: there is no such member. */
export const defaultsChange = z.object({
  version: z.string().max(60),
  senderUserId: id.nullable(),
  presetId: id.nullable(),
});

export type DefaultsChange = z.output<typeof defaultsChange>;

interface Defaults {
  version: string;
  senderUserId: string | null;
  presetId: string | null;
}

interface Row {
  version: number;
  sender_user_id: string | null;
  preset_id: string | null;
}

/** The version covers both halves: the settings row counts its saves, the default preset is named by its id. */
async function findDefaults(db: Pool | PoolClient, portalId: bigint): Promise<Defaults> {
  const { rows } = await db.query<Row>(
    `SELECT coalesce(s.version, 0) AS version, s.default_sender_user_id::text AS sender_user_id,
       (SELECT preset_id::text FROM presets WHERE portal_id = p.portal_id AND is_default) AS preset_id
     FROM portals p LEFT JOIN portal_settings s USING (portal_id) WHERE p.portal_id = $1`,
    [portalId],
  );
  const { version = 0, sender_user_id = null, preset_id = null } = rows[0] ?? {};
  return {
    version: `${version}.${preset_id ?? ""}`,
    senderUserId: sender_user_id,
    presetId: preset_id,
  };
}

export async function readDefaults(
  { pool }: Pick<Database, "pool">,
  portalId: bigint,
): Promise<DefaultsAnswer> {
  const defaults = await findDefaults(pool, portalId);
  const named = defaults.senderUserId === null ? [] : [BigInt(defaults.senderUserId)];
  const [senders, presets] = await Promise.all([
    listActivePeople(pool, portalId, named),
    pool.query<{ value: string; label: string }>(
      "SELECT preset_id::text AS value, name AS label FROM presets WHERE portal_id = $1 ORDER BY lower(name), preset_id LIMIT 500",
      [portalId],
    ),
  ]);
  return defaultsAnswer.parse({
    ...defaults,
    senders: senders.people.map((person) => ({ value: String(person.userId), label: fullLabel(person) })),
    isSendersCut: senders.isCut,
    presets: presets.rows,
  });
}

export type SaveDefaultsOutcome = "saved" | "unknown-sender" | "unknown-preset" | "changed-meanwhile";

/**
 * Sets both defaults and notes who did it. Saving what is already so changes nothing and succeeds, whatever the version:
 * HubSpot's proxy repeats a request whose answer was lost (docs/hubspot.md §8.2).
 */
export async function saveDefaults(
  { pool }: Pick<Database, "pool">,
  { portalId, userId, userEmail }: Asker,
  change: DefaultsChange,
): Promise<SaveDefaultsOutcome> {
  if (!(await isSender(pool, portalId, change.senderUserId))) return "unknown-sender";
  return inTransaction(pool, async (client): Promise<SaveDefaultsOutcome> => {
    for (const statement of LOCK_DEFAULTS) await client.query(statement, [portalId]);
    const before = await findDefaults(client, portalId);
    if (isSame(before, change)) return "saved";
    if (before.version !== change.version) return "changed-meanwhile";
    if (!(await hasPreset(client, portalId, change.presetId))) return "unknown-preset";
    await setDefaultPreset(client, portalId, change.presetId);
    await client.query(
      `UPDATE portal_settings SET default_sender_user_id = $2, version = version + 1, updated_at = now()
       WHERE portal_id = $1`,
      [portalId, change.senderUserId],
    );
    await recordChange(client, {
      by: { portalId, userId, userEmail: userEmail ?? null },
      subject: "portal",
      subjectName: "Default sender and preset",
      action: "CHANGED",
      before: auditOf(before),
      after: auditOf(change),
    });
    return "saved";
  });
}

async function isSender(pool: Pool, portalId: bigint, userId: string | null): Promise<boolean> {
  if (userId === null) return true;
  return (await findActivePerson(pool, portalId, BigInt(userId))) !== undefined;
}

async function hasPreset(client: PoolClient, portalId: bigint, presetId: string | null): Promise<boolean> {
  if (presetId === null) return true;
  const { rowCount } = await client.query("SELECT FROM presets WHERE portal_id = $1 AND preset_id = $2", [
    portalId,
    presetId,
  ]);
  return rowCount === 1;
}

/**
 * Null takes the default away. The old one goes first: a portal has one at most. Versions stay: no form of a preset holds
 * whether it is the default.
 */
async function setDefaultPreset(
  client: PoolClient,
  portalId: bigint,
  presetId: string | null,
): Promise<void> {
  await client.query(
    `UPDATE presets SET is_default = false, updated_at = now()
     WHERE portal_id = $1 AND is_default AND preset_id IS DISTINCT FROM $2`,
    [portalId, presetId],
  );
  if (presetId === null) return;
  await client.query(
    `UPDATE presets SET is_default = true, updated_at = now() WHERE portal_id = $1 AND preset_id = $2`,
    [portalId, presetId],
  );
}

function isSame(one: Omit<Defaults, "version">, other: Omit<Defaults, "version">): boolean {
  return one.senderUserId === other.senderUserId && one.presetId === other.presetId;
}

function auditOf({ senderUserId, presetId }: Omit<Defaults, "version">): Record<string, unknown> {
  return { senderUserId, presetId };
}
