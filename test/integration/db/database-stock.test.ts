import { expect, test } from "@jest/globals";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDatabaseStock, shapeOf } from "../../support/database-stock.js";
import { query } from "../../support/sql.js";
import { startRunningApp } from "../../support/start-app.js";

/** Databases of a test's own app, and a stock that no other test takes from. */
async function usedDatabase(url: string) {
  const folder = await mkdtemp(path.join(tmpdir(), "stock-"));
  const stock = openDatabaseStock({ folder, shape: process.env["TEST_DATABASE_SHAPE"] ?? "" });
  const name = new URL(url).pathname.slice(1);
  return { stock, name, kept: () => readdir(folder), remove: () => rm(folder, { recursive: true }) };
}

test("a database that an app has worked on is emptied and kept for the next test", async () => {
  const app = await startRunningApp();
  await app.install(app.simulator.addPortal());
  const { stock, name, kept, remove } = await usedDatabase(app.db.url);
  // One that still runs connects again, and puts its next job into the emptied queue.
  await app.stop();
  try {
    expect(await stock.giveBack({ url: app.db.url, name })).toBe(true);
    expect(await kept()).toEqual([name]);
    expect(await query(app.db.url, "SELECT (SELECT count(*) FROM portals)::int AS portals")).toEqual([
      { portals: 0 },
    ]);
    expect(await query(app.db.url, "SELECT count(*)::int AS jobs FROM pgboss.job")).toEqual([{ jobs: 0 }]);
  } finally {
    await remove();
    await app.close();
  }
});

test("one whose tables a test has changed is not kept", async () => {
  const app = await startRunningApp();
  const { stock, name, kept, remove } = await usedDatabase(app.db.url);
  try {
    await query(app.db.url, "ALTER TABLE portals ADD COLUMN of_a_test int");
    expect(await shapeOf(app.db.url)).not.toBe(process.env["TEST_DATABASE_SHAPE"]);
    expect(await stock.giveBack({ url: app.db.url, name })).toBe(false);
    expect(await kept()).toEqual([]);
  } finally {
    await remove();
    await app.close();
  }
});
