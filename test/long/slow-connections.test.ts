import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { createLogger } from "#platform/observability/logger.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { openSlowWay, type SlowWay } from "../support/slow-way.js";
import { startRunningApp, type RunningApp } from "../support/start-app.js";

let db: TestDatabase;
let way: SlowWay | undefined;
let running: RunningApp | undefined;

beforeEach(async () => {
  db = await createTestDatabase();
});

afterEach(async () => {
  await running?.close();
  running = undefined;
  await way?.close();
  await db.drop();
});

/** The first looks are too short for a connection that is only being made. */
async function isReadySoon({ publicUrl }: RunningApp): Promise<boolean> {
  const endsAt = Date.now() + 20_000;
  while (Date.now() < endsAt) if ((await fetch(`${publicUrl}/readyz`)).status === 200) return true;
  return false;
}

test("a database that takes three seconds to connect to is worked with, once the time is set", async () => {
  way = await openSlowWay(db.url);
  way.connectDelayMs = 3_000;
  running = await startRunningApp({
    environment: { DATABASE_URL: way.url, DATABASE_CONNECT_TIMEOUT_MS: "8000", ROLE: "web" },
  });
  expect(await isReadySoon(running)).toBe(true);
});

test("a start waits for a database that is not there yet, and says so", async () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "warn",
    destination: { write: (line: string) => void lines.push(line) },
  });
  way = await openSlowWay(db.url);
  const { url } = way;
  await way.close();
  const migrating = applyMigrations({ url, logger });
  while (!lines.join("").includes("cannot be reached yet"))
    await new Promise((resolve) => setTimeout(resolve, 20));
  way = await openSlowWay(db.url, { port: Number(new URL(url).port) });
  await expect(migrating).resolves.toEqual([]);
});
