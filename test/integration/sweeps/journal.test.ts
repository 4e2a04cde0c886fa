import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { App } from "../../../src/app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { readConfig } from "../../../src/config.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;

beforeEach(async () => {
  running = await startRunningApp({
    environment: { ROLE: "web", HUBSPOT_JOURNAL: "on" },
    workIntervals: { readJournal: 100 },
  });
  // The journal alone tells of the uninstall: HubSpot's other answers do not.
  running.simulator.setOpenQuestions({ accessTokenSurvivesUninstall: true });
  portal = addPlainPortal(running.simulator, { contacts: 1 });
  await running.install(portal);
  await backdateGrants();
});
afterEach(() => running.close());

/** HubSpot's clock and ours may differ by seconds: a grant that is minutes old is certainly older than what happens now. */
const backdateGrants = () =>
  running.db.database.pool.query("UPDATE portal_tokens SET granted_at = now() - interval '10 minutes'");

/** A worker that has looked into the journal, and so sees to it that something is written there. */
async function startReader(): Promise<App> {
  const { reads } = running.simulator.journal;
  const before = reads.length;
  const worker = await running.startAnother({ ROLE: "worker" });
  await until(() => Promise.resolve(reads.length > before));
  return worker;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function statusOf({ portalId }: SimulatedPortal): Promise<string | undefined> {
  const sql = "SELECT status FROM portals WHERE portal_id = $1";
  const { rows } = await running.db.database.pool.query<{ status: string }>(sql, [portalId]);
  return rows[0]?.status;
}

async function readTo(): Promise<string | undefined> {
  const sql = "SELECT read_to FROM journal_position";
  return (await running.db.database.pool.query<{ read_to: string }>(sql)).rows[0]?.read_to;
}

const isDisconnected = (which: SimulatedPortal) => async () => (await statusOf(which)) === "DISCONNECTED";

test("an uninstall in HubSpot disconnects the account, which its admins are told, without any use of the grant", async () => {
  await startReader();
  portal.uninstall();
  await until(isDisconnected(portal));
  expect(portal.traffic.tokenRequests["refresh_token"]).toBeUndefined();
  const { pool } = running.db.database;
  const audit = await pool.query("SELECT action, after FROM audit_entries ORDER BY id DESC LIMIT 1");
  expect(audit.rows).toMatchObject([{ action: "DISCONNECTED", after: { uninstalledInHubSpot: true } }]);
  const alerts = await pool.query("SELECT DISTINCT kind FROM alerts");
  expect(alerts.rows).toEqual([{ kind: "PORTAL_DISCONNECTED" }]);
});

test("how far it is read outlives the process: the next one goes on there, and misses nothing from in between", async () => {
  const first = await startReader();
  portal.uninstall();
  await until(isDisconnected(portal));
  await until(async () => (await readTo()) !== undefined);
  await first.close({ graceMs: 1_000 });
  const offset = await readTo();

  const other = addPlainPortal(running.simulator, { contacts: 1 });
  await running.install(other);
  await backdateGrants();
  other.uninstall();
  const { reads } = running.simulator.journal;
  const before = reads.length;
  await startReader();
  await until(isDisconnected(other));
  expect(reads[before]).toBe(offset);
  expect(reads.slice(before)).not.toContain("earliest");
});

test("an account that was installed again since then stays connected", async () => {
  const first = await startReader();
  await first.close({ graceMs: 1_000 });
  portal.uninstall();
  await running.install(portal);
  await startReader();
  await until(async () => (await readTo()) !== undefined);
  const { reads } = running.simulator.journal;
  // Both entries are read once the end was asked for.
  await until(async () => reads.at(-1) === (await readTo()) && reads.length > 3);
  expect(await statusOf(portal)).toBe("CONNECTED");
});

test("a position that HubSpot no longer keeps is not the end: reading goes on from the oldest entry", async () => {
  const { pool } = running.db.database;
  await pool.query("INSERT INTO journal_position (id, read_to, updated_at) VALUES (1, 'long-gone', now())");
  await startReader();
  portal.uninstall();
  await until(isDisconnected(portal));
  expect(running.simulator.journal.reads.slice(0, 2)).toEqual(["long-gone", "earliest"]);
  expect(running.logLines.map(({ msg }) => msg)).toContain(
    "HubSpot's journal is read again from its oldest entry",
  );
});

test("it is off unless the operator turns it on", () => {
  const { HUBSPOT_JOURNAL: _on, ...environment } = { HUBSPOT_JOURNAL: "", ...running.environment };
  expect(readConfig(environment).hubspot.readsJournal).toBe(false);
});
