import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { claimDue, claimUncertain, recoverAttempts, type Ownership } from "../../src/executions/claim.js";
import { readOwedCompletions, writeCompletionResults } from "../../src/executions/completions.js";
import { createAcceptor } from "../../src/executions/accept.js";
import { enrolled } from "../../src/executions/outcome.js";
import { portalsWithHistory, pruneNext } from "../../src/executions/prune.js";
import { writeFindings } from "../../src/executions/write-back.js";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "../../src/jobs/wake-due-portals.js";
import { acquirePortal, LEASE_CTE } from "../../src/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

const PORTAL = 7_001n;
/** Open executions of one portal, and as many finished ones of another: a million rows with PLAN_ROWS=500000. */
const BACKLOG = Number(process.env["PLAN_ROWS"] ?? 30_000);

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Rows of the executions table that a plan had to look at. */
function rowsRead(node: PlanNode): number {
  const own = /Scan/.test(node["Node Type"]) && node["Relation Name"] === "executions";
  const read = own ? (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"] : 0;
  return read + (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), 0);
}

describe("however long the backlog and the history, statements read no more than they return", () => {
  let db: TestDatabase;
  let epoch: bigint;

  beforeAll(async () => {
    db = await createTestDatabase();
    ({ epoch } = await acquirePortal(db.database.pool, PORTAL));
    await db.database.pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, due_at, deadline_at, contact_id, sequence_id, request)
       SELECT portal, 'ap-plan-' || number, 'ENROLL', state, $2::bigint, now() - number * interval '1 ms',
              now() + interval '1 day', '1', '2', '{}'
         FROM generate_series(1, $3::int) AS number, unnest(ARRAY[$1::bigint, 7002]) AS portal,
              LATERAL (SELECT CASE WHEN portal = 7002 THEN 'COMPLETED' ELSE 'QUEUED' END AS state) AS chosen`,
      [PORTAL, epoch, BACKLOG],
    );
    await db.database.pool.query(
      `INSERT INTO portals (portal_id, status) SELECT generate_series(7001, 7200), 'CONNECTED'`,
    );
    await db.database.pool.query(`ANALYZE`);
  });

  afterAll(() => db.drop());

  /** Runs the owner's statement under EXPLAIN, as the generic plan a prepared statement ends up with, and takes it back. */
  async function cost(work: (owner: Ownership) => Promise<unknown>): Promise<number> {
    const client = await db.database.pool.connect();
    let read = 0;
    const explaining = {
      async query({ text, values = [] }: { text: string; values?: readonly unknown[] }) {
        const literals = values.length === 0 ? "" : `(${values.map(toLiteral).join(", ")})`;
        await client.query(`PREPARE probe AS ${text}`);
        const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE probe ${literals}`,
        );
        read = rowsRead((rows[0] as { "QUERY PLAN": [{ Plan: PlanNode }] })["QUERY PLAN"][0].Plan);
        await client.query(`DEALLOCATE probe`);
        return { rows: [], rowCount: 0 };
      },
    };
    try {
      await client.query(`BEGIN`);
      await client.query(`SET LOCAL plan_cache_mode = force_generic_plan`);
      await work({
        pool: explaining as unknown as Ownership["pool"],
        portalId: PORTAL,
        epoch,
        leaseCte: LEASE_CTE,
      });
    } finally {
      await client.query(`ROLLBACK`);
      client.release();
    }
    return read;
  }

  function toLiteral(value: unknown): string {
    if (value === null || value === undefined) return "NULL";
    if (Array.isArray(value)) {
      const members = (value as (string | bigint | number | boolean | Date | null | undefined)[]).map(
        (member) => {
          if (member === null || member === undefined) return "NULL";
          const text = member instanceof Date ? member.toISOString() : String(member);
          return `"${text.replace(/["\\]/g, "\\$&")}"`;
        },
      );
      return `'{${members.join(",")}}'`;
    }
    return `'${(value as bigint | number | string).toString()}'`;
  }

  async function someIds(count: number): Promise<bigint[]> {
    const { rows } = await db.database.pool.query<{ id: string }>(
      `SELECT id FROM executions WHERE portal_id = $1 LIMIT $2`,
      [PORTAL, count],
    );
    return rows.map(({ id }) => BigInt(id));
  }

  test("claiming what is due", async () => {
    expect(await cost((owner) => claimDue(owner, 50))).toBeLessThanOrEqual(200);
  });

  test("looking for uncertain ones while there are none", async () => {
    expect(await cost((owner) => claimUncertain(owner, 50))).toBeLessThanOrEqual(200);
  });

  test("recovering while there is nothing to recover", async () => {
    expect(await cost((owner) => recoverAttempts(owner))).toBeLessThanOrEqual(200);
  });

  test("reading owed completions", async () => {
    expect(await cost((owner) => readOwedCompletions(owner, 100))).toBeLessThanOrEqual(200);
  });

  test("writing findings", async () => {
    const ids = await someIds(50);
    const outcome = enrolled({ id: "1", enrolledAt: new Date() });
    const findings = ids.map((id) => ({
      id,
      from: "ATTEMPTING" as const,
      result: { to: "DECIDED" as const, outcome },
    }));
    expect(await cost((owner) => writeFindings(owner, findings))).toBeLessThanOrEqual(200);
  });

  test("storing a shared commit of calls, some of them repeated", async () => {
    const call = (callbackId: string) => ({
      ...{ portalId: PORTAL, callbackId, contactId: "1", workflowId: undefined, sequenceId: "2" },
      request: { senderMode: "portal_default" as const },
    });
    const read = await cost(async ({ pool }) => {
      const accept = createAcceptor({ pool, deadlineHours: 1, onStored: () => undefined });
      await Promise.all(Array.from({ length: 50 }, (_, index) => accept(call(`ap-plan-${index * 1_000}`))));
    });
    expect(read).toBeLessThanOrEqual(200);
  });

  test("sweeping for portals with work", async () => {
    expect(await cost(({ pool }) => findDuePortals(pool))).toBeLessThanOrEqual(200);
  });

  test("sweeping for portals past their time, of portals that cannot be called", async () => {
    await db.database.pool.query(`UPDATE portals SET status = 'DISCONNECTED' WHERE portal_id > 7001`);
    expect(await cost(({ pool }) => findOverduePortals(pool))).toBeLessThanOrEqual(200);
  });

  test("looking whether a portal has work", async () => {
    expect(await cost(({ pool }) => hasQueuedWork(pool, PORTAL))).toBeLessThanOrEqual(200);
  });

  test("a step of the retention job", async () => {
    const step = { portalId: PORTAL, after: 0n, limit: 50 };
    expect(await cost(({ pool }) => pruneNext(pool, step))).toBeLessThanOrEqual(200);
  });

  test("finding the portals that have a history", async () => {
    expect(await cost(({ pool }) => portalsWithHistory(pool))).toBeLessThanOrEqual(200);
  });

  test("settling completions, of a portal that is owed thousands since statistics were last gathered", async () => {
    const { rows } = await db.database.pool.query<{ id: string }>(
      `UPDATE executions SET state = 'DECIDED' WHERE portal_id = $1 AND id IN (
         SELECT id FROM executions WHERE portal_id = $1 AND state = 'QUEUED' ORDER BY id LIMIT 5000) RETURNING id`,
      [PORTAL],
    );
    const results = rows.slice(0, 50).map(({ id }) => ({ id: BigInt(id), to: "COMPLETED" as const }));
    expect(await cost((owner) => writeCompletionResults(owner, results))).toBeLessThanOrEqual(200);
  });
});
