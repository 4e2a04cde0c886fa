import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { isStorageDown } from "#platform/db/storage-faults.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

describe("openDatabase", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase({ poolSize: 2, connectTimeoutMs: 1_000 });
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
    // The row of the test before is still there.
    expect(answer).toBe(1);
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

  test("its trouble is recognized through Prisma too, and what is no trouble is not", async () => {
    const { pool, prisma } = db.database;
    await pool.query(`
      CREATE FUNCTION fail_with_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'raised by the test' USING ERRCODE = NEW.nonce; END $$;
      CREATE TRIGGER fail_with_name BEFORE INSERT ON redeemed_states
        FOR EACH ROW EXECUTE FUNCTION fail_with_name()`);
    const faultsOf = (sqlState: string) => {
      const data = { nonce: sqlState, expiresAt: new Date() };
      return Promise.all(
        [
          prisma.redeemedState.create({ data }),
          prisma.$transaction((transaction) => transaction.redeemedState.create({ data })),
          prisma.$executeRaw`INSERT INTO redeemed_states (nonce, expires_at) VALUES (${sqlState}, now())`,
        ].map((work) =>
          work.then(
            () => "no fault",
            (fault: unknown) => fault,
          ),
        ),
      );
    };
    for (const sqlState of ["53100", "53300", "40001", "40P01", "57014", "25006", "42501", "42P01", "28P01"])
      expect([sqlState, (await faultsOf(sqlState)).map(isStorageDown)]).toEqual([
        sqlState,
        [true, true, true],
      ]);
    for (const sqlState of ["23505", "22001", "42601", "P0001"])
      expect([sqlState, (await faultsOf(sqlState)).map(isStorageDown)]).toEqual([
        sqlState,
        [false, false, false],
      ]);
    const unreachable = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    expect(isStorageDown(new TypeError("fetch failed", { cause: unreachable }))).toBe(false);
    await pool.query(`DROP TRIGGER fail_with_name ON redeemed_states`);
  });

  test("closes once, however often it is called", async () => {
    const other = await createTestDatabase();
    await Promise.all([other.database.close(), other.database.close()]);
    await expect(other.database.pool.query("SELECT 1")).rejects.toThrow(/after calling end/);
    await other.drop();
    await other.drop();
  });
});
