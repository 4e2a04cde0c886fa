import type { Pool } from "pg";
import { peopleOf } from "#domain/directory/people.js";
import { sentenceOf } from "#domain/contract/error-codes.js";
import { windowOf, type StoredWindow } from "#domain/senders/stored/stored-window.js";
import { DEFAULT_DAILY_CAP, type SendWindow } from "#domain/contract/sender-policy.js";
import type { PortalId, UserId } from "#platform/ids/branded-ids.js";

/** Why someone who may send cannot at the moment. */
export interface SenderProblem {
  readonly code: string;
  readonly message: string;
  /** When it is over by itself; null: not before someone fixes it. */
  readonly until: Date | null;
}

/** Someone whom the account lets send. */
export interface AllowedSender {
  readonly userId: UserId;
  /** Name, else email, else "User 7". */
  readonly label: string;
  readonly email: string | null;
  /** Enrollments in any 24 hours. */
  readonly cap: number;
  /** Enrollments in the last 24 hours. */
  readonly used: number;
  /** Undefined: at any time. */
  readonly window: SendWindow | undefined;
  /** IANA name. */
  readonly timeZone: string;
  readonly problem: SenderProblem | null;
}

/** The label, then the id, at which a page ends. */
export interface SenderPlace {
  readonly label: string;
  readonly userId: string;
}

interface Row extends StoredWindow {
  user_id: string;
  label: string;
  sort_label: string;
  email: string | null;
  cap: number;
  used: number;
  time_zone: string;
  refused_code: string | null;
  refused_message: string | null;
  limited_until: Date | null;
}

/** Counts the last day only for the senders on the page. */
const ALLOWED_SENDERS = `
  SELECT sender.*, (SELECT count(*)::int FROM executions e
                     WHERE e.portal_id = $1 AND e.sender_user_id = sender.user_id AND e.enrollment_status = 'ENROLLED'
                       AND e.enrolled_at > now() - interval '24 hours') AS used
    FROM (
      SELECT person.user_id, person.label, lower(person.label) COLLATE "C" AS sort_label, person.email,
             coalesce(s.daily_cap, ${DEFAULT_DAILY_CAP}) AS cap, s.window_days, s.window_start_minute, s.window_end_minute,
             coalesce(s.time_zone, p.time_zone, 'utc') AS time_zone, s.refused_code, s.refused_message,
             CASE WHEN s.limited_until > now() THEN s.limited_until END AS limited_until
        FROM (${peopleOf()}) AS person
        JOIN portals p ON p.portal_id = $1
        LEFT JOIN portal_settings policy ON policy.portal_id = $1
        LEFT JOIN senders s ON s.portal_id = $1 AND s.user_id = person.user_id
       WHERE person.is_active AND coalesce(s.is_allowed, NOT coalesce(policy.only_listed_senders, false))
         AND ($2::text IS NULL OR (lower(person.label) COLLATE "C", person.user_id) > ($2, $3::bigint))
       ORDER BY sort_label, person.user_id LIMIT $4
    ) AS sender ORDER BY sort_label, user_id`;

/** Those who may send, by name: active people whom the account's policy and their own mark allow. */
export async function listAllowedSenders(
  pool: Pool,
  portalId: PortalId,
  { limit, after }: { readonly limit: number; readonly after?: SenderPlace | undefined },
): Promise<{ senders: AllowedSender[]; next: SenderPlace | undefined }> {
  const { rows } = await pool.query<Row>({
    name: "allowed-senders",
    text: ALLOWED_SENDERS,
    values: [portalId, after?.label ?? null, after?.userId ?? null, limit + 1],
  });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    senders: shown.map(toSender),
    next: last && { label: last.sort_label, userId: last.user_id },
  };
}

function toSender(row: Row): AllowedSender {
  return {
    userId: BigInt(row.user_id),
    label: row.label,
    email: row.email,
    cap: row.cap,
    used: row.used,
    window: windowOf(row),
    timeZone: row.time_zone,
    problem: problemOf(row),
  };
}

/** HubSpot's refusal comes first: it stays until someone fixes it. */
function problemOf({ refused_code, refused_message, limited_until, cap, used }: Row): SenderProblem | null {
  if (refused_code !== null)
    return {
      code: refused_code,
      message: sentenceOf(refused_code) ?? refused_message ?? refused_code,
      until: null,
    };
  if (limited_until === null && used < cap) return null;
  const code = "SENDER_LIMIT_REACHED";
  return { code, message: sentenceOf(code) ?? code, until: limited_until };
}
