import type { Pool } from "pg";
import {
  bringUpToDate,
  PolicyMemory,
  withChanges,
  type Changes,
  type KeptRow,
  type KnownPolicy,
} from "./stored/policy-memory.js";
import type { Preset, PresetRow } from "./stored/stored-preset.js";
import { DEFAULT_DAILY_CAP, type SenderPolicy } from "#domain/contract/sender-policy.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import type { SenderRow } from "./stored/sender-row.js";
import type { WheelMember } from "./weighted-rotation.js";

/** Senders who take turns. */
export interface Rotation {
  readonly rotationId: string;
  readonly name: string;
  readonly keepsSender: boolean;
  readonly members: readonly WheelMember[];
}

/** Everything an admin decided about enrolling in one portal, as it was when read. */
export interface PortalPolicy {
  readonly portalId: PortalId;
  /** By the database's clock. */
  readonly readAt: Date;
  readonly isPaused: boolean;
  /** IANA name; UTC if HubSpot has not sent it yet. */
  readonly timeZone: string;
  readonly defaultSenderUserId: UserId | undefined;
  readonly onlyListedSenders: boolean;
  /** Users with settings of their own; for all others see {@link senderPolicy}. */
  readonly senders: ReadonlyMap<UserId, SenderPolicy>;
  /** Only the presets and rotations that were needed; a needed one that is missing does not exist. */
  readonly rotations: KnownRotations;
  readonly presets: ReadonlyMap<string, Preset>;
  readonly defaultPreset: Preset | undefined;
  readonly needs: Needs;
}

/** Ids of the presets and rotations that a reader needs: however many an account has, the others stay unread. */
export interface Needs {
  readonly presets: ReadonlySet<string>;
  readonly rotations: ReadonlySet<string>;
}

export const NEEDS_NOTHING: Needs = { presets: new Set(), rotations: new Set() };

/** Whether the policy was read for all of them. */
export function covers({ needs }: PortalPolicy, { presets, rotations }: Needs): boolean {
  const isIn = (known: ReadonlySet<string>) => (id: string) => known.has(id);
  return [...presets].every(isIn(needs.presets)) && [...rotations].every(isIn(needs.rotations));
}

/** Rotations as read earlier, each with its stamp. */
export type KnownRotations = ReadonlyMap<string, Rotation & KeptRow>;

interface RotationRow {
  rotation_id: string;
  name: string;
  keeps_sender: boolean;
  members: { user_id: string; weight: number; current_weight: number; picks: number }[];
}

interface PolicyRow {
  read_at: Date;
  is_paused: boolean;
  time_zone: string | null;
  default_sender_user_id: string | null;
  only_listed_senders: boolean;
  senders: Changes<SenderRow>;
  rotations: Changes<RotationRow>;
  presets: Changes<PresetRow>;
}

/** The maximum number of rows of a kind in one answer: parsing them blocks the event loop for some ten milliseconds. */
const SLICE = { senders: 1_000, rotations: 20, presets: 20 };

/** One kind of rows that changed, and the ids of known rows that are gone. */
const changesOf = (kind: {
  table: string;
  id: string;
  /** JSON of `row`. */
  row: string;
  isNeeded: string;
  known: string;
  most: number;
}): string => `
  json_build_object(
    'changed', (SELECT coalesce(json_agg(json_build_object('id', row.${kind.id}::text, 'stamp', row.xmin::text, 'row', ${kind.row})), '[]')
       FROM (SELECT row.*, row.xmin FROM ${kind.table} row LEFT JOIN unnest(${kind.known}) AS known (id, stamp)
                 ON known.id = row.${kind.id} AND known.stamp = row.xmin::text
              WHERE row.portal_id = $1 AND ${kind.isNeeded} AND known.id IS NULL ORDER BY row.${kind.id} LIMIT ${kind.most}) AS row),
    'gone', (SELECT coalesce(json_agg(known.id::text), '[]') FROM unnest(${kind.known}) AS known (id, stamp)
              WHERE NOT EXISTS (SELECT FROM ${kind.table} row WHERE row.portal_id = $1 AND row.${kind.id} = known.id)))`;

/**
 * One statement, so that its results are consistent. Ids are text: JSON's numbers are too small for them.
 *
 * Only rows that changed since they were last read are sent: `xmin`, the transaction that wrote a row, differs after
 * each change, whoever made it. When an admin changes a rotation's members, the rotation's own row is written too.
 */
