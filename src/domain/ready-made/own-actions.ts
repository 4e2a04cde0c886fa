import type { Pool } from "pg";
import { EXECUTION_KINDS } from "#domain/contract/execution.js";
import type { OwnAction, OwnActions } from "./plan-flow.js";

/**
 * HubSpot's numbers of our actions, each as the last call named it: only calls name them
 * (domain/flows/action-types.ts).
 */
export async function readOwnActions(pool: Pick<Pool, "query">): Promise<OwnActions> {
  const { rows } = await pool.query<{ kind: string; definition_id: string; version: number }>({
    name: "read-own-actions",
    text: `SELECT DISTINCT ON (kind) kind, definition_id, version FROM action_types ORDER BY kind, last_seen_at DESC, version DESC`,
  });
  const known = new Map(rows.map(({ kind, ...action }) => [kind, action]));
  return Object.fromEntries(
    EXECUTION_KINDS.flatMap((kind): [string, OwnAction][] => {
      const action = known.get(kind);
      return action === undefined
        ? []
        : [[kind, { typeId: `1-${action.definition_id}`, version: action.version }]];
    }),
  );
}
