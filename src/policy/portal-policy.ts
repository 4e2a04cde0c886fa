import type { Pool } from "pg";
import { policySchema, type Policy } from "./policy.js";
import { DEFAULT_DAILY_CAP, type AwayDates, type SenderPolicy, type SenderRefusal } from "./sender-policy.js";
import type { WheelMember } from "./weighted-rotation.js";

/** Senders who take turns. */
export interface Rotation {
  readonly rotationId: string;
  readonly name: string;
  readonly keepsSender: boolean;
  readonly members: readonly WheelMember[];
}

/** A preset; `policy` is undefined where what is stored cannot be read. */
export interface Preset {
  readonly presetId: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly policy: Policy | undefined;
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
  readonly rotations: ReadonlyMap<string, Rotation>;
  readonly presets: ReadonlyMap<string, Preset>;
}

interface SenderRow {
  user_id: string;
  is_allowed: boolean | null;
  send_as_email: string | null;
  sender_alias: string | null;
  daily_cap: number | null;
  window_days: number[] | null;
  window_start_minute: number | null;
  window_end_minute: number | null;
  time_zone: string | null;
  away: unknown;
  refused_code: string | null;
  refused_message: string | null;
  refused_at: string | null;
  limited_until: string | null;
}

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
  senders: SenderRow[];
  rotations: RotationRow[];
  presets: { preset_id: string; name: string; policy: unknown; is_default: boolean }[];
}

/** One statement, so that what it returns belongs together. Ids as text: JSON's numbers are too small for them. */
const READ = `
  SELECT now() AS read_at, coalesce(s.paused_at IS NOT NULL, false) AS is_paused, p.time_zone, s.default_sender_user_id,
         coalesce(s.only_listed_senders, false) AS only_listed_senders,
         (SELECT coalesce(json_agg(to_jsonb(row) || jsonb_build_object('user_id', row.user_id::text)), '[]')
            FROM senders row WHERE row.portal_id = $1) AS senders,
         (SELECT coalesce(json_agg(json_build_object(
                   'rotation_id', r.rotation_id::text, 'name', r.name, 'keeps_sender', r.keeps_sender, 'members',
                   (SELECT coalesce(json_agg(json_build_object('user_id', m.user_id::text, 'weight', m.weight,
                             'current_weight', m.current_weight, 'picks', m.picks) ORDER BY m.user_id), '[]')
                      FROM rotation_members m WHERE m.portal_id = r.portal_id AND m.rotation_id = r.rotation_id))), '[]')
            FROM rotations r WHERE r.portal_id = $1) AS rotations,
         (SELECT coalesce(json_agg(json_build_object('preset_id', t.preset_id::text, 'name', t.name, 'policy', t.policy,
                   'is_default', t.is_default)), '[]')
            FROM presets t WHERE t.portal_id = $1) AS presets
    FROM (SELECT $1::bigint AS portal_id) AS asked
    LEFT JOIN portals p USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)`;

function isAwayDates(entry: unknown): entry is AwayDates {
  const { from, to } = (entry ?? {}) as Partial<Record<keyof AwayDates, unknown>>;
  return typeof from === "string" && typeof to === "string";
}

function refusalOf(row: SenderRow): SenderRefusal | undefined {
  const { refused_code: code, refused_at: at } = row;
  if (at === null || (code !== "INBOX_NOT_CONNECTED" && code !== "SENDER_NOT_PERMITTED")) return undefined;
  return { code, message: row.refused_message, at: new Date(at) };
}

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

function toSender(row: SenderRow, defaults: { isAllowed: boolean; timeZone: string }): SenderPolicy {
  const { window_days: days, window_start_minute: startMinute, window_end_minute: endMinute } = row;
  const hasDays = days !== null && days.length > 0;
  const isAllDay = startMinute === null || endMinute === null;
  return {
    userId: BigInt(row.user_id),
    isAllowed: row.is_allowed ?? defaults.isAllowed,
    sendAsEmail: row.send_as_email,
    senderAlias: row.sender_alias,
    dailyCap: row.daily_cap ?? DEFAULT_DAILY_CAP,
    window:
      isAllDay && !hasDays
        ? undefined
        : {
            days: hasDays ? days : EVERY_DAY,
            startMinute: isAllDay ? 0 : startMinute,
            endMinute: isAllDay ? 1_440 : endMinute,
          },
    away: Array.isArray(row.away) ? row.away.filter(isAwayDates) : [],
    timeZone: row.time_zone ?? defaults.timeZone,
    refusal: refusalOf(row),
    limitedUntil: row.limited_until === null ? undefined : new Date(row.limited_until),
  };
}

function toRotation(row: RotationRow): Rotation {
  const members = row.members.map((member) => ({
    userId: BigInt(member.user_id),
    weight: member.weight,
    currentWeight: member.current_weight,
    picks: member.picks,
  }));
  return { rotationId: row.rotation_id, name: row.name, keepsSender: row.keeps_sender, members };
}

/** Reads what applies in a portal now, in one statement. */
export async function readPortalPolicy(pool: Pool, portalId: bigint): Promise<PortalPolicy> {
  const { rows } = await pool.query<PolicyRow>({
    name: "read-portal-policy",
    text: READ,
    values: [portalId],
  });
  const row = rows[0] as PolicyRow;
  const timeZone = row.time_zone ?? "utc";
  const defaults = { isAllowed: !row.only_listed_senders, timeZone };
  const senders = row.senders.map((sender) => toSender(sender, defaults));
  const presets = row.presets.map((preset): Preset => ({
    presetId: preset.preset_id,
    name: preset.name,
    isDefault: preset.is_default,
    policy: policySchema.safeParse(preset.policy).data,
  }));
  return {
    portalId,
    readAt: row.read_at,
    isPaused: row.is_paused,
    timeZone,
    defaultSenderUserId: row.default_sender_user_id === null ? undefined : BigInt(row.default_sender_user_id),
    onlyListedSenders: row.only_listed_senders,
    senders: new Map(senders.map((sender) => [sender.userId, sender])),
    rotations: new Map(row.rotations.map(toRotation).map((rotation) => [rotation.rotationId, rotation])),
    presets: new Map(presets.map((preset) => [preset.presetId, preset])),
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
