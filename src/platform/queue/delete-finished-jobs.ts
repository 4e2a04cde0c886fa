import { setTimeout as sleep } from "node:timers/promises";
import type { PgBoss } from "pg-boss";
import type { Logger } from "#platform/observability/logger.js";

/** Rows read in one statement: tens of milliseconds. */
const STEP = 5_000;
/** pg-boss's own deletion, every minute, handles this many well within its time. */
const FEW = 20_000;

/**
 * `$1` queue, `$2` id after which to search, `$3` rows. Rows that another statement holds are being deleted by pg-boss,
 * or are not finished.
 */
const DELETE_STEP = `
  WITH step AS (
    SELECT id, completed_on FROM pgboss.job WHERE name = $1 AND id > $2 ORDER BY id LIMIT $3
  ), finished AS (
    SELECT job.id FROM pgboss.job JOIN step USING (id)
     WHERE job.name = $1 AND job.completed_on < now() - interval '1 minute' FOR UPDATE OF job SKIP LOCKED
  ), deleted AS (
    DELETE FROM pgboss.job WHERE name = $1 AND id IN (SELECT id FROM finished)
  )
  SELECT max(id::text)::uuid AS last_id, count(*)::int AS looked_at FROM step`;

const IS_MUCH = `SELECT count(*) > $2 AS is_much FROM (SELECT FROM pgboss.job WHERE name = $1 LIMIT $2 + 1) AS few`;

const FIRST_ID = "00000000-0000-0000-0000-000000000000";

/** How often it is looked whether there are many. */
const EVERY_MS = 60_000;

interface Deletion {
  readonly boss: PgBoss;
  readonly queue: string;
  readonly stopping: AbortSignal;
  readonly logger: Logger;
  readonly everyMs?: number;
}

/**
 * pg-boss deletes all finished jobs in one statement. If there are millions (an earlier release deleted them once a day, a
 * database stood still for hours), the statement times out again and again; that many are deleted here in steps, from the
 * start on. Never rejects.
 */
export async function deleteFinishedJobs(deletion: Deletion): Promise<void> {
  const { stopping, everyMs = EVERY_MS } = deletion;
  while (!stopping.aborted) {
    await deleteIfMany(deletion);
    await sleep(everyMs, undefined, { signal: stopping, ref: false }).catch(() => undefined);
  }
}

async function deleteIfMany({ boss, queue, stopping, logger }: Deletion): Promise<void> {
  const db = boss.getDb();
  try {
    const { rows } = await db.executeSql(IS_MUCH, [queue, FEW]);
    let after: string | null = (rows as { is_much: boolean }[])[0]?.is_much === true ? FIRST_ID : null;
    while (after !== null && !stopping.aborted) {
      const step = await db.executeSql(DELETE_STEP, [queue, after, STEP]);
      after = (step.rows as { last_id: string | null }[])[0]?.last_id ?? null;
    }
  } catch (error) {
    if (stopping.aborted) return;
    logger.warn({ err: error }, "finished jobs of the queue could not be deleted; trying again in a minute");
  }
}
