import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { pino } from "pino";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { openPortalCalls } from "#worker/drain/portal-calls.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { sendCompletions } from "#worker/completions/send-completions.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { acquirePortal, LEASE_CTE, type PortalLease } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 5_401n;
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
    portalId,
  ]);
});

afterAll(() => db.drop());

/** The way to HubSpot of an account whose circuit is open, or to an address where nobody listens. */
function gatewayOf(lease: PortalLease, { isOpen }: { isOpen: boolean }) {
  const circuit = new PortalCircuit({ pool: db.database.pool, lease, onFault: () => undefined });
  if (isOpen) circuit.failed("HubSpot is being moved", { retryAfterMs: 60_000 });
  const budget = new RequestBudget({ limit: 110, windowMs: 10_000, now: () => performance.now() });
  const token = (): Promise<string> => Promise.resolve("token");
  return openPortalCalls({
    portalId,
    budget,
    circuit,
    slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit }),
    gate: createFairGate({ places: 4 }),
    forPortal: createTransport({
      apiUrl: "http://127.0.0.1:1",
      accessTokenFor: token,
      renewAfterRefusal: token,
    }),
  }).gatewayWith();
}

test("a completion that was not sent because the portal is spared is due as before, with no try counted and no doubt", async () => {
  const { pool } = db.database;
  await seedExecutions(db.database, [
    { portalId, state: "DECIDED", enrollmentStatus: "ENROLLED", decidedAt: new Date() },
  ]);
  const read = async () => {
    const { rows } = await pool.query<Record<string, unknown>>(
      `SELECT state, completion_tries, completion_doubted_at, due_at <= now() AS is_due FROM executions WHERE portal_id = $1`,
      [portalId],
    );
    return rows;
  };
  const lease = await acquirePortal(pool, portalId);
  const owner = { pool, portalId, epoch: lease.epoch, leaseCte: LEASE_CTE };
  const logger = pino({ level: "silent" });
  const writer = new RetryingWriter({ owner, logger, mayStillWrite: () => true });
  await sendCompletions({ owner, writer, gateway: gatewayOf(lease, { isOpen: true }) });
  expect(await read()).toEqual([
    { state: "DECIDED", completion_doubted_at: null, completion_tries: 0, is_due: true },
  ]);
  await sendCompletions({ owner, writer, gateway: gatewayOf(lease, { isOpen: false }) });
  expect(await read()).toMatchObject([{ state: "DECIDED", completion_tries: 1, is_due: false }]);
});
