import type { Pool } from "pg";
import type { Ownership } from "#domain/executions/claim.js";
import { LEASE_CTE } from "#platform/queue/portal-lease.js";

export const PORTAL = 7_001n;

export const QUIET = 7_002n;

/** An admin has just had all of its failures tried again: a sixth as many executions are to be read first as the table holds. */
export const RETRYING = 7_003n;

/** Executions in the table: two in five wait, one in ten is owed a completion, the others are history. */
export const ROWS = Number(process.env["QUERY_PLAN_ROWS"] ?? 60_000);

/** What is read for statements that return fifty rows at most. */
export const FEW = 200;

/** The settings site counts this many rows (admin/backlog.ts). */
export const COUNTED = 50_000;

export interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Alias?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** The tables that grow with an account's history. */
const GROWING: readonly (string | undefined)[] = ["executions", "followed_enrollments"];

/** Rows of the tables that grow that a plan had to look at. */
export function rowsRead(node: PlanNode): number {
  const own = /Scan/.test(node["Node Type"]) && GROWING.includes(node["Relation Name"]);
  const read = own ? (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"] : 0;
  return read + (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), 0);
}

/** Those of executions that were read themselves, and not only an index's entries of them. */
export function wholeRowsRead(node: PlanNode): number {
  const isWhole = node["Relation Name"] === "executions" && node["Node Type"] !== "Index Only Scan";
  const own = isWhole ? rowsRead({ ...node, Plans: [] }) : 0;
  return own + (node.Plans ?? []).reduce((sum, child) => sum + wholeRowsRead(child), 0);
}

/** What EXPLAIN is told to plan for. pg sends a statement without a name with its values, one with a name without. */
/** Indexes by which the rows to be updated are found: statements call them `e`, and those they look at before `e` in a CTE. */
function indexesOfTarget(plan: PlanNode): string[] {
  const own = plan.Alias === "e" && plan["Index Name"] !== undefined ? [plan["Index Name"]] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(indexesOfTarget)];
}

export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export function toLiteral(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  if (value instanceof Date) return `'${value.toISOString()}'`;
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (!Array.isArray(value)) return `'${(value as bigint | number).toString()}'`;
  const members = (value as (string | bigint | number | boolean | Date | null | undefined)[]).map(
    (member) => {
      if (member === null || member === undefined) return "NULL";
      const text = member instanceof Date ? member.toISOString() : String(member);
      return `"${text.replace(/["\\]/g, "\\$&")}"`;
    },
  );
  return `'{${members.join(",")}}'`;
}

/** Rows of one INSERT: the pool gives up a statement that takes seconds. */
export const LOADED_AT_ONCE = 50_000;

/** Executions in the order in which they came, as the table holds them after months. */
export async function load(pool: Pool, epoch: bigint): Promise<void> {
  for (let from = 1; from <= ROWS; from += LOADED_AT_ONCE) {
    const to = Math.min(ROWS, from + LOADED_AT_ONCE - 1);
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, accepted_at, due_at, deadline_at, contact_id, sequence_id, request, enrollment_status)
       SELECT portal, 'ap-plan-' || number, 'ENROLL', state, $2::bigint, at, at, now() + interval '1 day', '1', '2', '{}',
              CASE WHEN state = 'COMPLETED' THEN 'ENROLLED' END
         FROM generate_series($5::int, $6::int) AS number,
              LATERAL (SELECT now() - ($4::int - number) * interval '1 ms' AS at,
                              CASE WHEN number % 4 = 0 THEN $3::bigint ELSE $1::bigint END AS portal,
                              CASE WHEN number % 4 = 0 OR number % 4 = 1 AND number % 10 <> 1 THEN 'COMPLETED'
                                   WHEN number % 10 IN (1, 2) THEN 'DECIDED' ELSE 'QUEUED' END AS state) AS chosen`,
      [PORTAL, epoch, QUIET, ROWS, from, to],
    );
  }
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
     SELECT $1, 'ap-retry-' || number, 'ENROLL', CASE WHEN number % 6 = 0 THEN 'QUEUED' ELSE 'UNCERTAIN' END,
            now() - CASE WHEN number % 6 = 0 THEN interval '1 second' ELSE interval '1 minute' END,
            now() + interval '1 day', '1', '2', '{}'
       FROM generate_series(1, $2::int) AS number`,
    [RETRYING, Math.min(LOADED_AT_ONCE, Math.floor(ROWS / 5))],
  );
  await pool.query(`INSERT INTO portals (portal_id, status) SELECT generate_series(7001, 7200), 'CONNECTED'`);
}

/**
 * Runs the statements of `work` under EXPLAIN, planned as they are in the app, then as they are, and takes all back.
 *
 * @returns the rows of executions they read, and what `work` made of their answers.
 */
export async function costOf<T>(
  database: Pool,
  work: (owner: Ownership) => Promise<T>,
  { portalId, epoch }: Pick<Ownership, "portalId" | "epoch">,
): Promise<{ read: number; result: T; targetIndexes: string[] }> {
  const client = await database.connect();
  let read = 0;
  const targetIndexes: string[] = [];
  const explaining = {
    async query(given: string | Statement, listed?: readonly unknown[]) {
      const { name, text, values = listed ?? [] } = typeof given === "string" ? { text: given } : given;
      const literals = values.length === 0 ? "" : `(${values.map(toLiteral).join(", ")})`;
      const mode = name === undefined ? "force_custom_plan" : "force_generic_plan";
      await client.query(`SET LOCAL plan_cache_mode = ${mode}`);
      await client.query(`PREPARE probe AS ${text}`);
      const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE probe ${literals}`,
      );
      const plan = (rows[0] as { "QUERY PLAN": [{ Plan: PlanNode }] })["QUERY PLAN"][0].Plan;
      read += rowsRead(plan);
      targetIndexes.push(...indexesOfTarget(plan));
      await client.query(`DEALLOCATE probe`);
      return client.query(text, [...values]);
    },
  };
  try {
    await client.query(`BEGIN`);
    const pool = explaining as unknown as Ownership["pool"];
    const result = await work({ pool, portalId, epoch, leaseCte: LEASE_CTE });
    return { read, result, targetIndexes };
  } finally {
    await client.query(`ROLLBACK`);
    client.release();
  }
}
