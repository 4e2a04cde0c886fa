import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import express from "express";
import { pino } from "pino";
import type pg from "pg";
import { createActionsRouter } from "#web/actions/action-routes.js";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { signedHeaders } from "../../../src/simulator/world/signing.js";
import { AccountShare } from "#web/kit/account-share.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const SECRET = "a-client-secret";
const FLOODER = 5_001;
const OTHER = 5_002;
/** Room for some sixty calls of one portal, and for some eighty in total. */
const LIMITS = { perPortal: 600_000, inAll: 800_000 };
const PADDING = "x".repeat(8_000);

interface Answer {
  status: number;
  retryAfter: string | null;
  callbackId: string;
  tookMs: number;
}

describe("while the database does not answer", () => {
  let db: TestDatabase;
  let server: Server;
  let url: string;
  let blocker: pg.PoolClient | undefined;
  let nextCall = 0;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(
      `INSERT INTO portals (portal_id, status) SELECT id, 'CONNECTED' FROM unnest($1::bigint[]) AS id`,
      [[FLOODER, OTHER]],
    );
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { pool } = db.database;
    const router = createActionsRouter({
      accept: createAcceptor({ pool, deadlineHours: 144, onStored: () => undefined, limits: LIMITS }),
      database: db.database,
      dropdowns: new AccountShare({ inHand: 2, waiting: 20, patienceMs: 1_500 }),
      clientSecrets: [SECRET],
      publicUrl: url,
      nowMs: Date.now,
      logger: pino({ level: "silent" }),
      applyChanges: () => Promise.resolve(new Set<bigint>()),
      wake: () => undefined,
      onOptionsAsked: () => undefined,
      onActionType: () => undefined,
      readHoldSettings: () => Promise.resolve({ timeZone: null, maxHoldDays: 30, now: new Date() }),
      readFirstAnswer: () => Promise.resolve(undefined),
    });
    server.on("request", express().use(router));
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await db.drop();
  });

  beforeEach(async () => {
    await db.database.pool.query(`TRUNCATE executions`);
    blocker = await db.database.pool.connect();
    await blocker.query("BEGIN; LOCK TABLE executions IN ACCESS EXCLUSIVE MODE");
  });

  afterEach(() => letGo());

  async function letGo(): Promise<void> {
    await blocker?.query("ROLLBACK");
    blocker?.release();
    blocker = undefined;
  }

  async function call(portalId: number, callbackId = `ap-${portalId}-${(nextCall += 1)}`): Promise<Answer> {
    const inputs = { sequence_id: "300000001", sender_mode: "contact_owner" };
    const body = JSON.stringify({
      callbackId,
      origin: { portalId },
      object: { objectId: 1001, objectType: "CONTACT", properties: { email: "a@b.c", padding: PADDING } },
      inputFields: inputs,
    });
    const target = url + ENROLL_ROUTE;
    const signed = signedHeaders(
      { method: "POST", url: target, body },
      { secret: SECRET, nowMs: Date.now() },
    );
    const startedAt = performance.now();
    const response = await fetch(target, {
      method: "POST",
      headers: { "content-type": "application/json", ...signed },
      body,
    });
    await response.arrayBuffer();
    const tookMs = performance.now() - startedAt;
    return { status: response.status, retryAfter: response.headers.get("retry-after"), callbackId, tookMs };
  }

  const flood = (portalId: number, count: number): Promise<Answer[]> =>
    Promise.all(Array.from({ length: count }, () => call(portalId)));

  const withStatus = (answers: readonly Answer[], status: number): Answer[] =>
    answers.filter((answer) => answer.status === status);

  async function storedIds(): Promise<Set<string>> {
    const { rows } = await db.database.pool.query<{ callback_id: string }>(
      `SELECT callback_id FROM executions`,
    );
    return new Set(rows.map(({ callback_id: id }) => id));
  }

  /** Calls until it is answered BLOCK: what waited before it has been dealt with by then. */
  async function untilAccepted(portalId: number): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    while ((await call(portalId)).status !== 200)
      if (Date.now() > deadlineMs) throw new Error("calls are not accepted again");
  }

  test("a portal that floods us gets 429 beyond its share, and none of that is stored", async () => {
    const answers = await flood(FLOODER, 200);
    const waited = withStatus(answers, 503);
    const refused = withStatus(answers, 429);
    expect(waited.length + refused.length).toBe(200);
    // Its share and no more waits in memory, however much came.
    expect(waited.length).toBeGreaterThan(50);
    expect(waited.length).toBeLessThanOrEqual(LIMITS.perPortal / PADDING.length);
    expect(new Set(refused.map(({ retryAfter }) => retryAfter))).toEqual(new Set(["10000"]));
    await letGo();
    await untilAccepted(FLOODER);
    const stored = await storedIds();
    expect(refused.filter(({ callbackId }) => stored.has(callbackId))).toEqual([]);
  });

  test("meanwhile another portal's calls still wait for their commit, and are answered BLOCK if it comes in time", async () => {
    const flooding = flood(FLOODER, 200);
    await untilTold(flooding);
    const other = call(OTHER);
    await letGo();
    expect((await other).status).toBe(200);
    await flooding;
  });

  test("a flood of all portals together takes no more than the total limit", async () => {
    const [one, two] = await Promise.all([flood(FLOODER, 100), flood(OTHER, 100)]);
    const waited = withStatus([...one, ...two], 503);
    expect(waited.length).toBeLessThanOrEqual(LIMITS.inAll / PADDING.length);
    expect(withStatus(one, 429).length + withStatus(two, 429).length + waited.length).toBe(200);
    await letGo();
    await untilAccepted(OTHER);
  });

  test("once it answers, a portal has its whole share again, and each redelivered call is stored once", async () => {
    const answers = await flood(FLOODER, 200);
    await letGo();
    await untilAccepted(FLOODER);
    const again: Answer[] = [];
    for (let from = 0; from < answers.length; from += 40)
      again.push(
        ...(await Promise.all(
          answers.slice(from, from + 40).map(({ callbackId }) => call(FLOODER, callbackId)),
        )),
      );
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]));
    const { rows } = await db.database.pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM executions WHERE callback_id = ANY ($1)`,
      [answers.map(({ callbackId }) => callbackId)],
    );
    expect(rows[0]?.count).toBe(200);
  });

  /** Resolves with the first 429 of a flood: from then on its share is used up. */
  async function untilTold(flooding: Promise<Answer[]>): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    for (;;) {
      const probe = await Promise.race([call(FLOODER), flooding.then(() => undefined)]);
      if (probe?.status === 429) return;
      if (probe === undefined || Date.now() > deadlineMs) throw new Error("the flood was never refused");
    }
  }
});
