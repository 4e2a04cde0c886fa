import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { giveUpBulkJob } from "#domain/history/bulk-jobs.js";
import { BulkStepFailed, workBulkStep } from "#domain/history/bulk-steps.js";

export interface BulkWorkOptions {
  pool: Pool;
  /** Called after each step that changed something: the portal has work. */
  wake: (portalId: PortalId) => void;
  /** True once the process is stopping. */
  isEnding: () => boolean;
  /** Called with a failed step; the others continue. */
  onFailed: (failure: BulkStepFailed) => void;
}

/**
 * Works through the bulk jobs that admins asked for, a step at a time, until none is left. Each step commits with its
 * progress: a crash repeats nothing, and another process continues where it stopped. A job whose step fails does not
 * delay others: it is stopped if it can never succeed, and otherwise left for the next call.
 */
export async function workBulkJobs(options: BulkWorkOptions): Promise<void> {
  const { pool, wake, isEnding, onFailed } = options;
  const failed: bigint[] = [];
  while (!isEnding()) {
    try {
      const step = await inTransaction(pool, (client) => workBulkStep(client, failed));
      if (step === undefined) return;
      if (step.changed > 0) wake(step.portalId);
    } catch (error) {
      if (!(error instanceof BulkStepFailed)) throw error;
      failed.push(error.job.jobId);
      onFailed(error);
      if (error.isForGood) await stopForGood(pool, error);
    }
  }
}

const IMPOSSIBLE = "This bulk action failed because its filter is too complex.";

/** In its own transaction: the step's was rolled back. */
async function stopForGood(pool: Pool, { job: { portalId, jobId } }: BulkStepFailed): Promise<void> {
  const worker = { kind: "system", portalId, part: "worker" } as const;
  await inTransaction(pool, (client) => giveUpBulkJob(client, worker, { id: jobId, reason: IMPOSSIBLE }));
}
