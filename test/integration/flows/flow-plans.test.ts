import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Pool } from "pg";
import { findFlows } from "#domain/flows/flow-names.js";
import { createFlowStore, type FlowStore } from "#domain/flows/flow-store.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { listFlows } from "#domain/flows/list-flows.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import type { PlanNode, Statement } from "../../support/query-plans.js";

const PORTALS = 40;
const FLOWS = 500;
const PORTAL = 7n;
const OURS = ["flows", "flow_steps"];

let db: TestDatabase;
let epoch: bigint;

/** Rows of the copy that a plan looked at. */
function rowsRead(node: PlanNode): number {
  const isOurs = /Scan/.test(node["Node Type"]) && OURS.includes(node["Relation Name"] ?? "");
  const own = isOurs
    ? (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"]
    : 0;
  return own + (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child), 0);
}

/** What the statements of some work read, each explained as it came and undone. */
async function cost(work: (pool: Pool) => Promise<unknown>): Promise<number> {
  const { pool } = db.database;
  let read = 0;
  const explaining = {
    async query({ text, values }: Statement) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
          [...(values ?? [])],
        );
        read += rowsRead(rows[0]?.["QUERY PLAN"][0].Plan as PlanNode);
        await client.query("ROLLBACK");
        return await client.query(text, [...(values ?? [])]);
      } finally {
        client.release();
      }
    },
  } as unknown as Pool;
  await work(explaining);
  return read;
}

const store = (pool: Pool): FlowStore =>
  createFlowStore({ pool, portalId: PORTAL, epoch, leaseCte: LEASE_CTE });

afterAll(() => db.drop());

describe("the statements on the copy of workflows, however many accounts have however many", () => {
  beforeAll(async () => {
    db = await createTestDatabase({ isFresh: true });
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO portals (portal_id, status) SELECT id, 'CONNECTED' FROM generate_series(1, $1::int) AS id`,
      [PORTALS],
    );
    ({ epoch } = await acquirePortal(pool, PORTAL));
    await pool.query(
      `INSERT INTO flows (portal_id, flow_id, workflow_id, name, is_enabled, revision_id, is_listed, steps_read_as)
       SELECT portal, (portal * 10000 + number)::text, (portal::bigint * 100000000 + number)::text, 'Flow ' || number, true, '1', true, '1 '
         FROM generate_series(1, $1::int) AS portal, generate_series(1, $2::int) AS number`,
      [PORTALS, FLOWS],
    );
    await pool.query(
      `INSERT INTO flow_steps (portal_id, flow_id, action_id, kind, varying)
       SELECT portal_id, flow_id, '1', 'ENROLL', '{}' FROM flows`,
    );
    await pool.query("ANALYZE flows; ANALYZE flow_steps; ANALYZE portals");
  });

  const ids = (count: number) => Array.from({ length: count }, (_, index) => String(70_001 + index));

  test("finding the names of a page's workflows looks at those alone, by either id", async () => {
    const old = ids(25).map((id) => String(700_000_000 + Number(id) - 70_000));
    expect(await cost((pool) => findFlows(pool, PORTAL, [...ids(25), ...old]))).toBeLessThanOrEqual(100);
  });

  test("storing a page of the list, and the steps of a batch, looks at these alone", async () => {
    const listed = ids(100).map((id) => ({
      id,
      name: "New",
      isEnabled: true,
      revisionId: "2",
      updatedAt: undefined,
    }));
    expect(await cost((pool) => store(pool).saveListed(listed, ""))).toBeLessThanOrEqual(200);
    const read = ids(100).map((id) => ({ id, readAs: "2 ", steps: [] }));
    expect(await cost((pool) => store(pool).saveSteps(read))).toBeLessThanOrEqual(400);
    const numbers = new Map(ids(100).map((id) => [id, id]));
    expect(await cost((pool) => store(pool).saveWorkflowIds(numbers))).toBeLessThanOrEqual(200);
  });

  test("the page, what uses what, and the end of a reading look at the account's own", async () => {
    // Each of a portal's workflows has one step; the page counts them, chooses them and shows them.
    const own = 5 * FLOWS;
    expect(await cost((pool) => listFlows(pool, PORTAL))).toBeLessThanOrEqual(own);
    expect(await cost((pool) => readFlowUses(pool, PORTAL))).toBeLessThanOrEqual(own);
    expect(await cost((pool) => store(pool).withoutWorkflowId())).toBeLessThanOrEqual(own);
    expect(await cost((pool) => store(pool).retireOthers(ids(FLOWS)))).toBeLessThanOrEqual(own);
  });
});

describe("an owner that has lost its portal", () => {
  test("writes nothing of the copy anymore", async () => {
    const { pool } = db.database;
    const before = store(pool);
    await acquirePortal(pool, PORTAL);
    const flow = { id: "70001", name: "Stale", isEnabled: false, revisionId: "9", updatedAt: undefined };
    const told = { problem: null, report: { leftOut: 0 } };
    expect([
      await before.saveListed([flow], ""),
      await before.saveSteps([{ id: "70001", readAs: "9 ", steps: [] }]),
      await before.saveWorkflowIds(new Map([["70001", "1"]])),
      await before.retireOthers([]),
      await before.markRead(new Date(), told),
      await before.postpone(1_000, { ...told, problem: "UNAVAILABLE" }),
    ]).toEqual(Array(6).fill("lost"));
    const { rows } = await pool.query(
      "SELECT count(*)::int AS count FROM flows WHERE name = 'Stale' OR NOT is_listed",
    );
    expect(rows).toEqual([{ count: 0 }]);
    const { rows: portals } = await pool.query("SELECT 1 FROM portals WHERE flows_read_at IS NOT NULL");
    expect(portals).toEqual([]);
  });
});
