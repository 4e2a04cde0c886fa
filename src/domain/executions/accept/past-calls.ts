/**
 * Calls whose execution was deleted. A call's old signature (v2) contains no time, so a copy of the call stays valid
 * forever: without this table it would enroll the contact again once its execution is gone. Forty bytes a call and no
 * personal data; deleted with the account.
 */

/** Identifies a call, in SQL, by a row that has `portal_id` and `callback_id`. */
export const callKey = (row: string): string =>
  `substring(sha256(convert_to(${row}.portal_id || ':' || ${row}.callback_id, 'UTF8')) FROM 1 FOR 16)`;

/** A CTE that remembers the calls of deleted executions; an admin's retries were not calls. */
export const rememberCalls = (deleted: string): string => `
  INSERT INTO past_calls (portal_id, call_key)
  SELECT portal_id, ${callKey(deleted)} FROM ${deleted} WHERE is_held ON CONFLICT DO NOTHING`;
