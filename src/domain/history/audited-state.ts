import type { ClientBase } from "pg";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { AdminAction } from "./admin-actions.js";
import { outcomeOf } from "./shown-outcome.js";

interface Row {
  enrollment_status: string | null;
  error_code: string | null;
  is_decided: boolean;
  due_at: Date;
  last_retry: string | null;
}

/**
 * What an action changes about an execution, as the audit log records it before and after: the outcome for a cancel,
 * the newest retry for a retry, the due time for a try at once.
 */
export async function readAuditedState(
  client: ClientBase,
  portalId: PortalId,
  { id, action }: { id: ExecutionId; action: AdminAction },
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await client.query<Row>(
    `SELECT enrollment_status, error_code, decided_at IS NOT NULL AS is_decided, due_at,
            (SELECT max(r.id) FROM executions r
              WHERE r.portal_id = e.portal_id AND r.retry_of = coalesce(e.retry_of, e.id)) AS last_retry
       FROM executions e WHERE portal_id = $1 AND id = $2`,
    [portalId, id],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  switch (action) {
    case "CANCEL":
      return { outcome: outcomeOf(row.enrollment_status, row.is_decided), errorCode: row.error_code };
    case "RETRY":
      return { retriedAs: row.last_retry };
    case "TRY_NOW":
      return { dueAt: row.due_at };
  }
}
