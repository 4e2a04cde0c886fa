import { afterEach, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { freePort } from "../support/start-app.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let db: TestDatabase | undefined;
let npm: ChildProcess | undefined;

afterEach(async () => {
  // What is left of its group, should the test have failed.
  try {
    if (npm?.pid !== undefined) process.kill(-npm.pid, "SIGKILL");
  } catch {
    // Gone, as it should be.
  }
  await db?.drop();
});

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

async function until(holds: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await sleep(50);
  }
}

// A supervisor knows npm alone: a shell between npm and the app would take the signal and leave the app behind.
test("SIGTERM to npm start ends the app in order, and leaves nothing behind", async () => {
  db = await createTestDatabase();
  const port = await freePort();
  npm = spawn("npm", ["start", "--silent"], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: String(port),
      DATABASE_URL: db.url,
      SESSION_SECRET: "a-session-secret-of-the-tests",
      HUBSPOT_CLIENT_ID: "client",
      HUBSPOT_CLIENT_SECRET: "secret",
      HUBSPOT_APP_ID: "170",
      NODE_ENV: "development",
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
    },
    stdio: "ignore",
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => npm?.once("close", resolve));
  const healthz = `http://127.0.0.1:${port}/healthz`;
  await until(() => answers(healthz), 60_000);
  process.kill(npm.pid as number, "SIGTERM");
  expect(await ended).toBe(0);
  expect(await answers(healthz)).toBe(false);
});
