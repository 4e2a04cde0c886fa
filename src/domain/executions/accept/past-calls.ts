/**
 * Calls whose execution was deleted. An old signature of a call (v2) names no time, so a copy of one that somebody kept
 * stays valid for ever: without this it would enroll the contact again once its execution is gone. Forty bytes a call,
 * and nothing that tells of a person; they go with the account.
 */

/** Names a call, in SQL, by a row that has `portal_id` and `callback_id`. */
export const callKey = (row: string): string =>
  `substring(sha256(convert_to(${row}.portal_id || ':' || ${row}.callback_id, 'UTF8')) FROM 1 FOR 16)`;

/** A CTE's statement, which remembers the calls of deleted executions; an admin's retries were no calls. */
export const rememberCalls = (deleted: string): string => `
  INSERT INTO past_calls (portal_id, call_key)
  SELECT portal_id, ${callKey(deleted)} FROM ${deleted} WHERE is_held ON CONFLICT DO NOTHING`;
