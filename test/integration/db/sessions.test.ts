import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { openDatabase } from "#platform/db/client.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { query } from "../../support/sql.js";
import { startRunningApp } from "../../support/start-app.js";
import { tapWire, type WireTap } from "../../support/wire-tap.js";

let db: TestDatabase;
let tap: WireTap;

beforeAll(async () => {
  // Its zone is changed: it goes afterward.
  db = await createTestDatabase({ isFresh: true });
  const name = new URL(db.url).pathname.slice(1);
  await query(db.url, `ALTER DATABASE ${name} SET timezone = 'Asia/Kolkata'`);
  await query(db.url, `ALTER DATABASE ${name} SET lock_timeout = '1h'`);
  tap = await tapWire(db.url);
});

beforeEach(() => {
  tap.cutAt(undefined);
  tap.connections.length = 0;
});

afterAll(async () => {
  await tap.close();
  await db.drop();
});

const open = () => openDatabase({ url: tap.url, applicationName: "sessions test", poolSize: 2 });

test("every connection of an app, of whatever part, first says how long it may hold up others", async () => {
  const running = await startRunningApp({ environment: { DATABASE_URL: tap.url } });
  try {
    await fetch(`${running.publicUrl}/readyz`);
    await fetch(`${running.publicUrl}/settings`);
    const parts = () => new Set(tap.connections.map(({ startUp }) => startUp["application_name"]));
    const listens = () =>
      tap.connections.some(({ statements }) => statements.some((text) => /^LISTEN /.test(text)));
    const endsAt = Date.now() + 60_000;
    while (!listens() && Date.now() < endsAt) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listens()).toBe(true);
    expect([...parts()].sort()).toEqual([
      "sequence-enroller migrations",
      "sequence-enroller-all",
      "sequence-enroller-queue",
    ]);
    for (const { startUp, statements } of tap.connections) {
      // A pooler refuses settings in the start-up packet.
      expect(Object.keys(startUp).sort()).toEqual([
        "application_name",
        "client_encoding",
        "database",
        "user",
      ]);
      // Before anything is set, two connections find out whether a pooler shares them; they lock nothing, and for 15 s at most.
      const first = statements.find(
        (text) => !/sequence_enroller\.session|^(?:BEGIN; SET LOCAL .*|ROLLBACK)$/.test(text),
      );
      if (first === undefined) continue;
      for (const setting of [
        "TimeZone",
        "DateStyle",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
      ])
        expect(first).toContain(`SET ${setting} `);
      for (const setting of ["tcp_keepalives_idle", "tcp_user_timeout"])
        expect(first).toContain(`SET ${setting} `);
    }
  } finally {
    await running.close();
  }
});

test("times are the same by SQL and by Prisma in a database of another zone", async () => {
  const database = open();
  try {
    const at = new Date("2026-03-01T12:00:00.000Z");
    await database.prisma.portal.create({ data: { portalId: 1n, status: "CONNECTED", installedAt: at } });
    const { rows } = await database.pool.query(
      `SELECT installed_at, current_setting('timezone') AS zone FROM portals`,
    );
    expect(rows).toEqual([{ installed_at: at, zone: "UTC" }]);
    expect((await database.prisma.portal.findFirst())?.installedAt).toEqual(at);
  } finally {
    await database.close();
  }
});

test("the database's own session defaults do not count", async () => {
  const database = open();
  try {
    const names = ["lock_timeout", "idle_in_transaction_session_timeout", "statement_timeout"];
    const { rows } = await database.pool.query(
      `SELECT current_setting(name) AS value FROM unnest($1::text[]) AS name`,
      [names],
    );
    expect(rows.map(({ value }) => value)).toEqual(["2s", "5s", "15s"]);
  } finally {
    await database.close();
  }
});

test("a connection that is lost before it is prepared is dropped, and the next one works", async () => {
  const database = open();
  try {
    tap.cutAt(/^SET /);
    await expect(database.pool.query("SELECT 1")).rejects.toThrow();
    expect(
      tap.connections.flatMap(({ statements }) => statements).filter((text) => text === "SELECT 1"),
    ).toEqual([]);
    tap.cutAt(undefined);
    await expect(database.pool.query("SELECT 1 AS one")).resolves.toMatchObject({ rows: [{ one: 1 }] });
  } finally {
    await database.close();
  }
});
