import type { Pool } from "pg";

/**
 * Does the work if no other process is doing it: who finds the advisory lock taken does nothing.
 *
 * @returns what the work returns; undefined if another process is doing it.
 */
export async function inOneProcess<Result>(
  pool: Pool,
  lock: number,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const client = await pool.connect();
  let isBroken = false;
  try {
    const { rows } = await client.query<{ is_ours: boolean }>(`SELECT pg_try_advisory_lock($1) AS is_ours`, [
      lock,
    ]);
    if (rows[0]?.is_ours !== true) return undefined;
    try {
      return await work();
    } finally {
      await client.query(`SELECT pg_advisory_unlock($1)`, [lock]);
    }
  } catch (error) {
    // A connection that returned to the pool with the lock would keep everyone out.
    isBroken = true;
    throw error;
  } finally {
    client.release(isBroken);
  }
}
