import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureBuilt, startStage, type Stage } from "../../bench/chaos/stage.js";
import { REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { query } from "../support/sql.js";
import { addPlainPortal } from "../support/start-app.js";

// Timeouts are set if the process's own `fetch` is tuned, which is out of reach inside jest.
let stage: Stage;
let portal: SimulatedPortal;

beforeAll(async () => {
  ensureBuilt();
  stage = await startStage({ webs: 1, workers: 1, rateLimit: 400 });
  portal = addPlainPortal(stage.simulator, { contacts: 1 });
  await stage.install(portal);
  await stage.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  // The circuit is read as a turn begins.
  while ((await rows("SELECT FROM portal_drains WHERE is_released")).length === 0) await sleep(50);
});

afterAll(() => stage?.close({ graceMs: 0 }));

const rows = (text: string): Promise<Record<string, unknown>[]> => query(stage.database.url, text);

test("the request that probes an account after an outage may have enrolled, too, if its answer does not come", async () => {
  const { simulator } = stage;
  const [contactId = ""] = portal.contacts.keys();
  simulator.failNext({ portalId: portal.portalId, endpoint: "enroll", fault: "hangAfter", times: 1 });
  // The outage is over as far as is known: the next request probes, and is waited for five seconds.
  await rows(
    `UPDATE portal_drains SET circuit_trips = 1, circuit_opened_at = now(), circuit_open_until = now()`,
  );
  const run = portal.runAction({
    actionUrl: stage.actionUrls[0] ?? "",
    contactIds: [contactId],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await simulator.waitFor(() => portal.enrollments.total === 1, { what: "the probe" });
  const sentAtMs = performance.now();
  while ((await rows(`SELECT state FROM executions`))[0]?.["state"] === "ATTEMPTING") await sleep(50);
  expect(performance.now() - sentAtMs).toBeGreaterThan(4_000);
  expect(performance.now() - sentAtMs).toBeLessThan(9_000);
  expect(await rows(`SELECT state FROM executions`)).toEqual([{ state: "UNCERTAIN" }]);
  await run.finished;
  expect(portal.enrollments.total).toBe(1);
  expect(portal.traffic.requestsOf("enroll")).toBe(1);
  expect(run.executionOf(contactId).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
});
