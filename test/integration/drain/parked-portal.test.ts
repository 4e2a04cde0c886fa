import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findOverduePortals } from "#worker/sweeps/wake-due-portals.js";
import { singleTurns } from "../../support/single-turns.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

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
      await singleTurns(pool)(PORTAL);
      const { rows } = await pool.query(`SELECT DISTINCT state, error_code FROM executions`);
      expect(rows).toEqual([{ state: "DECIDED", error_code: code }]);
      // Or it would be woken, for nothing, every other second for as long as it cannot be called.
      expect(await findOverduePortals(pool)).toEqual([]);
    },
  );
});
