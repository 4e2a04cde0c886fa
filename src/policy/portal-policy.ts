import type { Pool } from "pg";
import { bringUpToDate, PolicyMemory, type KeptRow, type StampedRow } from "./policy-memory.js";
import type { Preset, PresetRow } from "./stored-preset.js";
import { DEFAULT_DAILY_CAP, type SenderPolicy } from "./sender-policy.js";
import type { SenderRow } from "./sender-row.js";
import type { WheelMember } from "./weighted-rotation.js";

/** Senders who take turns. */
export interface Rotation {
  readonly rotationId: string;
  readonly name: string;
  readonly keepsSender: boolean;
  readonly members: readonly WheelMember[];
}

/** All an admin decided about enrolling in one portal, as it stood when it was read. */
export interface PortalPolicy {
  readonly portalId: bigint;
  /** By the database's clock. */
  readonly readAt: Date;
  readonly isPaused: boolean;
  /** IANA name; UTC where HubSpot has not told it yet. */
  readonly timeZone: string;
  readonly defaultSenderUserId: bigint | undefined;
  readonly onlyListedSenders: boolean;
  /** Those with settings of their own; for all others see {@link senderPolicy}. */
  readonly senders: ReadonlyMap<bigint, SenderPolicy>;
  readonly rotations: KnownRotations;
  readonly presets: ReadonlyMap<string, Preset>;
}

/** Rotations as read earlier, each with its stamp. */
export type KnownRotations = ReadonlyMap<string, Rotation & KeptRow>;

interface RotationRow {
  rotation_id: string;
  stamp: string;
  name: string;
  keeps_sender: boolean;
  /** Null if the reader knows the rotation with this stamp. */
  members: { user_id: string; weight: number; current_weight: number; picks: number }[] | null;
}

interface PolicyRow {
  read_at: Date;
  is_paused: boolean;
  time_zone: string | null;
  default_sender_user_id: string | null;
  only_listed_senders: boolean;
  senders: StampedRow<SenderRow>[];
  rotations: RotationRow[];
  presets: StampedRow<PresetRow>[];
}

/**
 * One statement, so that what it returns belongs together. Ids as text: JSON's numbers are too small for them.
 *
 * Only rows that changed since they were last read are sent: `xmin`, the transaction that wrote a row, is another after each
 * change, by whomever. With its members an admin's change of a rotation writes the rotation itself.
 */
const READ = `
  SELECT now() AS read_at, coalesce(s.paused_at IS NOT NULL, false) AS is_paused, p.time_zone, s.default_sender_user_id,
         coalesce(s.only_listed_senders, false) AS only_listed_senders,
         (SELECT coalesce(json_agg(json_build_object('id', row.user_id::text, 'stamp', row.xmin::text, 'row',
                   CASE WHEN known.id IS NULL THEN to_jsonb(row) || jsonb_build_object('user_id', row.user_id::text) END)), '[]')
            FROM senders row LEFT JOIN unnest($2::bigint[], $3::text[]) AS known (id, stamp)
              ON known.id = row.user_id AND known.stamp = row.xmin::text
           WHERE row.portal_id = $1) AS senders,
         (SELECT coalesce(json_agg(json_build_object(
                   'rotation_id', r.rotation_id::text, 'stamp', r.xmin::text, 'name', r.name, 'keeps_sender', r.keeps_sender,
                   'members', CASE WHEN known.id IS NULL THEN (SELECT coalesce(json_agg(json_build_object('user_id', m.user_id::text, 'weight', m.weight,
                             'current_weight', m.current_weight, 'picks', m.picks) ORDER BY m.user_id), '[]')
                      FROM rotation_members m WHERE m.portal_id = r.portal_id AND m.rotation_id = r.rotation_id) END)), '[]')
            FROM rotations r LEFT JOIN unnest($6::bigint[], $7::text[]) AS known (id, stamp)
              ON known.id = r.rotation_id AND known.stamp = r.xmin::text
           WHERE r.portal_id = $1) AS rotations,
         (SELECT coalesce(json_agg(json_build_object('id', t.preset_id::text, 'stamp', t.xmin::text, 'row',
                   CASE WHEN known.id IS NULL THEN json_build_object('preset_id', t.preset_id::text, 'name', t.name,
                     'policy', t.policy, 'is_default', t.is_default) END)), '[]')
            FROM presets t LEFT JOIN unnest($4::bigint[], $5::text[]) AS known (id, stamp)
              ON known.id = t.preset_id AND known.stamp = t.xmin::text
           WHERE t.portal_id = $1) AS presets
    FROM (SELECT $1::bigint AS portal_id) AS asked
    LEFT JOIN portals p USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)`;

