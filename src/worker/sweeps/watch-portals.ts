import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { localTime } from "#platform/time/local-time.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { sentenceOf } from "#domain/contract/error-codes.js";
import { findFlows } from "#domain/flows/flow-names.js";
import { undecidedRows } from "#domain/contract/undecided.js";
import type { Logger } from "#platform/observability/logger.js";
import { eachPortal } from "./each-portal.js";

export interface WatchOptions {
  readonly pool: Pool;
  readonly logger: Logger;
}

/** The log message for an account whose admins could not be alerted. */
const UNTOLD = "the admins of an account could not be told of its trouble";
const UNREAD = "an account could not be looked at for trouble";

/** Alerts the admins of each portal in turn: a failure for one does not affect the others. */
export async function tellEach<Row extends { portal_id: string }>(
  rows: readonly Row[],
  { logger }: WatchOptions,
  tell: (portal: Row & { portalId: PortalId }) => Promise<void>,
): Promise<void> {
  const portals = rows.map((row) => ({ ...row, portalId: BigInt(row.portal_id) }));
  await eachPortal(portals, { logger, what: UNTOLD }, tell);
}

/** Below this count, a share means too little to alert anyone. */
const LEAST_FOR_SHARE = 20;

interface FailureRow {
  failed: number;
  decided: number;
  top_code: string | null;
  top_workflow: string | null;
  since: Date;
}

const WITH_THRESHOLDS = `
  SELECT portal_id FROM portal_settings JOIN portals USING (portal_id)
   WHERE status = 'CONNECTED' AND num_nonnulls(alert_failure_count, alert_failure_percent) > 0`;

/**
 * Raises FAILURES_HIGH for every portal whose last hour exceeded its admin's threshold. Executions that an admin
 * canceled do not count as failures.
 */
export async function watchFailures({ pool, logger }: WatchOptions): Promise<void> {
  const portals = await portalsOf(pool, { name: "list-thresholds", text: WITH_THRESHOLDS });
  await eachPortal(portals, { logger, what: UNREAD }, async ({ portalId }) => {
    const hour = await readHighFailures(pool, portalId);
    if (hour !== undefined) await raiseFailures(pool, portalId, hour);
  });
}

/** The portal's last hour; undefined: below its thresholds. */
async function readHighFailures(pool: Pool, portalId: PortalId): Promise<FailureRow | undefined> {
  const { rows } = await pool.query<FailureRow>({
    name: "watch-failures",
    text: `
      SELECT hour.*, now() - interval '1 hour' AS since FROM portal_settings s, LATERAL (
        SELECT count(*) FILTER (WHERE enrollment_status = 'FAILED')::int AS failed, count(*)::int AS decided,
               mode() WITHIN GROUP (ORDER BY error_code) FILTER (WHERE enrollment_status = 'FAILED') AS top_code,
               mode() WITHIN GROUP (ORDER BY workflow_id) FILTER (WHERE enrollment_status = 'FAILED') AS top_workflow
          FROM executions e
         WHERE e.portal_id = s.portal_id AND e.decided_at > now() - interval '1 hour' AND e.kind = 'ENROLL'
           AND e.error_code IS DISTINCT FROM 'CANCELLED'
      ) AS hour
       WHERE s.portal_id = $1 AND (
             hour.failed >= s.alert_failure_count
          OR (hour.decided >= $2 AND hour.failed * 100 >= s.alert_failure_percent * hour.decided))`,
    values: [portalId, LEAST_FOR_SHARE],
  });
  return rows[0];
}

async function raiseFailures(pool: Pool, portalId: PortalId, hour: FailureRow): Promise<void> {
  const { failed, decided, top_code, since } = hour;
  const sentence = top_code === null ? undefined : sentenceOf(top_code);
  const reason = sentence === undefined ? "" : ` Top reason: ${sentence}`;
  const share = Math.round((failed * 100) / Math.max(1, decided));
  const place = await workflowWords(pool, portalId, hour.top_workflow);
  const message = `${failed} of ${decided} contacts (${share}%) weren't enrolled in the last hour.${reason}${place}`;
  const narrowed = {
    status: "failed",
    ...(top_code === null ? {} : { code: top_code }),
    since: since.toISOString(),
  };
  const page = `/settings/activity?${new URLSearchParams(narrowed).toString()}`;
  await raiseAlert(pool, { portalId, kind: "FAILURES_HIGH", message, page });
}

/** Where most of them came from, by the name that its people know. */
async function workflowWords(pool: Pool, portalId: PortalId, workflowId: string | null): Promise<string> {
  if (workflowId === null) return "";
  const name = (await findFlows(pool, portalId, [workflowId])).get(workflowId)?.name;
  return ` Most came from the workflow ${name == null ? workflowId : `“${name}”`}.`;
}

async function portalsOf(
  pool: Pool,
  statement: { name: string; text: string },
): Promise<{ readonly portalId: PortalId }[]> {
  const { rows } = await pool.query<{ portal_id: string }>(statement);
  return rows.map(({ portal_id }) => ({ portalId: BigInt(portal_id) }));
}

/** Rows of a portal's backlog to read for each state; everything behind them is later still. */
const LOOK_AHEAD = 50_000;

interface BacklogRow {
  time_zone: string | null;
  waiting: number;
  per_hour: number;
  first_missed_at: Date;
}

/** A postponed execution (for a date, a sender, HubSpot) joins the line again when its time comes. */
const IN_LINE_SINCE = "CASE WHEN e.last_problem IS NULL THEN e.accepted_at ELSE e.due_at END";
const OPEN_COLUMNS = "e.deadline_at, greatest(e.due_at, now()) AS from_at, e.due_at, e.id";

