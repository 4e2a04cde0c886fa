import type { Pool } from "pg";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** A rotation that a sender is in. */
export interface RotationPlace {
  readonly rotationId: string;
  readonly name: string;
  readonly weight: number;
  readonly totalWeight: number;
}

/** Where the account's settings name a sender. */
export interface SenderPlaces {
  readonly rotations: readonly RotationPlace[];
  readonly presets: readonly { readonly presetId: string; readonly name: string }[];
  readonly isDefaultSender: boolean;
}

/** More than a page can show of either. */
const MOST = 50;

export async function readSenderPlaces(
  pool: Pool,
  portalId: PortalId,
  userId: UserId,
): Promise<SenderPlaces> {
  const [rotations, presets, settings] = await Promise.all([
    pool.query<{ rotation_id: string; name: string; weight: number; total: number }>({
      name: "sender-rotations",
      text: `SELECT r.rotation_id::text AS rotation_id, r.name, m.weight,
                    (SELECT sum(all_of.weight)::int FROM rotation_members all_of
                      WHERE all_of.portal_id = $1 AND all_of.rotation_id = r.rotation_id) AS total
               FROM rotation_members m JOIN rotations r ON r.portal_id = m.portal_id AND r.rotation_id = m.rotation_id
              WHERE m.portal_id = $1 AND m.user_id = $2 ORDER BY r.name, r.rotation_id LIMIT ${MOST}`,
      values: [portalId, userId],
    }),
    pool.query<{ preset_id: string; name: string }>({
      name: "sender-presets",
      text: `SELECT preset_id::text AS preset_id, name FROM presets
              WHERE portal_id = $1 AND policy #>> '{sender,mode}' = 'specific_user' AND policy #>> '{sender,userId}' = $2::text
              ORDER BY name, preset_id LIMIT ${MOST}`,
      values: [portalId, userId],
    }),
    pool.query<{ is_default: boolean }>({
      name: "sender-is-default",
      text: `SELECT default_sender_user_id = $2 AS is_default FROM portal_settings WHERE portal_id = $1`,
      values: [portalId, userId],
    }),
  ]);
  return {
    rotations: rotations.rows.map(({ rotation_id, name, weight, total }) => ({
      rotationId: rotation_id,
      name,
      weight,
      totalWeight: total,
    })),
    presets: presets.rows.map(({ preset_id, name }) => ({ presetId: preset_id, name })),
    isDefaultSender: settings.rows[0]?.is_default === true,
  };
}
