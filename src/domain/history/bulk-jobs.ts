import type { ClientBase, Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import { authorOf, type Actor, type System } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { AUDIT_ACTIONS, type AdminAction } from "./admin-actions.js";
import { executionFilterSchema, type ExecutionFilter } from "#domain/contract/execution-filter.js";
import { FILTER_WITHOUT_WHOM, REMOVED } from "#domain/contacts/forget-searches.js";

/** An admin's action on all executions that a filter matches; processed newest first. */
export interface BulkJob {
  readonly id: bigint;
  readonly action: AdminAction;
  /** Null if this version cannot read it, or if the job has ended and the filter said whom it was for. */
  readonly filter: ExecutionFilter | null;
  readonly state: "RUNNING" | "DONE" | "STOPPED";
  readonly userEmail: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** A sentence for the admin if the job was stopped because it cannot be carried out. */
  readonly stoppedReason: string | null;
  /** Executions checked, and executions changed, so far. */
  readonly examined: number;
  readonly changed: number;
  /** When the last checked execution was accepted: how far back the job has come. Null before the first step. */
  readonly reachedAt: Date | null;
}

/** At most this many running jobs per portal: each delays the others. */
const MOST_RUNNING = 3;

/** Within this many seconds, a relative time such as "last 24 hours" counts as the same filter. */
const SAME_MOMENT_SECONDS = 60;

export interface NewBulkJob {
  readonly action: AdminAction;
  readonly filter: ExecutionFilter;
}

/**
 * `too-many`: the portal already has the maximum of running jobs. `running`: the same action with the same filter is
 * running.
 */
export type BulkJobCreation =
  { kind: "created"; id: bigint } | { kind: "too-many" } | { kind: "running"; id: bigint };

/** Asks the workers to do it to everything that matches. What is accepted, or made by the job itself, later is left alone. */
export async function startBulkJob(pool: Pool, actor: Actor, job: NewBulkJob): Promise<BulkJobCreation> {
  requireRight(actor, "startBulkJob");
  return inTransaction(pool, async (client) => {
    const creation = await insertJob(client, actor, job);
    if (creation.kind !== "created") return creation;
    const filter = withoutWhom(job.filter);
    await recordChange(client, actor, {
      subject: "executions",
      subjectName: Object.keys(filter).length === 0 ? "All executions" : "Many executions",
      action: AUDIT_ACTIONS[job.action],
      after: { job: creation.id, filter },
    });
    return creation;
  });
}

/**
 * The audit is kept for years, even after a person's data is deleted: it says what kind of search it was, not for whom.
 */
function withoutWhom(filter: ExecutionFilter): ExecutionFilter {
  const search = filter.search?.includes("@") === true ? "an address" : "an id or part of an address";
  return {
    ...filter,
    ...(filter.search === undefined ? {} : { search }),
    ...(filter.contactId === undefined ? {} : { contactId: "one contact" }),
  };
}

/** The transaction holds the portal's row until it ends, so that two at once count each other. */
async function insertJob(client: PoolClient, actor: Actor, job: NewBulkJob): Promise<BulkJobCreation> {
  const { portalId } = actor;
  const { userId, userEmail } = authorOf(actor);
  await client.query("SELECT FROM portals WHERE portal_id = $1 FOR NO KEY UPDATE", [portalId]);
  const running = await client.query<{ id: string; is_same: boolean }>(RUNNING_JOBS, [
    portalId,
    job.action,
    JSON.stringify(job.filter),
    SAME_MOMENT_SECONDS,
  ]);
  const same = running.rows.find(({ is_same }) => is_same);
  if (same !== undefined) return { kind: "running", id: BigInt(same.id) };
  if (running.rows.length >= MOST_RUNNING) return { kind: "too-many" };
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO bulk_jobs (portal_id, action, filter, user_id, user_email, before_id)
     SELECT $1, $2, $3, $4, $5, coalesce(max(id), 0) + 1 FROM executions WHERE portal_id = $1 RETURNING id`,
    [portalId, job.action, JSON.stringify(job.filter), userId, userEmail],
  );
  return { kind: "created", id: BigInt(rows[0]?.id ?? 0) };
}

/** The portal's running jobs, and whether each is the one requested. */
const RUNNING_JOBS = `
  SELECT id, coalesce(
           action = $2 AND filter - 'since' = $3::jsonb - 'since' AND (filter ? 'since') = ($3::jsonb ? 'since')
           AND (NOT filter ? 'since' OR abs(extract(epoch FROM
                 (filter ->> 'since')::timestamptz - ($3::jsonb ->> 'since')::timestamptz)) < $4), false) AS is_same
    FROM bulk_jobs WHERE portal_id = $1 AND state = 'RUNNING' ORDER BY id`;

interface JobRow {
  id: string;
  action: AdminAction;
  filter: unknown;
  state: BulkJob["state"];
  user_email: string | null;
  created_at: Date;
  ended_at: Date | null;
  stopped_reason: string | null;
  examined: number;
  changed: number;
  reached_at: Date | null;
}

const JOB_COLUMNS = `id, action, filter, state, user_email, created_at, ended_at, stopped_reason, examined, changed,
  CASE WHEN examined > 0 THEN (
    SELECT e.accepted_at FROM executions e WHERE e.portal_id = j.portal_id AND e.id >= j.before_id ORDER BY e.id LIMIT 1
  ) END AS reached_at`;

function toJob(row: JobRow): BulkJob {
  const filter = executionFilterSchema.safeParse(row.filter).data;
  return {
    id: BigInt(row.id),
    action: row.action,
    filter: filter === undefined || filter.search === REMOVED ? null : filter,
    state: row.state,
    userEmail: row.user_email,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    stoppedReason: row.stopped_reason,
    examined: row.examined,
    changed: row.changed,
    reachedAt: row.reached_at,
  };
}

export async function findBulkJob(
  client: Pick<ClientBase, "query">,
  portalId: PortalId,
  id: bigint,
): Promise<BulkJob | undefined> {
  const { rows } = await client.query<JobRow>(
    `SELECT ${JOB_COLUMNS} FROM bulk_jobs j WHERE portal_id = $1 AND id = $2`,
    [portalId, id],
  );
  return rows[0] === undefined ? undefined : toJob(rows[0]);
}

/** The portal's last jobs, newest first. */
export async function listBulkJobs(
  client: Pick<ClientBase, "query">,
  portalId: PortalId,
  limit: number,
): Promise<BulkJob[]> {
  const { rows } = await client.query<JobRow>(
    `SELECT ${JOB_COLUMNS} FROM bulk_jobs j WHERE portal_id = $1 ORDER BY id DESC LIMIT $2`,
    [portalId, limit],
  );
  return rows.map(toJob);
}

/** False if the job had ended before. What it did stays done. */
export async function stopBulkJob(pool: Pool, actor: Actor, id: bigint): Promise<boolean> {
  return inTransaction(pool, (client) => endBulkJob(client, actor, { id, reason: null }));
}

/** The same by the app itself, for a job that can never be carried out, with a sentence that tells the admins why. */
export async function giveUpBulkJob(
  client: PoolClient,
  worker: System,
  job: { id: bigint; reason: string },
): Promise<boolean> {
  return endBulkJob(client, worker, job);
}

async function endBulkJob(
  client: PoolClient,
  actor: Actor,
  { id, reason }: { id: bigint; reason: string | null },
): Promise<boolean> {
  requireRight(actor, "stopBulkJob");
  const { rowCount } = await client.query(
    `UPDATE bulk_jobs SET state = 'STOPPED', ended_at = now(), stopped_reason = $3, filter = ${FILTER_WITHOUT_WHOM}
      WHERE portal_id = $1 AND id = $2 AND state = 'RUNNING'`,
    [actor.portalId, id, reason],
  );
  if (rowCount !== 1) return false;
  await recordChange(client, actor, {
    subject: "executions",
    subjectName: `bulk job ${id}`,
    action: "STOPPED",
    before: { jobState: "under_way" },
    after: { jobState: "stopped", ...(reason === null ? {} : { reason }) },
  });
  return true;
}
