import type { Pool, PoolClient } from "pg";

/**
 * The lock is released this soon after its process has stopped: a machine that vanishes loses its sessions, one that hangs
 * does not.
 */
const SILENCE_MS = 20_000;
/** Several signs of life within that time. */
const SIGNS = 4;

/** Says every few seconds that this process is alive; the database ends the session of one that does not. */
async function keptAlive<Result>(
  client: PoolClient,
  silenceMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  await client.query(`SET idle_session_timeout = ${silenceMs}`);
  const sign = (): void => void client.query("SELECT").catch(() => undefined);
  const signs = setInterval(sign, silenceMs / SIGNS).unref();
  try {
    return await work();
  } finally {
    clearInterval(signs);
    await client.query("SET idle_session_timeout = 0");
  }
}

/**
 * Does the work if no other process is doing it: who finds the advisory lock taken does nothing. A process that stops
 * during the work keeps nobody from it for longer than `silenceMs`; if it continues later, both are doing it.
 *
 * @returns what the work returns; undefined if another process is doing it.
 */
export async function inOneProcess<Result>(
  { pool, lock, silenceMs = SILENCE_MS }: { pool: Pool; lock: number; silenceMs?: number },
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
      return await keptAlive(client, silenceMs, work);
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
