import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  ENROLL_ROUTE,
  ROTATION_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { until } from "../../support/authorizing.js";
import { query } from "../../support/sql.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** More than the connections that calls and dropdowns share. */
const MANY = 40;
/** Longer than any limit of a statement, so that only the dropdown's own limits end it. */
const SLOW_SECONDS = 60;

let running: RunningApp;
let busy: SimulatedPortal;
let neighbor: SimulatedPortal;

beforeAll(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  [busy, neighbor] = [0, 1].map(() => addPlainPortal(running.simulator, { contacts: 1 })) as [
    SimulatedPortal,
    SimulatedPortal,
  ];
  for (const portal of [busy, neighbor]) await running.install(portal);
  await pool().query("UPDATE portals SET directory_synced_at = now()");
  // Connections and statements of the first calls are made.
  await Promise.all([open(neighbor, ROTATION_OPTIONS_ROUTE), enroll("ap-warm")]);
});

/** Whatever reads sequences takes a minute at the server: no lock is waited for, which would end by its own limit. */
beforeEach(() =>
  query(
    running.db.url,
    `ALTER TABLE sequences RENAME TO sequences_kept;
     CREATE VIEW sequences AS SELECT kept.* FROM (SELECT pg_sleep(${SLOW_SECONDS})) AS slow, sequences_kept AS kept`,
  ),
);

const beQuickAgain = () =>
  query(
    running.db.url,
    `DO $$ BEGIN
       IF to_regclass('sequences_kept') IS NULL THEN RETURN; END IF;
       DROP VIEW sequences;
       ALTER TABLE sequences_kept RENAME TO sequences;
     END $$`,
  );

afterEach(beQuickAgain);

afterAll(() => running.close());

const pool = () => running.db.database.pool;

async function post(route: string, body: object, signal?: AbortSignal): Promise<Response> {
  const url = running.publicUrl + route;
  const text = JSON.stringify(body);
  const headers = running.simulator.sign({ method: "POST", url, body: text });
  return fetch(url, { method: "POST", headers, body: text, ...(signal && { signal }) });
}

/** Opens a dropdown of a step in the workflow editor. */
const open = ({ portalId }: SimulatedPortal, route: string, signal?: AbortSignal) =>
  post(route, { origin: { portalId }, inputFields: {} }, signal);

const enroll = (callbackId: string) =>
  post(ENROLL_ROUTE, {
    callbackId,
    origin: { portalId: neighbor.portalId },
    object: { objectId: Number([...neighbor.contacts.keys()][0]) },
    inputFields: { sequence_id: [...neighbor.sequences.keys()][0], sender_mode: "contact_owner" },
  });

/** Statements of the app that read sequences at the server. */
async function slowStatements(): Promise<number> {
  const { rows } = await pool().query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%sequences%'`,
  );
  return rows[0]?.count ?? 0;
}

test("dropdowns of one account that the database is slow to read keep no call and no other account's dropdown waiting", async () => {
  const statuses: number[] = [];
  const beganAt = Date.now();
  const all = Array.from({ length: MANY }, async () => {
    const answer = await open(busy, SEQUENCE_OPTIONS_ROUTE);
    statuses.push(answer.status);
    if (answer.status === 429) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });
  await until(async () => (await slowStatements()) >= 2, "no dropdown is being read");
  const [call, dropdown] = await Promise.all([enroll("ap-1"), open(neighbor, ROTATION_OPTIONS_ROUTE)]);
  expect([call.status, dropdown.status]).toEqual([200, 200]);
  expect(await slowStatements()).toBe(2);
  await Promise.all(all);
  expect(new Set(statuses)).toEqual(new Set([429, 503]));
  // The person who opened it waits for three seconds; a statement may take fifteen.
  expect(Date.now() - beganAt).toBeLessThan(10_000);
  // What ran for those that were told "503" is ended, and its place is free.
  await until(async () => (await slowStatements()) === 0, "a statement runs for nobody", 5_000);
  await beQuickAgain();
  expect((await open(busy, SEQUENCE_OPTIONS_ROUTE)).status).toBe(200);
});

test("the query of a closed dropdown is ended at the server", async () => {
  const gone = new AbortController();
  const dropdown = open(busy, SEQUENCE_OPTIONS_ROUTE, gone.signal).catch(() => undefined);
  await until(async () => (await slowStatements()) === 1, "the dropdown is not being read");
  gone.abort();
  await dropdown;
  await until(async () => (await slowStatements()) === 0, "a statement runs for nobody", 5_000);
});
