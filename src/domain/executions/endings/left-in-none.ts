import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";

const CODE: ErrorCode = "REPLACE_INCOMPLETE";

/** As an SQL literal. */
const SENTENCE = ERROR_SENTENCES[CODE].replaceAll("'", "''");

/**
 * SQL: the contact of `executions e` was taken out of its sequence to be enrolled in another one, or the helper workflow
 * that does so was started for it and has not been seen to end (src/domain/unenroll).
 */
const WAS_TAKEN_OUT = `EXISTS (SELECT FROM unenrollments u
  WHERE u.portal_id = e.portal_id AND u.execution_id = e.id AND u.stamp IS NOT NULL AND (u.left_at IS NOT NULL OR u.outcome IS NULL))`;

/** An outcome about to be written to `executions e`, as SQL. */
interface DecidedColumns {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

/**
 * SQL of the error code and message of an outcome. If the contact was being moved from another sequence and is not
 * enrolled, it may be in none now: that is what its workflow and its admins have to know first. The cause follows in the
 * message. Every statement that can decide such an execution uses it. Looks at another table only for what failed.
 */
export function leftInNone({ status, code, message }: DecidedColumns): { code: string; message: string } {
  const isLeft = `(e.kind = 'ENROLL' AND ${status} IN ('FAILED', 'SKIPPED') AND ${code} IS DISTINCT FROM 'CONTACT_NOT_FOUND' AND ${WAS_TAKEN_OUT})`;
  return {
    code: `CASE WHEN ${isLeft} THEN '${CODE}' ELSE ${code} END`,
    message: `CASE WHEN ${isLeft} THEN concat_ws(' Cause: ', '${SENTENCE}', ${message}) ELSE ${message} END`,
  };
}
