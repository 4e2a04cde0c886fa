import type { Pool } from "pg";
import type { Prisma } from "#platform/db/generated/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Ownership } from "#domain/executions/claim.js";

/**
 * What keeps a helper workflow that was made from being used. A person's doing is reported and never undone:
 * - `DISABLED`: it is turned off; `CHANGED`: its trigger or its step is another; `DELETED`: it is gone
 * - `NO_PERMISSION`: the account no longer grants the scopes; `NO_PROPERTY`: the contact property is gone
 */
export const SETUP_PROBLEMS = ["DISABLED", "CHANGED", "DELETED", "NO_PERMISSION", "NO_PROPERTY"] as const;
export type SetupProblem = (typeof SETUP_PROBLEMS)[number];

/** `MAKING`: property and workflow are being made in HubSpot; `REMOVING`: they are being deleted. Without a row: off. */
export type SetupState = "MAKING" | "ON" | "REMOVING";

/** How far an account has switched unenrolling on. */
export interface UnenrollSetup {
  readonly state: SetupState;
  /** Undefined: not made yet. */
  readonly flowId: string | undefined;
  readonly revisionId: string | undefined;
  readonly hasMadeProperty: boolean;
  readonly problem: SetupProblem | undefined;
  readonly problemAt: Date | undefined;
  /** When the helper workflow was last read in HubSpot. */
  readonly checkedAt: Date | undefined;
  readonly dueAt: Date;
  readonly tries: number;
  /** Why the last step of making or removing it failed. */
  readonly lastProblem: string | undefined;
}

interface SetupRow {
  state: SetupState;
  flow_id: string | null;
  revision_id: string | null;
  has_made_property: boolean;
  problem: SetupProblem | null;
  problem_at: Date | null;
  checked_at: Date | null;
  due_at: Date;
  tries: number;
  last_problem: string | null;
}

/** Undefined: the account has not switched unenrolling on. */
export async function readSetup(
  { pool }: { readonly pool: Pick<Pool, "query"> },
  portalId: PortalId,
): Promise<UnenrollSetup | undefined> {
  const { rows } = await pool.query<SetupRow>({
    name: "read-unenroll-setup",
    text: `SELECT state, flow_id, revision_id, has_made_property, problem, problem_at, checked_at, due_at, tries, last_problem
             FROM unenroll_setups WHERE portal_id = $1`,
    values: [portalId],
  });
  const [row] = rows;
  return row && toSetup(row);
}

function toSetup(row: SetupRow): UnenrollSetup {
  return {
    state: row.state,
    flowId: row.flow_id ?? undefined,
    revisionId: row.revision_id ?? undefined,
    hasMadeProperty: row.has_made_property,
    problem: row.problem ?? undefined,
    problemAt: row.problem_at ?? undefined,
    checkedAt: row.checked_at ?? undefined,
    dueAt: row.due_at,
    tries: row.tries,
    lastProblem: row.last_problem ?? undefined,
  };
}

/** Whether contacts can be taken out of their sequences now. */
export function isUsable(setup: UnenrollSetup | undefined): boolean {
  return setup?.state === "ON" && setup.problem === undefined;
}

/** SQL: the same for the portal of this SQL expression. */
export const canUnenrollSql = (portalId: string): string =>
  `EXISTS (SELECT FROM unenroll_setups u WHERE u.portal_id = ${portalId} AND u.state = 'ON' AND u.problem IS NULL)`;

/** The same in a transaction of Prisma's. */
export async function canUnenroll(
  transaction: Prisma.TransactionClient,
  portalId: PortalId,
): Promise<boolean> {
  return (await transaction.unenrollSetup.count({ where: { portalId, state: "ON", problem: null } })) === 1;
}

/** What the portal's owner has found out, or done; what is left out stays as it was. */
export interface SetupChange {
  readonly state?: SetupState;
  readonly flowId?: string;
  readonly revisionId?: string;
  readonly hasMadeProperty?: boolean;
  /** Null: there is none anymore. */
  readonly problem?: SetupProblem | null;
  readonly isChecked?: boolean;
  /** When to look again, in ms from now. */
  readonly dueInMs: number;
  readonly tries: number;
  readonly lastProblem: string | null;
}

/**
 * Stores it under the lease, unless an admin has meanwhile asked for something else.
 *
 * @param from the state it was found in.
 * @returns false if it was not stored.
 */
export async function writeSetup(owner: Ownership, from: SetupState, change: SetupChange): Promise<boolean> {
  const { rowCount } = await owner.pool.query({
    name: "write-unenroll-setup",
    text: `
      WITH ${owner.leaseCte}
      UPDATE unenroll_setups s
         SET state = coalesce($4, s.state), flow_id = coalesce($5, s.flow_id), revision_id = coalesce($6, s.revision_id),
             has_made_property = coalesce($7, s.has_made_property),
             problem = CASE WHEN $8 THEN $9 ELSE s.problem END,
             problem_at = CASE WHEN NOT $8 THEN s.problem_at WHEN $9::text IS NULL THEN NULL
                               WHEN s.problem = $9 THEN s.problem_at ELSE now() END,
             checked_at = CASE WHEN $10 THEN now() ELSE s.checked_at END,
             due_at = now() + $11::float8 * interval '1 millisecond', tries = $12, last_problem = $13, updated_at = now()
        FROM lease WHERE s.portal_id = lease.portal_id AND s.state = $3`,
    values: [
      owner.portalId,
      owner.epoch,
      from,
      change.state ?? null,
      change.flowId ?? null,
      change.revisionId ?? null,
      change.hasMadeProperty ?? null,
      change.problem !== undefined,
      change.problem ?? null,
      change.isChecked ?? false,
      change.dueInMs,
      change.tries,
      change.lastProblem,
    ],
  });
  return rowCount === 1;
}

/** Everything it needed is gone from HubSpot, or was left to the person who changed it. */
export async function forgetSetup(owner: Ownership): Promise<void> {
  await owner.pool.query({
    name: "forget-unenroll-setup",
    text: `WITH ${owner.leaseCte} DELETE FROM unenroll_setups s USING lease
            WHERE s.portal_id = lease.portal_id AND s.state = 'REMOVING'`,
    values: [owner.portalId, owner.epoch],
  });
}