function toRotation(row: RotationRow, known: KnownRotations): Rotation & KeptRow {
  if (row.members === null) {
    const rotation = known.get(row.rotation_id);
    if (rotation === undefined) throw new Error(`rotation ${row.rotation_id} was not sent, and is not known`);
    return rotation;
  }
  const members = row.members.map((member) => ({
    userId: BigInt(member.user_id),
    weight: member.weight,
    currentWeight: member.current_weight,
    picks: member.picks,
  }));
  const { rotation_id: rotationId, name, keeps_sender: keepsSender, stamp } = row;
  return { rotationId, name, keepsSender, members, stamp };
}

/** As array literals: all are numbers, and the driver would escape each of thousands. */
function stampsOf(kept: ReadonlyMap<string, KeptRow>): [ids: string, stamps: string] {
  const stamps = [...kept.values()].map(({ stamp }) => stamp);
  return [`{${[...kept.keys()].join()}}`, `{${stamps.join()}}`];
}

/** What the reader of a portal's policy knows of it. */
export interface Known {
  /**
   * What earlier reads brought: rows that have not changed since are neither sent nor parsed again, and are the same
   * objects. It is brought up to date.
   */
  readonly memory?: PolicyMemory;
  /** Rotations that the reader turns itself: whose turn it is by them is not read again. */
  readonly rotations?: KnownRotations | undefined;
}

/** Reads what applies in a portal now, in one statement. */
export async function readPortalPolicy(
  pool: Pool,
  portalId: bigint,
  { memory = new PolicyMemory(), rotations = new Map() }: Known = {},
): Promise<PortalPolicy> {
  const { known } = memory;
  const { rows } = await pool.query<PolicyRow>({
    name: "read-portal-policy",
    text: READ,
    values: [portalId, ...stampsOf(known.senders), ...stampsOf(known.presets), ...stampsOf(rotations)],
  });
  const row = rows[0] as PolicyRow;
  const timeZone = row.time_zone ?? "utc";
  const defaults = { isAllowed: !row.only_listed_senders, timeZone };
  memory.known = bringUpToDate(known, row, defaults);
  const senders = [...memory.known.senders.values()].map(({ sender }) => sender);
  return {
    portalId,
    readAt: row.read_at,
    isPaused: row.is_paused,
    timeZone,
    defaultSenderUserId: row.default_sender_user_id === null ? undefined : BigInt(row.default_sender_user_id),
    onlyListedSenders: row.only_listed_senders,
    senders: new Map(senders.map((sender) => [sender.userId, sender])),
    rotations: new Map(row.rotations.map((each) => [each.rotation_id, toRotation(each, rotations)] as const)),
    presets: memory.known.presets,
  };
}

/** What applies to a user as a sender, with the defaults for one whom no admin and no refusal has touched. */
export function senderPolicy(portal: PortalPolicy, userId: bigint): SenderPolicy {
  return (
    portal.senders.get(userId) ?? {
      userId,
      isAllowed: !portal.onlyListedSenders,
      sendAsEmail: null,
      senderAlias: null,
      dailyCap: DEFAULT_DAILY_CAP,
      window: undefined,
      away: [],
      timeZone: portal.timeZone,
      refusal: undefined,
      limitedUntil: undefined,
    }
  );
}
