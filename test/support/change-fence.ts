import type { Pool } from "pg";
import type { ChangeFence } from "#domain/enrollments/change-fence.js";

/**
 * Waits until all that was committed so far is behind the fence. Other writers of the database server, such as tests beside
 * this one, hold it back for as long as they take.
 */
export async function untilBehind(fence: ChangeFence, pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ now: Date }>(`SELECT clock_timestamp() AS now`);
  while (((await fence.read(pool)) ?? 0) < (rows[0]?.now ?? 0));
}
