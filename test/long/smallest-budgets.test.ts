import { afterEach, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

let running: RunningApp;

afterEach(() => running.close());

// Each request of such an account waits for HubSpot's window of ten seconds.
test.each(["1", "2"])("with a budget of %s, the smallest there are, work is done anyway", async (limit) => {
  running = await startRunningApp({ environment: { ROLE: "web", HUBSPOT_RATE_LIMIT: limit } });
  const portal = addPlainPortal(running.simulator, { contacts: 0 });
  await running.install(portal);
  const { id } = portal.addTroubledContact("no-owner");
  // The copy of the directory alone would take this budget a minute.
  await running.db.database.pool.query(
    `UPDATE portals SET directory_requested_at = now(), directory_synced_at = now()`,
  );
  await running.startAnother({ ROLE: "worker", HUBSPOT_RATE_LIMIT: limit });
  const run = portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [id],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await run.finished;
  expect(run.executionOf(id).outputs).toMatchObject({ error_code: "OWNER_MISSING" });
  expect(run.executionOf(id).attempts.map(({ status }) => status)).toEqual([200]);
});