const READ = `
  SELECT now() AS read_at, coalesce(s.paused_at IS NOT NULL, false) AS is_paused, p.time_zone, s.default_sender_user_id,
         coalesce(s.only_listed_senders, false) AS only_listed_senders,
         ${changesOf({
           table: "senders",
           id: "user_id",
           known: "$2::bigint[], $3::text[]",
           most: SLICE.senders,
           row: "to_jsonb(row) || jsonb_build_object('user_id', row.user_id::text)",
           isNeeded: "true",
         })} AS senders,
         ${changesOf({
           table: "presets",
           id: "preset_id",
           known: "$4::bigint[], $5::text[]",
           most: SLICE.presets,
           row: `json_build_object('preset_id', row.preset_id::text, 'name', row.name, 'policy', row.policy, 'is_default', row.is_default)`,
           isNeeded: "(row.is_default OR row.preset_id = ANY ($8::bigint[]))",
         })} AS presets,
         ${changesOf({
           table: "rotations",
           id: "rotation_id",
           known: "$6::bigint[], $7::text[]",
           most: SLICE.rotations,
           row: `json_build_object('rotation_id', row.rotation_id::text, 'name', row.name, 'keeps_sender', row.keeps_sender,
             'members', (SELECT coalesce(json_agg(json_build_object('user_id', m.user_id::text, 'weight', m.weight,
                 'current_weight', m.current_weight, 'picks', m.picks) ORDER BY m.user_id), '[]')
               FROM rotation_members m WHERE m.portal_id = row.portal_id AND m.rotation_id = row.rotation_id))`,
           isNeeded: "row.rotation_id = ANY ($9::bigint[])",
         })} AS rotations
    FROM (SELECT $1::bigint AS portal_id) AS asked
    LEFT JOIN portals p USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)`;

function toRotation(row: RotationRow, stamp: string): Rotation & KeptRow {
  const members = row.members.map((member) => ({
    userId: BigInt(member.user_id),
    weight: member.weight,
    currentWeight: member.current_weight,
    picks: member.picks,
  }));
  const { rotation_id: rotationId, name, keeps_sender: keepsSender } = row;
  return { rotationId, name, keepsSender, members, stamp };
}

/** As array literals: all values are numbers, and the driver would escape each of thousands. */
function stampsOf(kept: ReadonlyMap<string, KeptRow>): [ids: string, stamps: string] {
  const stamps = [...kept.values()].map(({ stamp }) => stamp);
  return [`{${[...kept.keys()].join()}}`, `{${stamps.join()}}`];
}

/** What the reader of a portal's policy already knows. */
export interface Known {
  /**
   * What earlier reads returned: unchanged rows are neither sent nor parsed again, and stay the same objects. Updated
   * in place.
   */
  readonly memory?: PolicyMemory;
  /** Rotations that the reader itself advances: their positions are not read again. */
  readonly rotations?: KnownRotations | undefined;
  readonly needs?: Needs | undefined;
}

/** One slice, and whether there is more that the reader does not know. */
async function readSlice(
  pool: Pool,
  portalId: PortalId,
  { known, rotations, needs }: { known: KnownPolicy; rotations: KnownRotations; needs: Needs },
): Promise<PolicyRow & { isMore: boolean }> {
  const { rows } = await pool.query<PolicyRow>({
    name: "read-portal-policy",
    text: READ,
    values: [
      portalId,
      ...stampsOf(known.senders),
      ...stampsOf(known.presets),
      ...stampsOf(rotations),
      // A known row is sent again once it has changed.
      `{${[...new Set([...known.presets.keys(), ...needs.presets])].join()}}`,
      `{${[...needs.rotations].join()}}`,
    ],
  });
  const row = rows[0] as PolicyRow;
  const { senders, presets } = row;
  const isMore =
    senders.changed.length === SLICE.senders ||
    presets.changed.length === SLICE.presets ||
    row.rotations.changed.length === SLICE.rotations;
  return { ...row, isMore };
}

/**
 * Reads what applies in a portal now. One statement is enough if the reader knows most of it; otherwise several each
 * return a slice of what is not known yet. The result is consistent as of the last of them.
 */
export async function readPortalPolicy(
  pool: Pool,
  portalId: PortalId,
  { memory = new PolicyMemory(), rotations: knownRotations = new Map(), needs = NEEDS_NOTHING }: Known = {},
): Promise<PortalPolicy> {
  let { known } = memory;
  let rotations = knownRotations;
  for (;;) {
    const row = await readSlice(pool, portalId, { known, rotations, needs });
    const timeZone = row.time_zone ?? "utc";
    known = bringUpToDate(known, row, { isAllowed: !row.only_listed_senders, timeZone });
    rotations = withChanges(rotations, row.rotations, (read) => toRotation(read.row, read.stamp));
    memory.known = known;
    if (row.isMore) continue;
    const { senderOf: senders, presets } = known;
    const defaultSender = row.default_sender_user_id;
    return {
      portalId,
      readAt: row.read_at,
      isPaused: row.is_paused,
      timeZone,
      defaultSenderUserId: defaultSender === null ? undefined : BigInt(defaultSender),
      onlyListedSenders: row.only_listed_senders,
      senders,
      rotations,
      presets,
      needs: { presets: new Set([...presets.keys(), ...needs.presets]), rotations: needs.rotations },
      defaultPreset: [...presets.values()].find(({ isDefault }) => isDefault),
    };
  }
}

/** What applies to a user as a sender, with the defaults for a user without settings or refusals. */
export function senderPolicy(portal: PortalPolicy, userId: UserId): SenderPolicy {
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
