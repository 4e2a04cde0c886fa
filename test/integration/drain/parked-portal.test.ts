import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import { createDirectory } from "#domain/directory/directory.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import { createDrain } from "#worker/drain/drain-portal.js";
import { findOverduePortals } from "#worker/sweeps/wake-due-portals.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { clockOf } from "../../support/hubspot-clock.js";

const PORTAL = 4_811n;

describe("a portal that cannot be called", () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  test.each([
    ["disconnected", { status: "DISCONNECTED", openFor: null, code: "DEADLINE_EXCEEDED" }],
    ["spared by its circuit", { status: "CONNECTED", openFor: "1 hour", code: "HUBSPOT_UNAVAILABLE" }],
  ])(
    "decides at the deadline what a dead worker was attempting, while %s",
    async (_what, { status, openFor, code }) => {
      const { pool } = db.database;
      await pool.query(`TRUNCATE executions, portal_drains, portals CASCADE`);
      await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, $2)`, [PORTAL, status]);
      await pool.query(
        `INSERT INTO portal_drains (portal_id, epoch, is_released, circuit_open_until) VALUES ($1, 1, false, now() + $2::interval)`,
        [PORTAL, openFor],
      );
      await pool.query(
        `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, deadline_at, contact_id, sequence_id, request)
       SELECT $1, state, 'ENROLL', state, 1, now(), '1001', '300000001', '{}' FROM unnest(ARRAY['ATTEMPTING', 'UNCERTAIN']) AS state`,
        [PORTAL],
      );
      expect(await findOverduePortals(pool)).toEqual([PORTAL]);
      const drain = createDrain({
        overdueLooks: new OverdueLooks(pool),
        pool,
        directory: createDirectory({ pool }),
        logger: pino({ level: "silent" }),
        rateLimit: 100,
        now: () => new Date(),
        hubspotClock: clockOf(),
        believeNoneAfterMs: 0,
        gate: createFairGate({ places: 1 }),
        forPortal: () => () => Promise.reject(new Error("HubSpot must not be called")),
      });
      await drain(PORTAL, {
        signal: new AbortController().signal,
        isFresh: () => true,
        isEnding: () => false,
        lendPlaceWhile: () => undefined,
      });
      const { rows } = await pool.query(`SELECT DISTINCT state, error_code FROM executions`);
      expect(rows).toEqual([{ state: "DECIDED", error_code: code }]);
      // Or it would be woken, for nothing, every other second for as long as it cannot be called.
      expect(await findOverduePortals(pool)).toEqual([]);
    },
  );
});
