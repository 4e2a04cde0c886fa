import type { Pool } from "pg";
import { z } from "zod";
import { DEFAULT_DAILY_CAP, type AwayDates } from "#domain/contract/sender-policy.js";
import { LONGEST_LABEL, peopleOf } from "#domain/directory/people.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";

/** When someone sends: minutes after midnight, and days from 1 Monday to 7 Sunday; empty: every day. */
export interface SendingHours {
  readonly days: readonly number[];
  readonly startMinute: number | null;
  readonly endMinute: number | null;
}

/** A user of the portal in the list of senders. */
export interface SenderItem {
  userId: UserId;
  label: string;
  email: string | null;
  /** Seats by HubSpot's names, where the user list is granted; sending needs a Sales or Service seat. */
  seatNames: readonly string[];
  isActive: boolean;
  /** As an admin marked them; null: as the portal's policy says. */
  isAllowed: boolean | null;
  sendAsEmail: string | null;
  dailyCap: number;
  /** Enrollments in the last 24 hours. */
  sentLastDay: number;
  /** When the next of their places comes free; null if none is taken. */
  placeFreeAt: Date | null;
  hours: SendingHours;
  away: readonly AwayDates[];
  /** Of hours and time off; null: the account's. */
  timeZone: string | null;
  refusedCode: string | null;
  limitedUntil: Date | null;
  /** 0 if no admin saved them yet. */
  version: number;
}

export interface SenderFilter {
  /** Any part of name or address. */
  search: string;
  /** Only those whom HubSpot refused, or who are at their limit. */
  onlyTroubled: boolean;
  /** By name, by how much they sent in the last 24 hours (most first), or by status: those who can't send first. */
  sort: "name" | "sent" | "status";
  /** From 1. */
  page: number;
}

export interface SenderListPage {
  items: SenderItem[];
  total: number;
  page: number;
  pageCount: number;
}

export const SENDERS_PER_PAGE = 50;

/** Active people, and deactivated ones about whom something is stored. */
const SENDERS = `
  SELECT person.*, s.is_allowed, s.send_as_email, coalesce(s.daily_cap, ${DEFAULT_DAILY_CAP}) AS daily_cap,
         coalesce(s.window_days, '{}') AS window_days, s.window_start_minute, s.window_end_minute, s.time_zone,
         coalesce(s.away, '[]') AS away,
         coalesce(s.version, 0) AS version, s.refused_code, CASE WHEN s.limited_until > now() THEN s.limited_until END AS limited_until
    FROM (${peopleOf()}) AS person
    LEFT JOIN senders s ON s.portal_id = $1 AND s.user_id = person.user_id
   WHERE person.is_active OR s.user_id IS NOT NULL`;

const IS_TROUBLED = `(refused_code IS NOT NULL OR limited_until IS NOT NULL)`;

const LAST_DAY = `
  LEFT JOIN LATERAL (
    SELECT count(*)::int AS sent, min(e.enrolled_at) + interval '24 hours' AS place_free_at FROM executions e
     WHERE e.portal_id = $1 AND e.sender_user_id = sender.user_id AND e.enrollment_status = 'ENROLLED'
       AND e.enrolled_at > now() - interval '24 hours'
  ) AS day ON true`;

/** Whom somebody has to do something about first, then who waits, then who sends, the inactive last. */
const BY_STATUS = `
  CASE WHEN NOT is_active THEN 5
       WHEN NOT coalesce(is_allowed, NOT coalesce((SELECT only_listed_senders FROM portal_settings WHERE portal_id = $1), false)) THEN 1
       WHEN refused_code IS NOT NULL THEN 0
       WHEN limited_until IS NOT NULL OR day.sent >= daily_cap THEN 2
       WHEN EXISTS (SELECT FROM jsonb_to_recordset(away) AS absence("from" text, "to" text)
                     WHERE to_char(now() AT TIME ZONE coalesce(time_zone, (SELECT p.time_zone FROM portals p WHERE p.portal_id = $1), 'utc'), 'YYYY-MM-DD')
                           BETWEEN absence."from" AND absence."to") THEN 3
       ELSE 4 END`;

interface Row {
  user_id: string;
  label: string;
  email: string | null;
  seat_names: string[];
  is_active: boolean;
  is_allowed: boolean | null;
  send_as_email: string | null;
  daily_cap: number;
  window_days: number[];
  window_start_minute: number | null;
  window_end_minute: number | null;
  time_zone: string | null;
  away: unknown;
  refused_code: string | null;
  limited_until: Date | null;
  version: number;
  sent: number;
  place_free_at: Date | null;
  total: number;
}

