import type { Pool } from "pg";
import { databaseTroubleOf } from "./storage-faults.js";

/** Waits, like a call, while another session has locked the table. */
const LOOK = `
  SELECT pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only,
         (SELECT true FROM executions LIMIT 1) AS has_history`;

/**
 * Why calls cannot be stored in the database now, in words that anyone may read; undefined: they can.
 *
 * @throws any fault that the operator cannot fix: there is no answer.
 */
export async function whyNotWritable(pool: Pool): Promise<string | undefined> {
  try {
    const { rows } = await pool.query<{ is_standby: boolean; is_read_only: boolean }>(LOOK);
    if (rows[0]?.is_standby === true) return "It is a standby, or still recovering: it takes no writes.";
    if (rows[0]?.is_read_only === true) return "It is read-only: it takes no writes.";
    return undefined;
  } catch (error) {
    const trouble = databaseTroubleOf(error);
    if (trouble === undefined) throw error;
    return `${trouble.means} The log says what to do (${trouble.cause}).`;
  }
}
