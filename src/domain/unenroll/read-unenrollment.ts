import type { Pool } from "pg";
import { UNENROLL_OUTCOMES, type UnenrollOutcome } from "#domain/contract/actions/unenroll-contract.js";
import { sentenceOf } from "#domain/contract/error-codes.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

/** `PENDING`: it is under way; otherwise how it ended. */
export const UNENROLLMENT_STATUSES = ["PENDING", ...UNENROLL_OUTCOMES] as const;
export type UnenrollmentStatus = (typeof UNENROLLMENT_STATUSES)[number];

/** An unenrollment as the API tells it. */
export interface Unenrollment {
  readonly id: string;
  /** Null: the contact was erased. */
  readonly contactId: string | null;
  readonly status: UnenrollmentStatus;
  /** Why it could not be carried out, if something other than the outcome says so. */
  readonly reason: { readonly code: string; readonly message: string } | null;
}

interface Row {
  id: string;
  contact_id: string;
  is_decided: boolean;
  outcome: UnenrollOutcome | null;
  error_code: string | null;
  error_message: string | null;
}

/**
 * An unenrollment that did not come to an outcome of its own. A contact that is gone is in no sequence; what ends any
 * other way was given up before the contact was seen out of its sequence.
 */
const STATUS_OF_REASON: Readonly<Record<string, UnenrollOutcome>> = {
  CONTACT_NOT_FOUND: "NOT_ENROLLED",
  MISSING_SCOPES: "NOT_SUPPORTED",
  NOT_CONNECTED: "NOT_SUPPORTED",
};

/** Undefined: the portal has no such unenrollment. */
export async function readUnenrollment(
  pool: Pick<Pool, "query">,
  portalId: PortalId,
  id: ExecutionId,
): Promise<Unenrollment | undefined> {
  const { rows } = await pool.query<Row>({
    name: "read-unenrollment",
    text: `SELECT id, contact_id, decided_at IS NOT NULL AS is_decided, outputs ->> 'outcome' AS outcome, error_code, error_message
             FROM executions WHERE portal_id = $1 AND id = $2 AND kind = 'UNENROLL'`,
    values: [portalId, id],
  });
  const [row] = rows;
  return row && toUnenrollment(row);
}

function toUnenrollment(row: Row): Unenrollment {
  const { error_code: code, error_message: message } = row;
  return {
    id: row.id,
    contactId: row.contact_id === ERASED_CONTACT ? null : row.contact_id,
    status: statusOf(row),
    reason: code === null ? null : { code, message: message ?? sentenceOf(code) ?? code },
  };
}

function statusOf({ is_decided, outcome, error_code }: Row): UnenrollmentStatus {
  if (!is_decided) return "PENDING";
  return outcome ?? STATUS_OF_REASON[error_code ?? ""] ?? "TIMED_OUT";
}
