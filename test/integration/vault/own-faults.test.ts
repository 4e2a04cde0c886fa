import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "../../../src/app.js";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import { watchOwnFaults } from "#worker/sweeps/watch-portals.js";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let ill: bigint;
let browser: Browser;

beforeEach(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  const portal = running.simulator.addPortal();
  ill = BigInt(portal.portalId);
  browser = await running.install(portal);
  await running.install(running.simulator.addPortal());
});

afterEach(() => running.close());

/** As if the ill portal's grant had been sealed with a key of that name. */
async function nameKey(from: string, to: string): Promise<void> {
  await running.db.database.pool.query(
    `UPDATE portal_tokens SET access_token_sealed = replace(access_token_sealed, $2, $3),
            refresh_token_sealed = replace(refresh_token_sealed, $2, $3) WHERE portal_id = $1`,
    [ill, `v1.${from}.`, `v1.${to}.`],
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await sleep(50);
  }
}

const drain = () => running.db.database.prisma.portalDrain.findUnique({ where: { portalId: ill } });
const errors = () => running.logLines.filter(({ level }) => level === "error");
const worker = () => running.startAnother({ ROLE: "worker", METRICS_TOKEN: "token-of-the-tests" });

async function read(app: App, path: string): Promise<string> {
  const headers = { authorization: "Bearer token-of-the-tests" };
  return (await fetch(`http://localhost:${app.address.port}${path}`, { headers })).text();
}

describe("a sealing key that is missing", () => {
  test("while the app runs is said in the log once for each account, on the page, in /readyz and the metrics, until it is there", async () => {
    const app = await worker();
    await nameKey("test", "lost");
    await running.db.database.pool.query(
      "UPDATE portals SET directory_requested_at = now() WHERE portal_id = $1",
      [ill],
    );
    await until(async () => (await drain())?.circuitCause === "VAULT_KEY_UNKNOWN");

    const told = errors().filter(({ portalId }) => portalId !== undefined);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ portalId: ill.toString(), err: { code: "VAULT_KEY_UNKNOWN" } });
    expect(JSON.parse(await read(app, "/readyz"))).toMatchObject({
      status: "ready",
      warnings: { setup: expect.stringContaining("VAULT_KEY_UNKNOWN") },
    });
    const metrics = await read(app, "/metrics");
    expect(metrics).toContain('sequence_enroller_portals_stopped{cause="VAULT_KEY_UNKNOWN"} 1');
    expect(metrics).toMatch(/sequence_enroller_own_faults_total\{cause="VAULT_KEY_UNKNOWN"\} \d/);
    const page = (await browser.open(`${running.publicUrl}/settings`)).body;
    expect(page).toContain("Sequence Enroller has a problem.");
    expect(page).toContain("Reconnect");
    expect(page).not.toContain("HubSpot isn't responding");

    await nameKey("lost", "test");
    await running.db.database.pool.query(
      "UPDATE portal_drains SET circuit_open_until = now() WHERE portal_id = $1",
      [ill],
    );
    await until(async () => (await drain())?.circuitTrips === 0);
    expect((await drain())?.circuitCause).toBeNull();
  });

  test("stops the start and is named, even if it is one account's alone", async () => {
    await nameKey("test", "lost");
    const attempt = running.startAnother();
    await expect(attempt).rejects.toMatchObject({
      code: "VAULT_KEYS_DO_NOT_OPEN",
      message: expect.stringMatching(/: lost is missing \(2 in portal_tokens\)\. /),
    });
  });

  test("stops the start if only an address, a secret or another program's key was sealed with it", async () => {
    const { pool } = running.db.database;
    await pool.query(
      `INSERT INTO portal_settings (portal_id, alert_secret_sealed, updated_at) VALUES ($1, 'v1.gone.a.b.c', now())
       ON CONFLICT (portal_id) DO UPDATE SET alert_secret_sealed = excluded.alert_secret_sealed`,
      [ill],
    );
    await pool.query(
      "INSERT INTO imports (portal_id, name, source_key, columns) VALUES ($1, 'x', 'v1.older.a.b.c', '[]')",
      [ill],
    );
    await expect(running.startAnother()).rejects.toThrow(
      /gone is missing \(1 in portal_settings\); older is missing \(1 in imports\)/,
    );
  });

  test("and one with other bytes stops the start; neither is printed", async () => {
    const other = randomBytes(32).toString("base64");
    const attempt = running.startAnother({ ENCRYPTION_KEYS: `test:${other}` });
    await expect(attempt).rejects.toThrow(/: test has other bytes than the one that sealed 2 grants/);
    await expect(attempt).rejects.not.toThrow(other.slice(0, 8));
  });
});

test("a lasting fault of our own is reported to the account's admins once each time", async () => {
  const { pool, prisma } = running.db.database;
  const stop = (minutes: number, cause: string | null) =>
    pool.query(
      `INSERT INTO portal_drains (portal_id, circuit_trips, circuit_cause, circuit_opened_at)
       VALUES ($1, 3, $3, now() - $2 * interval '1 minute')
       ON CONFLICT (portal_id) DO UPDATE SET circuit_trips = 3, circuit_cause = $3, circuit_opened_at = excluded.circuit_opened_at`,
      [ill, minutes, cause],
    );
  const told = async () => {
    await watchOwnFaults({ pool, logger: createLogger({ level: "silent" }) });
    return prisma.alert.count({ where: { kind: "SERVICE_FAULT", channel: "EMAIL", portalId: ill } });
  };
  await stop(29, "VAULT_KEY_UNKNOWN");
  expect(await told()).toBe(0);
  await stop(600, null);
  expect(await told()).toBe(0);
  await stop(31, "APP_MISCONFIGURED");
  expect(await told()).toBe(1);
  await pool.query("UPDATE alert_marks SET raised_at = now() - interval '2 hours'");
  expect(await told()).toBe(1);
});
