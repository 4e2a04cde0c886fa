import type { Pool } from "pg";
import { inTransaction } from "../db/transaction.js";
import { workBulkStep } from "../executions/bulk-jobs.js";

export interface BulkWorkOptions {
  pool: Pool;
  /** Told after each step that changed something: the portal has work. */
  wake: (portalId: bigint) => void;
  /** True once the process is stopping. */
  isEnding: () => boolean;
}

/**
 * Works through the bulk jobs that admins asked for, a step at a time, until none is left. Each step commits with its
 * progress: a crash repeats nothing, and another process goes on where it stopped.
 */
export async function workBulkJobs({ pool, wake, isEnding }: BulkWorkOptions): Promise<void> {
  while (!isEnding()) {
    const step = await inTransaction(pool, workBulkStep);
    if (step === undefined) return;
    if (step.changed > 0) wake(step.portalId);
  }
}
