import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startApp } from "../../../src/app.js";
import { readConfig } from "../../../src/config.js";
import { createLogger } from "#platform/observability/logger.js";
import { startProblem } from "../../../src/compose/start-problem.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { freePort } from "../../support/start-app.js";

let db: TestDatabase;
let folder: string;

beforeEach(async () => {
  db = await createTestDatabase();
  folder = await mkdtemp(path.join(tmpdir(), "sequence-enroller-start-"));
});

afterEach(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

const configOf = (more: Record<string, string>) =>
  readConfig({
    NODE_ENV: "development",
    DATABASE_URL: db.url,
    DATABASE_CONNECT_TIMEOUT_MS: "10000",
    PORT: "0",
    HUBSPOT_CLIENT_ID: "client",
    HUBSPOT_CLIENT_SECRET: "client-s",
    ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
    SESSION_SECRET: "a-session-secret-for-tests-only-0123456789",
    ...more,
  });

async function problemWith(more: Record<string, string>): Promise<string | undefined> {
  const config = configOf(more);
  const fault: unknown = await startApp(config, createLogger({ level: "silent" })).then(
    async (app) => {
      await app.close();
      throw new Error("it started");
    },
    (error: unknown) => error,
  );
  return startProblem(fault, config);
}

describe("an app that cannot start says what to do", () => {
  test.each([
    ["a HOST of another machine", { HOST: "203.0.113.9" }, /^HOST is "203\.0\.113\.9", .*Set it to one/],
    ["a HOST that is no name", { HOST: "no.such.host.invalid" }, /^HOST is "no\.such\.host\.invalid"/],
    [
      "a port that is none",
      { DATABASE_URL: "postgres://u:pw@127.0.0.1:99999/d" },
      /the port is at most 65535/,
    ],
    [
      "a socket that is not there",
      { DATABASE_URL: "postgres:///d?host=/nowhere" },
      /folder with PostgreSQL's socket/,
    ],
  ])("with %s", async (_what, more, words) => {
    const problem = await problemWith(more);
    expect(problem).toMatch(words);
    expect(problem).not.toContain("pw");
  });

  test("with a port that is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const PORT = String((other.address() as AddressInfo).port);
    expect(await problemWith({ PORT })).toBe(
      `Another program listens on 127.0.0.1:${PORT} already. End it, or set PORT to a free port.`,
    );
    other.close();
  });

  test.each([
    ["a DATA_DIR that is a file", () => path.join(folder, "file")],
    ["a DATA_DIR with a name that cannot be", () => path.join(folder, "x".repeat(300))],
  ])("with %s", async (_what, dataDirOf) => {
    await writeFile(path.join(folder, "file"), "");
    const DATA_DIR = dataDirOf();
    expect(await problemWith({ DATABASE_URL: "", DATA_DIR })).toContain(`DATA_DIR is "${DATA_DIR}"`);
  });

  test("and for what nobody foresaw, leaves it to the stack", () => {
    expect(startProblem(new TypeError("x is not a function"), configOf({}))).toBeUndefined();
  });
});

describe("a request to stop ends a waiting start at once", () => {
  test("for its database", async () => {
    const stopping = new AbortController();
    const DATABASE_URL = `postgres://u:p@127.0.0.1:${await freePort()}/d`;
    const start = startApp(configOf({ DATABASE_URL }), createLogger({ level: "silent" }), {
      stopping: stopping.signal,
    });
    const askedAtMs = performance.now();
    setTimeout(() => stopping.abort(), 300);
    await expect(start).rejects.toMatchObject({ name: "AbortError" });
    expect(performance.now() - askedAtMs).toBeLessThan(5_000);
  });

  test("for another process that migrates", async () => {
    const stopping = new AbortController();
    const holder = await db.database.pool.connect();
    await holder.query("SELECT pg_advisory_lock(72707369)");
    const start = startApp(configOf({}), createLogger({ level: "silent" }), { stopping: stopping.signal });
    setTimeout(() => stopping.abort(), 300);
    await expect(start).rejects.toMatchObject({ name: "AbortError" });
    holder.release(true);
  });
});
