import type { PoolClient } from "pg";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let browser: Browser;

beforeAll(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  portal = addPlainPortal(running.simulator, { contacts: 1 });
  browser = await running.install(portal);
});

afterAll(() => running.close());

/** A call as a workflow makes it. */
async function enroll(callbackId: string): Promise<number> {
  const url = running.publicUrl + ENROLL_ROUTE;
  const body = JSON.stringify({
    callbackId,
    origin: { portalId: portal.portalId },
    object: { objectId: Number([...portal.contacts.keys()][0]) },
    inputFields: { sequence_id: [...portal.sequences.keys()][0], sender_mode: "contact_owner" },
  });
  const headers = running.simulator.sign({ method: "POST", url, body });
  return (await fetch(url, { method: "POST", headers, body })).status;
}

const waiting = async (watcher: PoolClient): Promise<number> => {
  const { rows } = await watcher.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]?.count ?? 0;
};

test("while pages wait for a database that is slow for them, calls are stored within a second", async () => {
  expect(await enroll("ap-warm")).toBe(200);
  const watcher = await running.db.database.pool.connect();
  const holder = await running.db.database.pool.connect();
  await holder.query("BEGIN; LOCK TABLE portal_admins IN ACCESS EXCLUSIVE MODE");
  try {
    const pages = Array.from({ length: 8 }, () => browser.open(`${running.publicUrl}/settings`));
    const endsAt = Date.now() + 4_000;
    while ((await waiting(watcher)) < 2 && Date.now() < endsAt)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const beganAt = Date.now();
    expect(await enroll("ap-meanwhile")).toBe(200);
    expect(Date.now() - beganAt).toBeLessThan(1_000);
    expect(await waiting(watcher)).toBeGreaterThanOrEqual(2);
    // Two pages of an account at a time: the others are refused when their turn does not come.
    const statuses = (await Promise.all(pages)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array<number>(6).fill(429), 503, 503]);
  } finally {
    await holder.query("ROLLBACK");
    holder.release();
    watcher.release();
  }
  expect((await browser.open(`${running.publicUrl}/settings`)).status).toBe(200);
});