/** A page of senders by name. A page past the last one is the last one. */
export async function listSenders(
  pool: Pool,
  portalId: PortalId,
  filter: SenderFilter,
): Promise<SenderListPage> {
  const wanted = [
    portalId,
    filter.search === "" ? null : `%${filter.search.replace(/[\\%_]/g, (wildcard) => `\\${wildcard}`)}%`,
    filter.onlyTroubled,
  ];
  const matching = `(${SENDERS}) AS sender
     WHERE ($2::text IS NULL OR label ILIKE $2 OR email ILIKE $2)
       AND (NOT $3::boolean OR ${IS_TROUBLED})`;
  const counted = await pool.query<{ total: number }>(
    `SELECT count(*)::int AS total FROM ${matching}`,
    wanted,
  );
  const total = counted.rows[0]?.total ?? 0;
  const pageCount = Math.max(1, Math.ceil(total / SENDERS_PER_PAGE));
  const page = Math.min(filter.page, pageCount);
  const byName = `lower(label) COLLATE "C", user_id`;
  const part = "LIMIT $4 OFFSET $5";
  const first = { sent: "day.sent DESC, ", status: `${BY_STATUS}, `, name: "" }[filter.sort];
  const { rows } = await pool.query<Row>(
    first !== ""
      ? `SELECT sender.*, day.* FROM (SELECT * FROM ${matching}) AS sender ${LAST_DAY} ORDER BY ${first}${byName} ${part}`
      : `SELECT sender.*, day.* FROM (SELECT * FROM ${matching} ORDER BY ${byName} ${part}) AS sender ${LAST_DAY} ORDER BY ${byName}`,
    [...wanted, SENDERS_PER_PAGE, (page - 1) * SENDERS_PER_PAGE],
  );
  return { items: rows.map(toItem), total, page, pageCount };
}

/** How many the list of those with problems holds. */
export async function countTroubledSenders(pool: Pool, portalId: PortalId): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (${SENDERS}) AS sender WHERE ${IS_TROUBLED}`,
    [portalId],
  );
  return rows[0]?.count ?? 0;
}

/** One user of the portal; undefined if it has none with this id. */
export async function findSenderItem(
  pool: Pool,
  portalId: PortalId,
  userId: UserId,
): Promise<SenderItem | undefined> {
  const { rows } = await pool.query<Row>(
    `SELECT sender.*, day.* FROM (${SENDERS}) AS sender ${LAST_DAY} WHERE sender.user_id = $2`,
    [portalId, userId],
  );
  return rows[0] && toItem(rows[0]);
}

/** Some users of the portal by id; ids that it does not have are left out. */
export async function findSenderItems(
  pool: Pool,
  portalId: PortalId,
  userIds: readonly UserId[],
): Promise<ReadonlyMap<string, SenderItem>> {
  if (userIds.length === 0) return new Map();
  const { rows } = await pool.query<Row>(
    `SELECT sender.*, day.* FROM (${SENDERS}) AS sender ${LAST_DAY} WHERE sender.user_id = ANY ($2::bigint[])`,
    [portalId, userIds],
  );
  return new Map(rows.map((row) => [row.user_id, toItem(row)]));
}

/** HubSpot names seats in capitals: "SALES_PROFESSIONAL" is shown as "Sales Professional". */
function seatLabel(name: string): string {
  if (!/^[A-Z0-9_]+$/.test(name)) return name;
  return name
    .split("_")
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join(" ");
}

const awayList = z.array(z.object({ from: z.string(), to: z.string() }));

function toItem(row: Row): SenderItem {
  return {
    userId: BigInt(row.user_id),
    label: shorten(row.label, LONGEST_LABEL),
    email: row.email,
    seatNames: row.seat_names.map(seatLabel),
    isActive: row.is_active,
    isAllowed: row.is_allowed,
    sendAsEmail: row.send_as_email,
    dailyCap: row.daily_cap,
    sentLastDay: row.sent,
    placeFreeAt: row.place_free_at,
    hours: {
      days: row.window_days,
      startMinute: row.window_start_minute,
      endMinute: row.window_end_minute,
    },
    away: awayList.safeParse(row.away).data ?? [],
    timeZone: row.time_zone,
    refusedCode: row.refused_code,
    limitedUntil: row.limited_until,
    version: row.version,
  };
}
