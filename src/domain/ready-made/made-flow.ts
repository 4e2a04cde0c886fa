import type { Pool } from "pg";
import type { Ownership } from "#domain/executions/claim.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { RECIPES, type Recipe } from "./recipe.js";
import type { FlowDefinition } from "./plan-flow.js";

/**
 * How far one of our workflows is. `SENDING`: the create may have been sent, so the workflow is looked for before it is sent
 * again; `FAILED`: HubSpot refused it; `REMOVED`: it is gone from HubSpot.
 */
export type MadeFlowState = "MAKING" | "SENDING" | "MADE" | "REMOVING" | "REMOVED" | "FAILED";

/**
 * Why it could not be made, or deleted. `NO_PERMISSION`: a scope is missing; `REFUSED`: HubSpot did not take it; `CHANGED`:
 * a person changed it, so it is not ours to delete anymore.
 */
export const MADE_FLOW_PROBLEMS = ["NO_PERMISSION", "REFUSED", "CHANGED"] as const;
export type MadeFlowProblem = (typeof MADE_FLOW_PROBLEMS)[number];

/** A workflow that someone had made, as the page shows it. */
export interface MadeFlow {
  readonly id: bigint;
  readonly recipe: Recipe;
  readonly name: string;
  readonly state: MadeFlowState;
  readonly flowId: string | undefined;
  /** Null: no longer known. */
  readonly madeBy: string | null;
  readonly createdAt: Date;
  readonly problem: MadeFlowProblem | undefined;
  /** HubSpot's words about the problem, or why the last try failed. */
  readonly message: string | undefined;
  /** Our contact property starts it, for which the account grants two further scopes. */
  readonly takesStamps: boolean;
  /** Someone has changed it since, or turned it on, as far as we have read. */
  readonly isChanged: boolean;
}

/** One that is to be made or deleted now. */
export interface DueMadeFlow {
  readonly id: bigint;
  readonly state: "MAKING" | "SENDING" | "REMOVING";
  readonly name: string;
  readonly marker: string;
  readonly definition: FlowDefinition;
  readonly stamp: string | undefined;
  readonly flowId: string | undefined;
  readonly revisionId: string | undefined;
  readonly tries: number;
}

/**
 * Part of the description of each workflow that we make: if the answer to its creation is lost, it is found by this.
 */
export const markerOf = (requestKey: string): string => `[sequence-enroller ${requestKey}]`;

interface MadeFlowRow {
  id: string;
  recipe: string;
  name: string;
  state: MadeFlowState;
  flow_id: string | null;
  made_by_email: string | null;
  created_at: Date;
  problem: string | null;
  message: string | null;
  takes_stamps: boolean;
  is_changed: boolean;
}

/** More than a page can show. */
const MOST_LISTED = 200;

/** The account's own, the newest first; without those that are gone. */
export async function listMadeFlows(pool: Pool, portalId: PortalId): Promise<MadeFlow[]> {
  const { rows } = await pool.query<MadeFlowRow>({
    name: "list-made-flows",
    text: `SELECT m.id, m.recipe, m.name, m.state, m.flow_id, m.made_by_email, m.created_at, m.problem, m.message, m.stamp IS NOT NULL AS takes_stamps,
                  coalesce(f.revision_id <> m.revision_id, false) AS is_changed
             FROM made_flows m LEFT JOIN flows f ON f.portal_id = m.portal_id AND f.flow_id = m.flow_id
            WHERE m.portal_id = $1 AND m.state <> 'REMOVED' ORDER BY m.id DESC LIMIT ${MOST_LISTED}`,
    values: [portalId],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    recipe: RECIPES.find((recipe) => recipe === row.recipe) ?? "FILTER",
    name: row.name,
    state: row.state,
    flowId: row.flow_id ?? undefined,
    madeBy: row.made_by_email,
    createdAt: row.created_at,
    problem: MADE_FLOW_PROBLEMS.find((problem) => problem === row.problem),
    message: row.message ?? undefined,
    takesStamps: row.takes_stamps,
    isChanged: row.is_changed,
  }));
}

interface DueRow {
  id: string;
  state: DueMadeFlow["state"];
  name: string;
  request_key: string;
  definition: FlowDefinition;
  stamp: string | null;
  flow_id: string | null;
  revision_id: string | null;
  tries: number;
}

/** The one that has been due longest. */
export async function readDueMadeFlow({
  pool,
  portalId,
}: Pick<Ownership, "pool" | "portalId">): Promise<DueMadeFlow | undefined> {
  const { rows } = await pool.query<DueRow>({
    name: "read-due-made-flow",
    text: `SELECT id, state, name, request_key, definition, stamp, flow_id, revision_id, tries FROM made_flows
            WHERE portal_id = $1 AND state IN ('MAKING', 'SENDING', 'REMOVING') AND due_at <= now() ORDER BY due_at, id LIMIT 1`,
    values: [portalId],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const { request_key, stamp, flow_id, revision_id, ...same } = row;
  return {
    ...same,
    id: BigInt(row.id),
    marker: markerOf(request_key),
    stamp: stamp ?? undefined,
    flowId: flow_id ?? undefined,
    revisionId: revision_id ?? undefined,
  };
}

/** What the portal's owner has done, or found out; what is left out stays as it was. */
export interface MadeFlowChange {
  readonly state: MadeFlowState;
  readonly flowId?: string;
  readonly revisionId?: string;
  /** Null: there is none. */
  readonly problem?: MadeFlowProblem | null;
  readonly message?: string | null;
  /** When to continue, in ms from now. */
  readonly dueInMs?: number;
  readonly tries?: number;
}

/**
 * Stores it under the lease, unless its state has changed by now.
 *
 * @returns false if it was not stored.
 */
export async function writeMadeFlow(
  owner: Ownership,
  { id, state: from }: Pick<DueMadeFlow, "id" | "state">,
  change: MadeFlowChange,
): Promise<boolean> {
  const { rowCount } = await owner.pool.query({
    name: "write-made-flow",
    text: `
      WITH ${owner.leaseCte}
      UPDATE made_flows f
         SET state = $5, flow_id = coalesce($6, f.flow_id), revision_id = coalesce($7, f.revision_id),
             problem = $8, message = $9, due_at = now() + $10::float8 * interval '1 millisecond', tries = $11,
             ended_at = CASE WHEN $5 IN ('REMOVED', 'FAILED') THEN now() END
        FROM lease WHERE f.portal_id = lease.portal_id AND f.id = $3 AND f.state = $4`,
    values: [
      owner.portalId,
      owner.epoch,
      id,
      from,
      change.state,
      change.flowId ?? null,
      change.revisionId ?? null,
      change.problem ?? null,
      change.message ?? null,
      change.dueInMs ?? 0,
      change.tries ?? 0,
    ],
  });
  return rowCount === 1;
}

/** SQL: when the next of them is due; null: there is none. `p` is the portal. */
export const NEXT_MADE_FLOW = `(SELECT min(m.due_at) FROM made_flows m
  WHERE m.portal_id = p.portal_id AND m.state IN ('MAKING', 'SENDING', 'REMOVING'))`;
