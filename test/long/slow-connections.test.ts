import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { startApp } from "../../src/app.js";
import { readConfig } from "../../src/config.js";
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

/** A start through the way, and what it logged. The first connection that the migrations do not make is too slow. */
function startOn(slowWay: SlowWay, environment: Record<string, string>) {
  const lines: string[] = [];
  const logger = createLogger({
    level: "warn",
    destination: {
      write: (line: string) => {
        lines.push(line);
      },
    },
  });
  const config = readConfig({ ...environment, DATABASE_URL: slowWay.url, PORT: "0" });
  return { lines, starting: startApp(config, logger) };
}

test("a start whose database takes longer to connect to than is waited for tries again, and goes on when it is quick", async () => {
  running = await startRunningApp();
  way = await openSlowWay(running.db.url);
  way.connectDelayMs = 2_000;
  const { lines, starting } = startOn(way, running.environment);
  const isTryingAgain = async (): Promise<void> => {
    while (!lines.join("").includes("cannot be reached yet"))
      await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await Promise.race([starting, isTryingAgain()]);
  way.connectDelayMs = 0;
  const app = await starting;
  const ready = await fetch(`http://127.0.0.1:${app.address.port}/readyz`);
  await app.close();
  expect(ready.status).toBe(200);
});

test("a start whose database stays too slow ends with the setting to change", async () => {
  running = await startRunningApp();
  way = await openSlowWay(running.db.url);
  way.connectDelayMs = 2_000;
  await expect(startOn(way, running.environment).starting).rejects.toThrow(
    /The database cannot be reached: .*timeout.*DATABASE_CONNECT_TIMEOUT_MS/,
  );
});
