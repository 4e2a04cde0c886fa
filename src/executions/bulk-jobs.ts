import type { ClientBase } from "pg";
import { applyAction, ELIGIBLE, type AdminAction } from "./admin-actions.js";
import { executionFilterSchema, filterCondition, type ExecutionFilter } from "./execution-filter.js";

/** An admin's action on all executions that a filter matches; worked off newest first. */
export interface BulkJob {
  readonly id: bigint;
  readonly action: AdminAction;
  readonly filter: ExecutionFilter;
  readonly state: "RUNNING" | "DONE" | "STOPPED";
  readonly userEmail: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** Executions looked at, and those the action was done to, so far. */
  readonly examined: number;
  readonly changed: number;
  /** When the last one looked at was accepted: how far back the job has come. Null before the first step. */
  readonly reachedAt: Date | null;
}

/** Executions looked at in one step: milliseconds of locks, so that the portal's owner waits for nothing. */
const STEP = 1_000;

/** Asks for the action. What is accepted, or made by the job itself, later is left alone. */
export async function createBulkJob(
  client: ClientBase,
  portalId: bigint,
  job: { action: AdminAction; filter: ExecutionFilter; userId: bigint | null; userEmail: string | null },
): Promise<bigint> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO bulk_jobs (portal_id, action, filter, user_id, user_email, before_id)
     SELECT $1, $2, $3, $4, $5, coalesce(max(id), 0) + 1 FROM executions WHERE portal_id = $1 RETURNING id`,
    [portalId, job.action, JSON.stringify(job.filter), job.userId, job.userEmail],
  );
  return BigInt(rows[0]?.id ?? 0);
}

interface JobRow {
  id: string;
  action: AdminAction;
  filter: unknown;
  state: BulkJob["state"];
  user_email: string | null;
  created_at: Date;
  ended_at: Date | null;
  examined: number;
  changed: number;
  reached_at: Date | null;
}

const JOB_COLUMNS = `id, action, filter, state, user_email, created_at, ended_at, examined, changed,
  CASE WHEN examined > 0 THEN (
    SELECT e.accepted_at FROM executions e WHERE e.portal_id = j.portal_id AND e.id >= j.before_id ORDER BY e.id LIMIT 1
  ) END AS reached_at`;

function toJob(row: JobRow): BulkJob {
  return {
    id: BigInt(row.id),
    action: row.action,
    filter: executionFilterSchema.parse(row.filter),
    state: row.state,
    userEmail: row.user_email,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    examined: row.examined,
    changed: row.changed,
    reachedAt: row.reached_at,
  };
}

export async function findBulkJob(
  client: Pick<ClientBase, "query">,
  portalId: bigint,
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
  portalId: bigint,
  limit: number,
): Promise<BulkJob[]> {
  const { rows } = await client.query<JobRow>(
    `SELECT ${JOB_COLUMNS} FROM bulk_jobs j WHERE portal_id = $1 ORDER BY id DESC LIMIT $2`,
    [portalId, limit],
  );
  return rows.map(toJob);
}

/** False where the job had ended by itself. What it did stays done. */
export async function stopBulkJob(client: ClientBase, portalId: bigint, id: bigint): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE bulk_jobs SET state = 'STOPPED', ended_at = now() WHERE portal_id = $1 AND id = $2 AND state = 'RUNNING'`,
    [portalId, id],
  );
  return rowCount === 1;
}

interface ClaimedJob {
  portal_id: string;
  id: string;
  action: AdminAction;
  filter: unknown;
  before_id: string;
}

/**
 * One step of one running job that no other process is at; the caller's transaction makes its work and its progress one.
 *
 * @returns the portal whose executions it looked at and how many it changed; undefined where no job is left to work on.
 */
export async function workBulkStep(
  client: ClientBase,
): Promise<{ portalId: bigint; changed: number } | undefined> {
  const claimed = await client.query<ClaimedJob>(
    `SELECT portal_id, id, action, filter, before_id FROM bulk_jobs
      WHERE state = 'RUNNING' ORDER BY examined, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  const job = claimed.rows[0];
  if (job === undefined) return undefined;
  const portalId = BigInt(job.portal_id);
  const filter = executionFilterSchema.safeParse(job.filter);
  if (!filter.success) {
    // Written by another release: left running, it would be taken up first for ever, and hold up all others.
    await client.query(
      `UPDATE bulk_jobs SET state = 'STOPPED', ended_at = now() WHERE portal_id = $1 AND id = $2`,
      [portalId, job.id],
    );
    return { portalId, changed: 0 };
  }
  const step = await readStep(client, job, filter.data);
  const changed =
    step.matching.length === 0 ? 0 : await applyAction(client, job.action, { portalId, ids: step.matching });
  await client.query(
    `UPDATE bulk_jobs SET before_id = $3, examined = examined + $4, changed = changed + $5,
            state = CASE WHEN $6 THEN 'DONE' ELSE state END, ended_at = CASE WHEN $6 THEN now() END
      WHERE portal_id = $1 AND id = $2`,
    [portalId, job.id, step.lastId ?? job.before_id, step.examined, changed, step.isEnd],
  );
  return { portalId, changed };
}

interface Step {
  readonly matching: bigint[];
  readonly examined: number;
  readonly lastId: string | null;
  readonly isEnd: boolean;
}

/** The next executions by id, and which of them the action is for. The way ends where the filter's time begins. */
async function readStep(client: ClientBase, job: ClaimedJob, filter: ExecutionFilter): Promise<Step> {
  const values: unknown[] = [job.portal_id, job.before_id, STEP, filter.since ?? null];
  const condition = filterCondition(filter, values);
  const { rows } = await client.query<{
    examined: number;
    last_id: string | null;
    is_end: boolean;
    matching: string[] | null;
  }>(
    `SELECT count(*)::int AS examined, min(id) AS last_id,
            count(*) < $3 OR coalesce(min(accepted_at) < $4::timestamptz - interval '1 minute', false) AS is_end,
            array_agg(id) FILTER (WHERE ${condition} AND ${ELIGIBLE[job.action]}) AS matching
       FROM (SELECT * FROM executions WHERE portal_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3) AS step`,
    values,
  );
  const { examined = 0, last_id = null, is_end = true, matching = null } = rows[0] ?? {};
  return { examined, lastId: last_id, isEnd: is_end, matching: (matching ?? []).map(BigInt) };
}
