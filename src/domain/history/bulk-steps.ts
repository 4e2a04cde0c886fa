import type { PoolClient } from "pg";
import { AppError } from "../../errors.js";
import { applyAction, ELIGIBLE, type AdminAction } from "./admin-actions.js";
import { giveUpBulkJob } from "./bulk-jobs.js";
import { FILTER_WITHOUT_WHOM } from "#domain/contacts/forget-searches.js";
import {
  chosenCondition,
  executionFilterSchema,
  filterCondition,
  type ExecutionFilter,
} from "#domain/contract/execution-filter.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** Executions checked in one step: milliseconds of locks, so that the portal's owner does not wait. */
const STEP = 1_000;

export interface BulkStep {
  readonly portalId: PortalId;
  readonly jobId: bigint;
  /** Executions of the portal that were changed. */
  readonly changed: number;
}

/** A step failed; its job is as it was before the step. */
export class BulkStepFailed extends AppError {
  override readonly code = "BULK_STEP_FAILED";

  readonly job: Pick<BulkStep, "portalId" | "jobId">;

  constructor(job: Pick<BulkStep, "portalId" | "jobId">, cause: unknown) {
    super(`a step of bulk job ${job.jobId} of portal ${job.portalId} failed`, { cause });
    this.job = job;
  }

  /** The database refuses what the job asks for, and always will: the job is at fault, not the moment. */
  get isForGood(): boolean {
    const { code } = (this.cause ?? {}) as { code?: unknown };
    return typeof code === "string" && /^(21|22|54)[0-9A-Z]{3}$/.test(code);
  }
}

interface ClaimedJob {
  portal_id: string;
  id: string;
  action: AdminAction;
  filter: unknown;
  before_id: string;
}

/**
 * The next job that no other process is working on: of the portal that has waited longest, however many jobs each has.
 */
const CLAIM = `
  SELECT j.portal_id, j.id, j.action, j.filter, j.before_id FROM bulk_jobs j
   WHERE j.state = 'RUNNING' AND j.id <> ALL ($1::bigint[])
   ORDER BY (SELECT max(o.stepped_at) FROM bulk_jobs o WHERE o.portal_id = j.portal_id AND o.state = 'RUNNING') NULLS FIRST,
            j.stepped_at NULLS FIRST, j.id
   LIMIT 1 FOR UPDATE OF j SKIP LOCKED`;

/**
 * One step of one running job; the caller's transaction covers both its work and its progress.
 *
 * @param except jobs to leave alone
 * @returns undefined if no job is left to work on
 * @throws BulkStepFailed if a job was taken up and its step failed
 */
export async function workBulkStep(
  client: PoolClient,
  except: readonly bigint[] = [],
): Promise<BulkStep | undefined> {
  const claimed = await client.query<ClaimedJob>(CLAIM, [except]);
  const job = claimed.rows[0];
  if (job === undefined) return undefined;
  const key = { portalId: BigInt(job.portal_id), jobId: BigInt(job.id) };
  try {
    return { ...key, changed: await workStep(client, job) };
  } catch (error) {
    throw new BulkStepFailed(key, error);
  }
}

async function workStep(client: PoolClient, job: ClaimedJob): Promise<number> {
  const portalId = BigInt(job.portal_id);
  const filter = executionFilterSchema.safeParse(job.filter);
  if (!filter.success) {
    // Written by another release: left running, it would be taken up forever.
    const worker = { kind: "system", portalId, part: "worker" } as const;
    await giveUpBulkJob(client, worker, { id: BigInt(job.id), reason: UNREADABLE });
    return 0;
  }
  const step = await readStep(client, job, filter.data);
  const changed =
    step.matching.length === 0 ? 0 : await applyAction(client, job.action, { portalId, ids: step.matching });
  await client.query(
    `UPDATE bulk_jobs SET before_id = $3, examined = examined + $4, changed = changed + $5, stepped_at = clock_timestamp(),
            state = CASE WHEN $6 THEN 'DONE' ELSE state END, ended_at = CASE WHEN $6 THEN now() END,
            filter = CASE WHEN $6 THEN ${FILTER_WITHOUT_WHOM} ELSE filter END
      WHERE portal_id = $1 AND id = $2`,
    [portalId, job.id, step.lastId ?? job.before_id, step.examined, changed, step.isEnd],
  );
  return changed;
}

const UNREADABLE = "Start this bulk action again; it was created by an older version.";

interface Step {
  readonly matching: ExecutionId[];
  readonly examined: number;
  readonly lastId: string | null;
  readonly isEnd: boolean;
}

/** The next executions by id, and which of them the action applies to. Stops where the filter's time range begins. */
async function readStep(client: PoolClient, job: ClaimedJob, filter: ExecutionFilter): Promise<Step> {
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
       FROM (SELECT * FROM executions WHERE portal_id = $1 AND id < $2 ${chosenCondition(filter)} ORDER BY id DESC LIMIT $3) AS step`,
    values,
  );
  const { examined = 0, last_id = null, is_end = true, matching = null } = rows[0] ?? {};
  return { examined, lastId: last_id, isEnd: is_end, matching: (matching ?? []).map(BigInt) };
}
