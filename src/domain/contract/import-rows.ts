import { ERASED_CONTACT } from "./execution.js";

/**
 * SQL: what is set in an import's row so that nothing of its contact is left. The row's result stays, and with it the
 * counts; a row that was not handled yet is no longer enrolled.
 */
export const FORGOTTEN = `cells = '[]', contact_key = NULL, contact_id = '${ERASED_CONTACT}', reason = NULL,
  result = coalesce(result, CASE WHEN execution_id IS NULL THEN 'FAILED' END),
  reason_code = coalesce(reason_code, CASE WHEN execution_id IS NULL AND result IS NULL THEN 'CONTACT_NOT_FOUND' END)`;
