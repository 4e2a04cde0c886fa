import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { ensureBuilt, startStage, type Stage } from "../../bench/chaos/stage.js";
import { createApiClient, giveKey, type ApiClient } from "../support/api-client.js";
import { addPlainPortal } from "../support/start-app.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";

const ROWS = 10_000;
/** Rows whose contact HubSpot has: every fifth. */
const CONTACTS = ROWS / 5;

let stage: Stage;
let pool: pg.Pool;
let portal: SimulatedPortal;
let api: ApiClient;

beforeAll(async () => {
  ensureBuilt();
  const simulator = { enrollmentsPerInboxAndDay: 10 * ROWS };
  stage = await startStage({ webs: 1, workers: 1, rateLimit: 1_000, simulator });
  pool = new pg.Pool({ connectionString: stage.database.url, max: 2 });
  portal = addPlainPortal(stage.simulator);
  await stage.install(portal);
  const owner = [...portal.owners.keys()][0] ?? "";
  for (let index = 0; index < CONTACTS; index += 1)
    portal.addContact({ properties: { email: `row${index * 5}@lead.example`, hubspot_owner_id: owner } });
  await pool.query(
    `INSERT INTO senders (portal_id, user_id, daily_cap, window_days) SELECT $1, unnest($2::bigint[]), 1000000, '{}'`,
    [portal.portalId, [...portal.users.keys()]],
  );
  await until(async () => (await pool.query("SELECT FROM sequences WHERE is_listed")).rowCount !== 0);
  api = createApiClient(stage.publicUrl, await giveKey({ pool }, portal.portalId));
}, 120_000);

afterAll(async () => {
  await pool?.end();
  await stage?.close({ graceMs: 0 });
});

async function until(isSo: () => Promise<boolean>, timeoutMs = 300_000): Promise<void> {
  for (const endsAt = Date.now() + timeoutMs; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

test("an import of 10,000 rows whose worker is killed twice handles each row once", async () => {
  const sequenceId = [...portal.sequences.keys()][0] ?? "";
  const file = Array.from({ length: ROWS }, (_, index) => `row${index}@lead.example`).join("\n");
  const headers = { "Content-Type": "text/csv" };
  const { body } = await api.ask("POST", "/api/v1/imports?name=Large", { body: `Email\n${file}\n`, headers });
  const defaults = { sequence: { id: sequenceId }, sender: { mode: "contact_owner" } };
  await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: { defaults } });
  await api.post(`/api/v1/imports/${body.id}/start`);
  const handled = async () => (await api.get(`/api/v1/imports/${body.id}`)).body.counts.handled as number;
  const [worker] = stage.workers;
  for (const after of [1_500, 5_000]) {
    await until(async () => (await handled()) >= after);
    worker?.signal("SIGKILL");
    await worker?.ended();
    await worker?.start();
  }
  await until(async () => (await api.get(`/api/v1/imports/${body.id}`)).body.status === "DONE");
  const { counts } = (await api.get(`/api/v1/imports/${body.id}`)).body;
  expect(counts).toMatchObject({
    rows: ROWS,
    handled: ROWS,
    failed: ROWS - CONTACTS,
    duplicate: 0,
    invalid: 0,
  });
  expect(counts.enrolled + counts.alreadyEnrolled).toBe(CONTACTS);
  const { rows } = await pool.query<{ most: number; all: number }>(
    `SELECT max(count)::int AS most, sum(count)::int AS all FROM
       (SELECT count(*) FROM executions WHERE import_id = $1 GROUP BY contact_id) AS by_contact`,
    [body.id],
  );
  expect(rows).toEqual([{ most: 1, all: CONTACTS }]);
  const twice = [...portal.contacts.keys()].filter((id) => portal.enrollments.factsOf(id).accepted > 1);
  expect(twice).toEqual([]);
}, 600_000);
