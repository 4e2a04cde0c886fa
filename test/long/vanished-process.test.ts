import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Pool, PoolClient } from "pg";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { startBulkJob, stopBulkJob } from "#domain/history/bulk-jobs.js";
import { requestErasure, setPaused } from "#domain/accounts/portal-pause.js";
import { giveAccess } from "#domain/accounts/change-access.js";
import { sendTestAlert } from "#domain/alerts/test-alert.js";
import { openDatabase, type Database } from "#platform/db/client.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { storeSenderRefusal } from "#worker/senders/store-sender-block.js";
import { LEASE_CTE } from "#platform/queue/portal-lease.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createTokenStore } from "#domain/vault/store.js";
import { seedExecutions } from "../support/executions.js";
import { addPlainPortal, startRunningApp, UNKIND_BUT_QUICK, type RunningApp } from "../support/start-app.js";
import { adminOf, systemOf } from "../support/actors.js";
import { KEYS } from "../support/site.js";

const VANISHED = "a process that vanished";

/** Statements of `pool` are sent, but for those after the first `sent` of a connection: the process is gone by then. */
function goneAfter(pool: Pool, sent: number): Pool {
  const connect = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    let left = sent;
    const query = (...args: Parameters<PoolClient["query"]>): unknown => {
      left -= 1;
      return left < 0
        ? new Promise(() => undefined)
        : (client.query as (...all: typeof args) => unknown)(...args);
    };
    return new Proxy(client, { get: (of, name) => (name === "query" ? query : Reflect.get(of, name, of)) });
  };
  const query = pool.query.bind(pool);
  return new Proxy(pool, {
    get: (of, name) => (name === "connect" ? connect : name === "query" ? query : Reflect.get(of, name, of)),
  });
}

