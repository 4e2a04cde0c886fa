import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { PortalTransport } from "#platform/hubspot/transport.js";
import { singleTurns } from "../../support/single-turns.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

describe("a copy that keeps failing", () => {
  const portalId = 6_203n;
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  /** Answers whose owners are of a shape nobody knows, for as long as the app is not taught it. */
  const answer: PortalTransport = ({ path }) => {
    if (path.includes("owners")) return Promise.resolve({ results: [{ id: { is: "new" } }] });
    if (path.includes("sequences")) return Promise.resolve({ results: [{ id: "71", name: "Welcome" }] });
    return Promise.resolve({ results: [], timeZone: "Europe/Vienna", uiDomain: null });
  };

  test("is a copy of what could be read, and is tried again after ever longer gaps", async () => {
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO portals (portal_id, status, authorized_by_user_id, directory_requested_at) VALUES ($1, 'CONNECTED', 9, now())`,
      [portalId],
    );
    const drain = singleTurns(pool, { forPortal: () => answer });
    const gaps: number[] = [];
    for (let failures = 0; failures < 4; failures += 1) {
      await pool.query(`UPDATE portals SET directory_requested_at = now() WHERE portal_id = $1`, [portalId]);
      await drain(portalId);
      const { rows } = await pool.query<{ gap: number; problem: string }>(
        `SELECT extract(epoch FROM directory_requested_at - now())::float8 AS gap, directory_error AS problem
           FROM portals WHERE portal_id = $1 AND directory_synced_at IS NOT NULL`,
        [portalId],
      );
      expect(rows[0]?.problem).toContain("Owners");
      gaps.push(rows[0]?.gap ?? 0);
    }
    const [first = 0, last = 0] = [gaps[0], gaps[3]];
    expect(first).toBeLessThan(6);
    expect(last).toBeGreaterThan(18);
    const { rows } = await pool.query(`SELECT name FROM sequences WHERE portal_id = $1`, [portalId]);
    expect(rows).toEqual([{ name: "Welcome" }]);
  });
});
