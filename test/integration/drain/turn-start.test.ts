import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Pool, QueryConfig } from "pg";
import { readTurnStarts } from "#worker/drain/turn-start.js";
import { singleTurns } from "../../support/single-turns.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 4_812n;

describe("a portal's turn", () => {
  let db: TestDatabase;
  let statements: string[];

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    const { pool } = db.database;
    statements = [];
    await pool.query(`TRUNCATE executions, portal_drains, portals CASCADE`);
    await pool.query(
      `INSERT INTO portals (portal_id, status, directory_synced_at, flows_read_at) VALUES ($1, 'CONNECTED', now(), now())`,
      [PORTAL],
    );
    await pool.query(`INSERT INTO portal_drains (portal_id, epoch, is_released) VALUES ($1, 3, true)`, [
      PORTAL,
    ]);
  });

  async function drainOnce(): Promise<void> {
    const pool = {
      query(config: QueryConfig) {
        statements.push(config.name ?? "");
        return db.database.pool.query(config);
      },
    } as unknown as Pool;
    await singleTurns(pool)(PORTAL);
  }

  /** Each in a state, claimed by the owner of an epoch, if any. */
  function add(state: string, epoch: number | null, sender: number | null = null) {
    return db.database.pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, sender_user_id, attempts, first_attempt_at, due_at, deadline_at,
                               contact_id, sequence_id, request)
       SELECT $1, $2::text || gen_random_uuid(), 'ENROLL', $2, $3, $4, 1, now(), now() - interval '1 second', now() + interval '1 day',
              '1001', '300000001', '{}'`,
      [PORTAL, state, epoch, sender],
    );
  }

  test("begins with one look at the portal, at the same time as at its policy, and then claims", async () => {
    await drainOnce();
    const [first, ...rest] = statements;
    expect(first).toBe("acquire-portal");
    expect(rest.slice(0, 2).toSorted()).toEqual(["read-portal-policy", "read-turn-starts"]);
    expect(rest[2]).toBe("claim-due-executions");
  });

  test("first reads what is in doubt, if anything is", async () => {
    await add("UNCERTAIN", null, 7);
    await drainOnce();
    const [doubts, due] = ["claim-uncertain-executions", "claim-due-executions"];
    expect(statements.filter((name) => name === doubts || name === due).slice(0, 2)).toEqual([doubts, due]);
  });

  test("makes due again what an owner left behind that handed over in an orderly way", async () => {
    await db.database.pool.query(`UPDATE portals SET status = 'DISCONNECTED'`);
    await add("ATTEMPTING", 3);
    await add("ATTEMPTING", 2, 7);
    await add("UNCERTAIN", 1, 7);
    await drainOnce();
    const { rows } = await db.database.pool.query(
      `SELECT state, epoch, crashes, doubted_at IS NOT NULL AS is_dated FROM executions ORDER BY id`,
    );
    const left = { epoch: null, crashes: 0 };
    expect(rows).toEqual([
      { ...left, state: "QUEUED", is_dated: false },
      { ...left, state: "UNCERTAIN", is_dated: true },
      { ...left, state: "UNCERTAIN", is_dated: false },
    ]);
  });

  test("is told of each portal by itself, however many begin together", async () => {
    const [gone, quiet] = [1n, 2n];
    await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'DISCONNECTED')`, [
      quiet,
    ]);
    await add("ATTEMPTING", 5);
    await add("UNCERTAIN", 4);
    const starts = await readTurnStarts(db.database.pool, [PORTAL, gone, quiet]);
    expect(starts).toEqual([
      {
        isConnected: true,
        directory: expect.objectContaining({ syncedAt: expect.any(Date) }),
        flows: { requestedAt: null, readAt: expect.any(Date), now: expect.any(Date) },
        oldestClaim: 4n,
        areDoubtsDue: true,
        hasUnenroll: false,
        hasFlowWork: false,
        areEnrollmentLooksDue: false,
      },
      {
        isConnected: false,
        directory: undefined,
        flows: undefined,
        oldestClaim: undefined,
        areDoubtsDue: false,
        hasUnenroll: false,
        hasFlowWork: false,
        areEnrollmentLooksDue: false,
      },
      {
        isConnected: false,
        directory: expect.objectContaining({ syncedAt: null }),
        flows: expect.objectContaining({ readAt: null }),
        oldestClaim: undefined,
        areDoubtsDue: false,
        hasUnenroll: false,
        hasFlowWork: false,
        areEnrollmentLooksDue: false,
      },
    ]);
  });
});
