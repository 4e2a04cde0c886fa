import type { Pool } from "pg";
import { peopleOf } from "#domain/directory/people.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Which of the things the app needs an account has, as far as our copies show. */
export interface SetupFacts {
  readonly sequences: number;
  /** Active users. */
  readonly users: number;
  /** A workflow has our action that enrolls, or has called it at least once. */
  readonly isInWorkflow: boolean;
  /** Names of workflows that enroll by HubSpot's own action; a few at most. */
  readonly nativeWorkflows: readonly string[];
}

interface Row {
  sequences: number;
  users: number;
  is_in_workflow: boolean;
  native: string[] | null;
}

const NATIVE_NAMED = 3;

/** Counts in copies of lists, and asks for one call: the history's length does not matter. */
export async function readSetupFacts(pool: Pool, portalId: PortalId): Promise<SetupFacts> {
  const { rows } = await pool.query<Row>({
    name: "setup-facts",
    text: `
      SELECT (SELECT count(*)::int FROM sequences WHERE portal_id = $1 AND is_listed) AS sequences,
             (SELECT count(*)::int FROM (${peopleOf()}) AS person WHERE is_active) AS users,
             EXISTS (SELECT FROM flow_steps s JOIN flows f ON f.portal_id = s.portal_id AND f.flow_id = s.flow_id
                      WHERE s.portal_id = $1 AND s.kind = 'ENROLL' AND f.is_listed)
               OR EXISTS (SELECT FROM executions WHERE portal_id = $1) AS is_in_workflow,
             (SELECT array_agg(name) FROM (
                SELECT DISTINCT f.name FROM flow_steps s JOIN flows f ON f.portal_id = s.portal_id AND f.flow_id = s.flow_id
                 WHERE s.portal_id = $1 AND s.kind = 'NATIVE_ENROLL' AND f.is_listed AND f.name IS NOT NULL
                 ORDER BY f.name LIMIT ${NATIVE_NAMED}) AS native) AS native`,
    values: [portalId],
  });
  const { sequences = 0, users = 0, is_in_workflow = false, native = null } = rows[0] ?? {};
  return { sequences, users, isInWorkflow: is_in_workflow, nativeWorkflows: native ?? [] };
}
