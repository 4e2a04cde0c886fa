import type { Pool } from "pg";
import { QUEUE } from "./open-boss.js";

/**
 * After the database's clock was set back: a dead owner's last heartbeat lies in the future, and would keep its portal for as
 * long as the clock was set back. From now on every owner has the usual time to renew it.
 */
export async function limitFutureHeartbeats(pool: Pool): Promise<void> {
  await pool.query(
    `UPDATE pgboss.job SET heartbeat_on = now() WHERE name = $1 AND state = 'active' AND heartbeat_on > now()`,
    [QUEUE],
  );
}
