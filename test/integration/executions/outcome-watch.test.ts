import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { createOutcomeWatch, DECIDED_CHANNEL, type OutcomeWatch } from "#domain/executions/outcome-watch.js";
import { createLogger } from "#platform/observability/logger.js";
import { startWakeListener } from "#platform/queue/wake-listener.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const PORTAL = 7_301n;
let db: TestDatabase;
let watch: OutcomeWatch;
/** Connections that listen now. */
let listening = 0;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterEach(() => watch.stop());
afterAll(() => db.drop());

function open(most?: number): OutcomeWatch {
  const logger = createLogger({ level: "silent" });
  return createOutcomeWatch(
    db.database.pool,
    (channel, onWake) => {
      listening += 1;
      const stop = startWakeListener({
        ...{
          databaseUrl: db.url,
          applicationName: "waits",
          connectTimeoutMs: 1_000,
          channel,
          onWake,
          logger,
        },
      });
      return async () => {
        await stop();
        listening -= 1;
      };
    },
    most,
  );
}

async function newExecutions(count: number): Promise<{ portalId: bigint; id: bigint }[]> {
  await seedExecutions(
    db.database,
    Array.from({ length: count }, () => ({ portalId: PORTAL })),
  );
  const rows = await db.database.prisma.execution.findMany({ orderBy: { id: "desc" }, take: count });
  return rows.map(({ id }) => ({ portalId: PORTAL, id }));
}

async function newExecution(): Promise<{ portalId: bigint; id: bigint }> {
  const [execution] = await newExecutions(1);
  if (execution === undefined) throw new Error("no execution was stored");
  return execution;
}

const decide = (ids: readonly bigint[]) =>
  db.database.pool.query(
    `WITH decided AS (UPDATE executions SET state = 'DECIDED', decided_at = now() WHERE id = ANY ($1) RETURNING id)
     SELECT id, pg_notify('${DECIDED_CHANNEL}', '') FROM decided`,
    [ids],
  );
const never = (): AbortSignal => new AbortController().signal;

test("all who wait are told at once when their executions are decided, by one connection that listens", async () => {
  watch = open();
  const executions = await newExecutions(20);
  const waits = executions.map((execution) => watch.decided(execution, never()));
  const other = watch.decided(await newExecution(), never());
  await new Promise((resolve) => setTimeout(resolve, 300));
  const startedAt = performance.now();
  await decide(executions.map(({ id }) => id));
  expect(await Promise.all(waits)).toEqual(executions.map(() => true));
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(listening).toBe(1);
  await watch.stop();
  expect([await other, listening]).toEqual([false, 0]);
});

test("a wait ends with its own limit, and what was decided before it began is told at once", async () => {
  watch = open();
  const decided = await newExecution();
  await decide([decided.id]);
  expect(await watch.decided(decided, never())).toBe(true);
  const limit = new AbortController();
  const wait = watch.decided(await newExecution(), limit.signal);
  limit.abort();
  expect(await wait).toBe(false);
});

test("beyond a number of waits no further one begins", async () => {
  watch = open(2);
  const limit = new AbortController();
  const waits = [await newExecution(), await newExecution()].map((one) => watch.decided(one, limit.signal));
  expect(await watch.decided(await newExecution(), never())).toBe(false);
  limit.abort();
  expect(await Promise.all(waits)).toEqual([false, false]);
});