describe("a process that vanishes inside a transaction", () => {
  let running: RunningApp;
  let gone: Database;

  beforeAll(async () => {
    running = await startRunningApp(UNKIND_BUT_QUICK);
    gone = openDatabase({ url: running.db.url, applicationName: VANISHED, poolSize: 60 });
  });

  afterAll(async () => {
    // Its pool waits for the connections that never come back: the server has ended them.
    await running.close();
  });

  async function connectedPortal(contacts: number): Promise<SimulatedPortal> {
    const portal = addPlainPortal(running.simulator, { contacts });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
    return portal;
  }

  function enroll(portal: SimulatedPortal, contactIds: readonly string[]): WorkflowRun {
    return portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...contactIds],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  const open = async (): Promise<number> => {
    const { rows } = await running.db.database.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1 AND state LIKE 'idle in transaction%'`,
      [VANISHED],
    );
    return rows[0]?.count ?? 0;
  };

  async function until(holds: () => Promise<boolean> | boolean, withinMs: number): Promise<number> {
    const startedAt = performance.now();
    while (!(await holds())) {
      if (performance.now() - startedAt > withinMs) throw new Error("the awaited state did not come");
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return performance.now() - startedAt;
  }

  test("of whatever kind, at whatever statement, holds its locks for seconds only", async () => {
    const { pool } = running.db.database;
    const portals: bigint[] = [];
    /** Each in an account of its own, so that they do not wait for each other. */
    const account = async () => {
      const portalId = BigInt(randomInt(1_000_000_000, 2_000_000_000));
      portals.push(portalId);
      await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
      await pool.query(`INSERT INTO portal_settings (portal_id) VALUES ($1)`, [portalId]);
      await seedExecutions(running.db.database, [{ portalId, dueAt: new Date(Date.now() + 3_600_000) }]);
      return portalId;
    };
    const executionOf = async (portalId: bigint) =>
      BigInt(
        (await pool.query(`SELECT id FROM executions WHERE portal_id = $1`, [portalId])).rows[0].id as string,
      );
    const store = (of: Pool) => createTokenStore({ pool: of, mayTakeOver: () => Promise.resolve(true) });
    const tokens = { accessTokenSealed: "a", refreshTokenSealed: "b", accessExpiresAt: new Date() };
    const kinds: Record<string, (of: Pool, portalId: bigint) => Promise<unknown>> = {
      "an install": (of, portalId) =>
        store(of).save(
          {
            portalId,
            userId: 7n,
            userEmail: null,
            hubDomain: null,
            scopes: [],
            accessToken: "",
            refreshToken: "",
          } as never,
          tokens,
          { occasion: "install", signer: "confirmed" },
        ),
      "a disconnect": (of, portalId) => store(of).disconnect({ actor: systemOf(portalId), reason: "Gone." }),
      "a pause": (of, portalId) => setPaused(of, adminOf(portalId), true),
      "a wish to erase": (of, portalId) => requestErasure(of, adminOf(portalId)),
      "an admin let in": (of, portalId) =>
        giveAccess(of, adminOf(portalId), { userId: 8n, label: "Bo", role: "admin" }),
      "a test alert": (of, portalId) =>
        sendTestAlert({ pool: of, cipher: createCipher(KEYS) }, adminOf(portalId), "EMAIL"),
      "one canceled": async (of, portalId) =>
        actOnExecution(of, adminOf(portalId), { action: "CANCEL", id: await executionOf(portalId) }),
      "many canceled": (of, portalId) =>
        startBulkJob(of, adminOf(portalId), { action: "CANCEL", filter: {} }),
      "a webhook": (of, portalId) =>
        applyContactChanges(of, [{ kind: "erased", portalId, contactId: "1000" }]),
      "a job stopped": (of, portalId) => stopBulkJob(of, adminOf(portalId), 1n),
    };
    let begun = 0;
    for (const run of Object.values(kinds))
      for (const sent of [1, 2, 3]) {
        const portalId = await account();
        // It never ends: nobody is there anymore.
        run(goneAfter(gone.pool, sent), portalId).catch(() => undefined);
        begun += 1;
      }
    await until(async () => (await open()) > begun / 2, 4_000);
    expect(await until(async () => (await open()) === 0, 9_000)).toBeGreaterThan(1_000);
    // And nothing is held anymore.
    const free = `SELECT count(*)::int AS free FROM (SELECT FROM portals WHERE portal_id = ANY ($1) FOR UPDATE SKIP LOCKED) AS unheld`;
    expect((await pool.query(free, [portals])).rows).toEqual([{ free: portals.length }]);
  });

  /** Holds the lease's row of `portal` as a process would that vanished. @returns when it began, as performance.now(). */
  async function holdLease(portal: SimulatedPortal): Promise<number> {
    const client = await gone.pool.connect();
    client.on("error", () => client.release(true));
    await client.query("BEGIN");
    await client.query(`SELECT FROM portal_drains WHERE portal_id = $1 FOR SHARE`, [portal.portalId]);
    return performance.now();
  }

  const isReleased = async (portal: SimulatedPortal): Promise<boolean> => {
    const text = `SELECT is_released FROM portal_drains WHERE portal_id = $1`;
    const { rows } = await running.db.database.pool.query<{ is_released: boolean }>(text, [portal.portalId]);
    return rows[0]?.is_released ?? false;
  };

  test("with the lease's row between two turns: the account goes on within ten seconds, others at once", async () => {
    const [hit, other] = [await connectedPortal(5), await connectedPortal(5)];
    for (const portal of [hit, other]) await until(() => isReleased(portal), 10_000);
    const heldAt = await holdLease(hit);
    const [hitRun, otherRun] = [hit, other].map((portal) => enroll(portal, [...portal.contacts.keys()]));
    await otherRun?.finished;
    expect(performance.now() - heldAt).toBeLessThan(4_000);
    await hitRun?.finished;
    expect(performance.now() - heldAt).toBeLessThan(10_000);
  });

  test("with the lease's row while a turn ends: the account is still handed over, and goes on within ten seconds", async () => {
    const portal = await connectedPortal(5);
    await until(() => isReleased(portal), 10_000);
    const ids = [...portal.contacts.keys()];
    running.simulator.setLatency(800);
    const first = enroll(portal, ids.slice(0, 1));
    await running.simulator.waitFor(() => portal.traffic.requestsOf("enroll") > 0, {
      what: "a request under way",
    });
    const heldAt = await holdLease(portal);
    running.simulator.setLatency(10);
    await first.finished;
    await enroll(portal, ids.slice(1)).finished;
    await until(() => isReleased(portal), 30_000);
    expect(performance.now() - heldAt).toBeLessThan(10_000);
  });

  test("with a contact's row, while its request is under way: the account goes on within ten seconds", async () => {
    const portal = await connectedPortal(12);
    const ids = [...portal.contacts.keys()];
    running.simulator.setLatency(800);
    const first = enroll(portal, ids.slice(0, 4));
    await running.simulator.waitFor(() => portal.traffic.requestsOf("enroll") >= 4, {
      what: "requests under way",
    });
    const client = await gone.pool.connect();
    client.on("error", () => undefined);
    await client.query("BEGIN");
    await client.query(`SELECT FROM executions WHERE portal_id = $1 AND contact_id = $2 FOR UPDATE`, [
      portal.portalId,
      ids[0],
    ]);
    const heldAt = performance.now();
    running.simulator.setLatency(10);
    const later = enroll(portal, ids.slice(4));
    await Promise.all([first.finished, later.finished]);
    expect(performance.now() - heldAt).toBeLessThan(15_000);
    for (const id of ids) expect(portal.enrollments.factsOf(id).accepted).toBe(1);
    client.release(true);
  });

  test("a sender's refusal is stored by one statement, so that it holds no lock between two", async () => {
    const portal = await connectedPortal(1);
    const portalId = BigInt(portal.portalId);
    const { rows } = await running.db.database.pool.query<{ epoch: string }>(
      `SELECT epoch FROM portal_drains WHERE portal_id = $1`,
      [portalId],
    );
    const pool = goneAfter(gone.pool, 0);
    const owner = { pool, portalId, epoch: BigInt(rows[0]?.epoch ?? 0), leaseCte: LEASE_CTE };
    const refused = {
      userId: 1n,
      email: "x@y.example",
      code: "INBOX_NOT_CONNECTED" as const,
      message: "No inbox.",
    };
    await storeSenderRefusal(owner, refused);
  });
});