/** By the earliest of each open state, one index lookup (wake-due-portals.ts says why). */
const WITH_WORK_DUE = `
  SELECT portal_id FROM portals p
   WHERE (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'QUEUED') <= now()
      OR (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'UNCERTAIN') <= now()
      OR (SELECT min(e.epoch) FROM executions e
           WHERE e.portal_id = p.portal_id AND e.state IN ('ATTEMPTING', 'UNCERTAIN') AND e.epoch IS NOT NULL) > 0`;

/**
 * Raises BACKLOG_LATE if waiting contacts will miss their deadline. Only those whose time has come are in line; one
 * that waits for a date joins it then. The pace is what was decided since the line began to wait, at most an hour. Each
 * contact takes one step of that pace after the one before it, or after it joins: the first one that will be late is
 * reported. A line younger than ten minutes is not judged yet. A paused, disconnected or resting portal has the pace
 * zero, and is late from a day before the first deadline.
 */
export async function watchBacklogs({ pool, logger }: WatchOptions): Promise<void> {
  const portals = await portalsOf(pool, { name: "list-backlogs", text: WITH_WORK_DUE });
  await eachPortal(portals, { logger, what: UNREAD }, async ({ portalId }) => {
    const backlog = await readLateBacklog(pool, portalId);
    if (backlog === undefined) return;
    const { time_zone, waiting, per_hour, first_missed_at } = backlog;
    const contacts = waiting === 1 ? "1 contact is waiting" : `${waiting} contacts are waiting`;
    const pace = per_hour === 0 ? "none were processed lately" : `about ${per_hour} are processed an hour`;
    const message = `${contacts} and ${pace}. The first will miss its deadline on ${localTime(first_missed_at, time_zone)}.`;
    const page = "/settings/activity?status=waiting";
    await raiseAlert(pool, { portalId, kind: "BACKLOG_LATE", message, page });
  });
}

/** The portal's line; undefined: nobody in it will be late. */
async function readLateBacklog(pool: Pool, portalId: PortalId): Promise<BacklogRow | undefined> {
  const { rows } = await pool.query<BacklogRow>({
    name: "watch-backlogs",
    text: `
      WITH line AS (
        SELECT p.portal_id, p.time_zone, backlog.* FROM portals p, LATERAL (
          SELECT count(*)::int AS waiting, least(now() - min(since), interval '1 hour') AS span
            FROM (${undecidedRows({ columns: `e.due_at, ${IN_LINE_SINCE} AS since`, portalId: "p.portal_id", limit: "$2" })}) AS open
           WHERE due_at <= now()
        ) AS backlog
         WHERE p.portal_id = $1 AND backlog.waiting > 0 AND backlog.span >= interval '10 minutes'
      ), paced AS (
        SELECT line.*, (SELECT count(*) FROM executions e
                         WHERE e.portal_id = line.portal_id AND e.decided_at > now() - line.span
                           AND e.kind = 'ENROLL') / extract(epoch FROM line.span) AS per_second
          FROM line
      )
      SELECT paced.time_zone, paced.waiting, round(paced.per_second * 3600)::int AS per_hour, late.first_missed_at
        FROM paced, LATERAL (
          SELECT min(deadline_at) AS first_missed_at FROM (
            SELECT deadline_at, due_at, place / nullif(paced.per_second, 0) * interval '1 second'
                     + max(from_at - (place - 1) / nullif(paced.per_second, 0) * interval '1 second') OVER (ORDER BY place) AS done_at
              FROM (
                SELECT *, row_number() OVER (ORDER BY due_at, id) AS place FROM (
                  ${undecidedRows({ columns: OPEN_COLUMNS, portalId: "paced.portal_id", limit: "$2" })}
                ) AS undecided
              ) AS placed
          ) AS open
           WHERE CASE WHEN paced.per_second > 0 THEN open.done_at > open.deadline_at AND open.due_at < open.deadline_at
                   ELSE open.due_at <= now() AND open.deadline_at < now() + interval '1 day' END
        ) AS late
       WHERE late.first_missed_at IS NOT NULL`,
    values: [portalId, LOOK_AHEAD],
  });
  return rows[0];
}

/** A wrong setup that is fixed at once is not worth an alert to every account. */
const FAULT_LASTS = "30 minutes";

/**
 * Raises SERVICE_FAULT, once each time, in every account that our own fault stops: its admins see contacts wait and
 * cannot know that HubSpot is not to blame.
 */
export async function watchOwnFaults(options: WatchOptions): Promise<void> {
  const { pool } = options;
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "watch-own-faults",
    text: `
      SELECT d.portal_id FROM portal_drains d JOIN portals p USING (portal_id)
       WHERE d.circuit_trips > 0 AND d.circuit_cause IS NOT NULL AND d.circuit_opened_at < now() - $1::interval AND p.status = 'CONNECTED'
         AND NOT EXISTS (SELECT FROM alerts a WHERE a.portal_id = d.portal_id AND a.kind = 'SERVICE_FAULT'
                            AND a.created_at > d.circuit_opened_at)`,
    values: [FAULT_LASTS],
  });
  await tellEach(rows, options, async ({ portalId }) => {
    const message =
      "A problem on our end keeps contacts of this account waiting. We've been notified. " +
      "No contacts are lost: they'll be enrolled when it is fixed.";
    await raiseAlert(pool, { portalId, kind: "SERVICE_FAULT", message });
  });
}
