import type { Pool } from "pg";
import { setTimeout as sleep } from "node:timers/promises";
import { addBacklog, openCount } from "./backlog.js";

const TIMEOUT_MS = 180_000;
const LOOK_MS = 200;

/**
 * Adds a backlog and waits until it is enrolled and completed.
 *
 * @returns enrollments per second, from the first claim to the last acknowledged completion.
 * @throws Error where it takes minutes, or a contact was not enrolled.
 */
export async function drainRate(
  pool: Pool,
  backlog: { portalIds: readonly number[]; each: number; from: number },
): Promise<number> {
  const { rows: clock } = await pool.query<{ now: Date }>(`SELECT now()`);
  await addBacklog(pool, backlog);
  const giveUpAt = performance.now() + TIMEOUT_MS;
  while ((await openCount(pool)) > 0) {
    if (performance.now() > giveUpAt) throw new Error(`${await openCount(pool)} executions are unfinished`);
    await sleep(LOOK_MS);
  }
  const { rows } = await pool.query<{ enrolled: string; seconds: number }>(
    `SELECT count(*) FILTER (WHERE enrollment_status = 'ENROLLED') AS enrolled,
            extract(epoch FROM max(completed_at) - min(first_attempt_at))::float8 AS seconds
       FROM executions WHERE decided_at >= $1 AND accepted_at >= $1 AND portal_id = ANY ($2::bigint[])`,
    [clock[0]?.now, backlog.portalIds],
  );
  const total = backlog.each * backlog.portalIds.length;
  if (Number(rows[0]?.enrolled) !== total) throw new Error(`${rows[0]?.enrolled} of ${total} were enrolled`);
  return total / (rows[0]?.seconds ?? Number.NaN);
}
