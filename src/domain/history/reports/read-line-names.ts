import type { Pool } from "pg";
import { peopleOf } from "#domain/directory/people.js";
import { findFlows } from "#domain/flows/flow-names.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** What a line may be named after, by HubSpot's id; `newest` is the last execution that enrolled someone. */
export interface Unnamed {
  readonly id: string;
  readonly newest: string | null;
}

/** By the ids of the lines; those whose name is not known are left out. */
export async function readLineNames(
  pool: Pool,
  portalId: PortalId,
  { group, lines }: { group: "sequence" | "sender" | "workflow"; lines: readonly Unnamed[] },
): Promise<ReadonlyMap<string, string>> {
  if (lines.length === 0) return new Map();
  const ids = lines.map(({ id }) => id);
  if (group === "workflow") {
    const flows = await findFlows(pool, portalId, ids);
    return new Map([...flows].flatMap(([id, { name }]) => (name === null ? [] : [[id, name] as const])));
  }
  const values = group === "sender" ? [portalId, ids] : [portalId, ids, lines.map(({ newest }) => newest)];
  const { rows } = await pool.query<{ id: string; name: string | null }>(NAMES[group], values);
  return new Map(rows.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}

/** A sequence that is not listed any more is called what it was called when someone was last enrolled in it. */
const NAMES = {
  sequence: `
    SELECT line.id, coalesce(s.name, (SELECT e.sequence_name FROM executions e WHERE e.portal_id = $1 AND e.id = line.newest)) AS name
      FROM unnest($2::text[], $3::bigint[]) AS line (id, newest)
      LEFT JOIN sequences s ON s.portal_id = $1 AND s.sequence_id = line.id`,
  sender: `SELECT user_id AS id, label AS name FROM (${peopleOf("user_id = ANY ($2::bigint[])")}) AS person`,
} as const;
