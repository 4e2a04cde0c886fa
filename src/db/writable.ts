import type { Pool } from "pg";

/** Waits, as a call does, while somebody keeps everybody from the table. */
const LOOK = `
  SELECT pg_is_in_recovery() AS is_standby, current_setting('transaction_read_only') = 'on' AS is_read_only,
         (SELECT true FROM executions LIMIT 1) AS has_history`;

/** Why calls cannot be stored in the database now; undefined: they can. */
export async function whyNotWritable(pool: Pool): Promise<string | undefined> {
  const { rows } = await pool.query<{ is_standby: boolean; is_read_only: boolean }>(LOOK);
  if (rows[0]?.is_standby === true) return "It is a standby, or still recovering: it takes no writes.";
  if (rows[0]?.is_read_only === true) return "It is read-only: it takes no writes.";
  return undefined;
}
