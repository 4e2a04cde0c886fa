import type { Pool } from "pg";
import { findFlows } from "#domain/flows/flow-names.js";
import { peopleOf, unnamed } from "#domain/directory/people.js";
import { heldAgainst, isMended } from "./mended.js";
import { ERROR_CODES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What a cause is about, besides its code. */
export interface CauseSubject {
  readonly kind: "sender" | "sequence" | "workflow" | "rule";
  /** If it is a rule, the sentence that names it. */
  readonly id: string;
  /** Null: not known, or not anymore. */
  readonly name: string | null;
}

/** Contacts that were not enrolled for the same reason, which can be fixed for all of them at once. */
export interface Cause {
  /** Null: a code that this version does not know. */
  readonly code: ErrorCode | null;
  readonly storedCode: string;
  /** Null: nothing in particular. */
  readonly subject: CauseSubject | null;
  /** The preset whose rule it was; null: another kind of cause, or the account's default preset. */
  readonly preset: { readonly id: string; readonly name: string } | null;
  /** Each call of a workflow once: as many as the list of them holds. */
  readonly contacts: number;
  /** Those of them that an admin's retry enrolled since, or is about to try. */
  readonly retried: number;
  readonly lastAt: Date;
  /** The same by periods of equal length, the oldest first. */
  readonly trend: readonly number[];
  /** By the account's own rules, or by the contact's wish: nothing needs to be done. */
  readonly isExpected: boolean;
  /** What kept them from being enrolled is gone: they can be retried. */
  readonly isMended: boolean;
  /** An admin put it aside until then; null: nobody did. */
  readonly snoozedUntil: Date | null;
}

/** Bars of a trend. */
const TREND_BARS = 8;
/** How many of the newest are read: more would show the same. */
const MOST_READ = 20_000;
/** Causes shown; the rest is in the list of contacts. */
const MOST_CAUSES = 50;

const ABOUT_SENDER: readonly ErrorCode[] = [
  "SENDER_NOT_ALLOWED",
  "SENDER_NOT_PERMITTED",
  "INBOX_NOT_CONNECTED",
  "SENDER_LIMIT_REACHED",
  "NO_SENDER_AVAILABLE",
];
/** What a preset can prevent: by other rules, or by a fallback sender. */
const OF_A_PRESET: readonly ErrorCode[] = [
  ...(["BLOCKED", "COOLDOWN_ACTIVE", "OWNER_MISSING", "OWNER_INACTIVE"] as const),
  ...ABOUT_SENDER,
];
/** An admin's own rule, or the contact's: also BLOCKED, if it was skipped and not refused by HubSpot. */
const EXPECTED: readonly ErrorCode[] = ["UNSUBSCRIBED", "COOLDOWN_ACTIVE", "CANCELLED", "ALREADY_ENROLLED"];

interface Row {
  code: string;
  is_skipped: boolean;
  sender_user_id: string | null;
  sender_name: string | null;
  sequence_id: string | null;
  sequence_name: string | null;
  workflow_id: string | null;
  rule: string | null;
  preset: { id: string; name: string } | null;
  contacts: number;
  retried: number;
  last_at: Date;
  bars: number[];
  is_mended: boolean;
  snoozed_until: Date | null;
}

const quoted = (codes: readonly string[]): string => codes.map((code) => `'${code}'`).join(", ");

/**
 * Read only from the index `executions_results`, except for the rule's words, which only the rows have. The preset is
 * that of the newest contact. Materialized, so that what a row is about is worked out once. `is_mended` compares with
 * what holds now: the sender's marks and cap, the pause.
 */
const CAUSES = `
  WITH refused AS MATERIALIZED (
    SELECT id, error_code AS code, enrollment_status = 'SKIPPED' AS is_skipped, decided_at, sender_user_id, sequence_id, workflow_id
      FROM executions
     WHERE portal_id = $1 AND decided_at >= $2 AND decided_at < $3 AND kind = 'ENROLL' AND retry_of IS NULL
       AND enrollment_status IN ('FAILED', 'SKIPPED') AND error_code <> ''
     ORDER BY decided_at DESC LIMIT ${MOST_READ}
  ), told AS MATERIALIZED (
    SELECT id, code, is_skipped, decided_at,
           CASE WHEN code IN (${quoted(ABOUT_SENDER)}) THEN sender_user_id END AS sender_user_id,
           CASE WHEN code = 'SEQUENCE_NOT_FOUND' THEN sequence_id END AS sequence_id,
           CASE WHEN code = 'INVALID_INPUT' THEN workflow_id END AS workflow_id,
           CASE WHEN code = 'BLOCKED' AND is_skipped THEN (
             SELECT left(e.error_message, 300) FROM executions e WHERE e.portal_id = $1 AND e.id = refused.id) END AS rule,
           width_bucket(date_part('epoch', decided_at), date_part('epoch', $2::timestamptz),
                        date_part('epoch', $3::timestamptz), ${TREND_BARS}) AS bar,
           id IN (SELECT retry_of FROM executions
                   WHERE portal_id = $1 AND retry_of IS NOT NULL AND (enrollment_status = 'ENROLLED' OR decided_at IS NULL)) AS is_retried
      FROM refused
  ), cause AS (
    SELECT code, is_skipped, sender_user_id, sequence_id, workflow_id, rule, max(id) AS newest_id,
           count(*)::int AS contacts, (count(*) FILTER (WHERE is_retried))::int AS retried, max(decided_at) AS last_at,
           ARRAY[${Array.from({ length: TREND_BARS }, (_, bar) => `(count(*) FILTER (WHERE bar = ${bar + 1}))::int`).join(", ")}] AS bars
      FROM told GROUP BY code, is_skipped, sender_user_id, sequence_id, workflow_id, rule HAVING NOT bool_and(is_retried)
     ORDER BY count(*) DESC, code LIMIT ${MOST_CAUSES}
  )
  SELECT cause.*, person.name AS sender_name, snoozed.until AS snoozed_until,
         (SELECT json_build_object('id', p.preset_id::text, 'name', p.name)
            FROM executions e JOIN presets p ON p.portal_id = $1 AND p.preset_id::text = e.request ->> 'presetId'
           WHERE e.portal_id = $1 AND e.id = cause.newest_id AND cause.code IN (${quoted(OF_A_PRESET)})) AS preset,
         (SELECT name FROM sequences s WHERE s.portal_id = $1 AND s.sequence_id = cause.sequence_id) AS sequence_name,
         ${isMended("cause")} AS is_mended
    FROM cause
    ${heldAgainst("cause")}
    LEFT JOIN snoozed_causes snoozed ON snoozed.portal_id = $1 AND snoozed.code = cause.code AND snoozed.until > now()
      AND cause.rule IS NULL AND snoozed.subject =
          coalesce('sender:' || cause.sender_user_id, 'sequence:' || cause.sequence_id, 'workflow:' || cause.workflow_id, '')
    LEFT JOIN LATERAL (SELECT name FROM (${peopleOf("user_id = cause.sender_user_id")}) AS one) AS person ON true
   ORDER BY cause.contacts DESC, cause.last_at DESC`;

/** Why contacts were not enrolled within a time, by what has to be fixed, most contacts first. */
export async function readCauses(
  pool: Pool,
  portalId: PortalId,
  { since, until }: { since: Date; until: Date },
): Promise<Cause[]> {
  const { rows } = await pool.query<Row>({
    name: "attention-causes",
    text: CAUSES,
    values: [portalId, since, until],
  });
  const workflows = rows.flatMap(({ workflow_id }) => workflow_id ?? []);
  const flows = await findFlows(pool, portalId, workflows);
  return rows.map((row) => toCause(row, (id) => flows.get(id)?.name ?? null));
}

function toCause(row: Row, workflowName: (id: string) => string | null): Cause {
  const code = ERROR_CODES.find((one) => one === row.code) ?? null;
  const isOwnRule = code === "BLOCKED" && row.is_skipped;
  return {
    code,
    storedCode: row.code,
    subject: subjectOf(row, workflowName),
    preset: row.preset,
    contacts: row.contacts,
    retried: row.retried,
    lastAt: row.last_at,
    trend: row.bars,
    isExpected: isOwnRule || (code !== null && EXPECTED.includes(code)),
    isMended: row.is_mended,
    snoozedUntil: row.snoozed_until,
  };
}

function subjectOf(row: Row, workflowName: (id: string) => string | null): CauseSubject | null {
  const { sender_user_id, sequence_id, workflow_id, rule } = row;
  if (sender_user_id !== null)
    return { kind: "sender", id: sender_user_id, name: row.sender_name ?? unnamed(sender_user_id) };
  if (sequence_id !== null) return { kind: "sequence", id: sequence_id, name: row.sequence_name };
  if (workflow_id !== null) return { kind: "workflow", id: workflow_id, name: workflowName(workflow_id) };
  return rule === null ? null : { kind: "rule", id: rule, name: null };
}
