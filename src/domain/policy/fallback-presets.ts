import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Actor } from "#domain/contract/actor.js";
import { findPreset, savePreset } from "./preset-store.js";

/** A preset for whose contacts nobody takes over if their sender cannot send. */
export interface UnsupportedPreset {
  readonly presetId: bigint;
  readonly name: string;
  readonly version: number;
}

/** Named on a page; an account with more sets the rest on each preset's own page. */
const MOST = 20;

/** Presets that never come to the default sender: neither as the sender nor as the fallback. */
export async function listWithoutDefaultSender(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<UnsupportedPreset[]> {
  const { rows } = await pool.query<{ preset_id: string; name: string; version: number }>({
    name: "presets-without-default-sender",
    text: `SELECT preset_id::text AS preset_id, name, version FROM presets
            WHERE portal_id = $1 AND policy #>> '{sender,mode}' <> 'default_sender'
              AND policy #>> '{fallback,toDefaultSender}' = 'false'
            ORDER BY name, preset_id LIMIT ${MOST}`,
    values: [portalId],
  });
  return rows.map(({ preset_id, name, version }) => ({ presetId: BigInt(preset_id), name, version }));
}

/** Presets by which the default sender sends, as the sender or as the fallback. */
export async function listWithDefaultSender(
  { pool }: Pick<Database, "pool">,
  portalId: PortalId,
): Promise<Pick<UnsupportedPreset, "presetId" | "name">[]> {
  const { rows } = await pool.query<{ preset_id: string; name: string }>({
    name: "presets-with-default-sender",
    text: `SELECT preset_id::text AS preset_id, name FROM presets
            WHERE portal_id = $1 AND (policy #>> '{sender,mode}' = 'default_sender'
               OR policy #>> '{fallback,toDefaultSender}' = 'true')
            ORDER BY name, preset_id LIMIT ${MOST}`,
    values: [portalId],
  });
  return rows.map(({ preset_id, name }) => ({ presetId: BigInt(preset_id), name }));
}

/**
 * Lets the default sender take over in each of the presets, as their own forms would; each change gets its audit entry.
 *
 * @returns names of presets that were left as they are, because another admin saved or deleted them since they were
 *   shown.
 */
export async function addDefaultSenderTo(
  database: Database,
  actor: Actor,
  shown: readonly Pick<UnsupportedPreset, "presetId" | "version">[],
): Promise<string[]> {
  const left: string[] = [];
  for (const { presetId, version } of shown) {
    const preset = await findPreset(database, actor.portalId, presetId);
    if (preset === undefined) continue;
    const { name, policy } = preset;
    const fallback = { ...policy.fallback, toDefaultSender: true };
    const change = { draft: { name, policy: { ...policy, fallback } }, saved: { presetId, version } };
    const outcome = await savePreset(database, actor, change);
    if (outcome.kind !== "saved") left.push(name);
  }
  return left;
}
