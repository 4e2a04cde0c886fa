import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let url: string;

beforeAll(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  portal = addPlainPortal(running.simulator, { contacts: 0 });
  url = running.publicUrl + WEBHOOK_ROUTE;
  await running.install(portal);
});
afterAll(() => running.close());

async function deliver(events: readonly object[]): Promise<number> {
  const body = JSON.stringify(events);
  const headers = running.simulator.sign({ method: "POST", url, body }, { v3: "good" });
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  await response.arrayBuffer();
  return response.status;
}

const privacyDeletion = (contactId: number) => ({
  subscriptionType: "contact.privacyDeletion",
  portalId: portal.portalId,
  objectId: contactId,
});

/** Finished executions of this many contacts, counted up from `first`, with the traces that an admin's searches leave. */
async function store(first: number, count: number): Promise<void> {
  const { pool } = running.db.database;
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, contact_email, request)
     SELECT $1, 'ap-large-' || n, 'ENROLL', 'COMPLETED', now(), n::text, n || '@acme.example', '{}'
       FROM generate_series($2::int, $2::int + $3::int - 1) AS n`,
    [portal.portalId, first, count],
  );
  await pool.query("ANALYZE executions");
}

/** Of the contacts from `first` on. */
async function addressesLeft(first = 0): Promise<number> {
  const { rows } = await running.db.database.pool.query<{ left: number }>(
    `SELECT count(*)::int AS left FROM executions WHERE portal_id = $1 AND contact_email IS NOT NULL AND callback_id >= 'ap-large-' || $2`,
    [portal.portalId, first],
  );
  return rows[0]?.left ?? -1;
}

describe("a delivery of", () => {
  test.each([100, 1_000, 2_000])("%d privacy deletions is taken and answered 200", async (count) => {
    const first = count * 1_000;
    await store(first, count);
    const events = Array.from({ length: count }, (_, at) => privacyDeletion(first + at));
    expect(await deliver(events)).toBe(200);
    expect(await addressesLeft()).toBe(0);
  });

  test("1,000 changes holds no row longer than a hundred of them take", async () => {
    await store(8_000_000, 1_000);
    const { pool } = running.db.database;
    const seen = new Set<number>();
    const events = Array.from({ length: 1_000 }, (_, at) => privacyDeletion(8_000_000 + at));
    let isOver = false;
    const delivery = deliver(events).finally(() => (isOver = true));
    while (!isOver) seen.add(await addressesLeft(8_000_000));
    expect(await delivery).toBe(200);
    // A single transaction shows all or nothing.
    expect([...seen].some((left) => left > 0 && left < 1_000)).toBe(true);
    expect(
      (await pool.query("SELECT FROM contact_fates WHERE portal_id = $1", [portal.portalId])).rowCount,
    ).toBe(4_100);
  });

  test("10,000 events is larger than a body may be: 413, and nothing is done", async () => {
    await store(9_000_000, 10);
    const events = Array.from({ length: 10_000 }, (_, at) => privacyDeletion(9_000_000 + at));
    expect(await deliver(events)).toBe(413);
    expect(await addressesLeft(9_000_000)).toBe(10);
  });

  test("one merge of 1,500 contacts and 1,000 repetitions is taken like any other", async () => {
    await store(20_000_000, 1_500);
    const into = 30_000_000;
    const merge = {
      subscriptionType: "contact.merge",
      portalId: portal.portalId,
      primaryObjectId: 20_000_000,
      mergedObjectIds: Array.from({ length: 1_499 }, (_, at) => 20_000_001 + at),
      newObjectId: into,
    };
    const touched = { subscriptionType: "contact.deletion", portalId: portal.portalId, objectId: 5 };
    expect(await deliver([merge, ...Array.from({ length: 1_000 }, () => touched)])).toBe(200);
    const { rows } = await running.db.database.pool.query<{ merged: number }>(
      "SELECT count(*)::int AS merged FROM executions WHERE portal_id = $1 AND contact_id = $2",
      [portal.portalId, into],
    );
    expect(rows).toEqual([{ merged: 1_500 }]);
  });
});
