import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

describe("openDatabase", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase({ poolSize: 2 });
  });
  afterAll(() => db.drop());

  test("shares one pool between SQL and Prisma", async () => {
    await db.database.pool.query("INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')", [123n]);
    const portal = await db.database.prisma.portal.findUniqueOrThrow({ where: { portalId: 123n } });
    expect(portal).toMatchObject({ portalId: 123n, status: "CONNECTED", scopes: [] });
  });

  test("fails fast, rather than queueing unseen, when every connection is taken", async () => {
    const taken = await Promise.all([db.database.pool.connect(), db.database.pool.connect()]);
    const startedAt = Date.now();
    await expect(db.database.pool.query("SELECT 1")).rejects.toThrow(/timeout/);
    expect(Date.now() - startedAt).toBeLessThan(2500);
    for (const client of taken) client.release();
    await expect(db.database.pool.query("SELECT 1 AS one")).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });

  test("works again after the server has dropped its connections", async () => {
    const other = await createTestDatabase();
    const held = await db.database.pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    await other.database.pool.query("SELECT pg_terminate_backend($1)", [held.rows[0]?.pid]);
    await other.drop();
    let answer: unknown;
    for (let tries = 0; tries < 3 && answer === undefined; tries += 1) {
      answer = await db.database.prisma.portal.count().catch(() => undefined);
    }
    expect(answer).toBeGreaterThanOrEqual(0);
  });

  test("survives the loss of a connection that is lent out and quiet", async () => {
    const client = await db.database.pool.connect();
    const { rows } = await client
      .query<{ pid: number }>("BEGIN; SELECT pg_backend_pid() AS pid")
      .then((answers) => (answers as unknown as { rows: { pid: number }[] }[])[1] ?? { rows: [] });
    const lost = new Promise((resolve) => client.once("end", () => resolve(undefined)));
    await db.database.pool.query("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
    await lost;
    await expect(client.query("SELECT 1")).rejects.toThrow();
    client.release(true);
    await expect(db.database.pool.query("SELECT 1 AS one")).resolves.toMatchObject({ rows: [{ one: 1 }] });
  });

  test("closes once, however often it is asked", async () => {
    const other = await createTestDatabase();
    await Promise.all([other.database.close(), other.database.close()]);
    await other.drop();
    await other.drop();
  });
});
