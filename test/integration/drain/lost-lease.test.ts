import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import type { Ownership } from "#domain/executions/claim.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { PortalTurn } from "#worker/drain/portal-turn.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { clearSenderBlock, storeSenderRefusal } from "#worker/senders/store-sender-block.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { acquirePortal, LEASE_CTE, LeaseLost, type PortalLease } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const PORTAL = 5_401n;

describe("an owner that has lost its portal to another", () => {
  let db: TestDatabase;
  let lease: PortalLease;
  let owner: Ownership;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
      PORTAL,
    ]);
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    const { pool } = db.database;
    await pool.query(`TRUNCATE executions, portal_drains, senders`);
    lease = await acquirePortal(pool, PORTAL);
    owner = { pool, portalId: PORTAL, epoch: lease.epoch, leaseCte: LEASE_CTE };
  });

  const replace = () => acquirePortal(db.database.pool, PORTAL);
  const stored = async () => (await db.database.pool.query(`SELECT circuit_trips FROM portal_drains`)).rows;

  test("notices it by its circuit, which stores nothing anymore", async () => {
    const faults: unknown[] = [];
    const { pool } = db.database;
    const circuit = new PortalCircuit({ pool, lease, onFault: (fault) => faults.push(fault) });
    const trip = async () => {
      while (!circuit.isOpen) circuit.failed("HubSpot is moving the account.");
      await circuit.saved();
    };
    await trip();
    expect([circuit.isLost, await stored()]).toEqual([false, [{ circuit_trips: 1 }]]);
    await replace();
    circuit.succeeded();
    await circuit.saved();
    expect([circuit.isLost, await stored()]).toEqual([true, [{ circuit_trips: 1 }]]);
    expect(faults).toEqual([]);
  });

  test("notices it by its senders' blocks, of which it stores none", async () => {
    const refused = {
      userId: 7n,
      email: "ann@acme.example",
      code: "INBOX_NOT_CONNECTED",
      message: "No.",
    } as const;
    await storeSenderRefusal(owner, refused);
    await clearSenderBlock(owner, 7n);
    await replace();
    await expect(storeSenderRefusal(owner, refused)).rejects.toThrow(LeaseLost);
    await expect(clearSenderBlock(owner, 7n)).rejects.toThrow(LeaseLost);
    const { rows } = await db.database.pool.query(`SELECT refused_code FROM senders`);
    expect(rows).toEqual([{ refused_code: null }]);
  });

  test("ends its turn as soon as one attempt comes upon it, and begins nothing more", async () => {
    await seedExecutions(
      db.database,
      Array.from({ length: 20 }, () => ({ portalId: PORTAL, state: "QUEUED", sequenceId: "1" })),
    );
    await db.database.pool.query(`UPDATE executions SET due_at = now() - interval '1 second'`);
    const budget = new RequestBudget({ limit: 1_000, windowMs: 10_000, now: () => performance.now() });
    let attempts = 0;
    const startedMs = performance.now();
    const turn = new PortalTurn({
      owner,
      budget,
      logger: pino({ level: "silent" }),
      slots: createSlotSource(budget, {
        portalId: PORTAL,
        mayStillSend: () => true,
        circuit: { isOpen: false },
      }),
      circuit: { isProbing: false },
      mostUnderWay: () => 1,
      gatewayWith: () => ({}) as PortalGateway,
      contextWith: () => ({}) as EnrollContext,
      attempt: async () => {
        attempts += 1;
        await replace();
        throw new LeaseLost("another owner has the portal");
      },
      mayAttempt: () => Promise.resolve(true),
      mayGoOn: () => performance.now() - startedMs < 20_000,
      mayStillWrite: () => true,
    });
    await expect(turn.run()).rejects.toThrow(LeaseLost);
    expect(attempts).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});
