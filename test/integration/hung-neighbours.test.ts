import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

/** Together they could have more requests under way than a worker's 256 places. */
const HUNG = { portals: 5, contacts: 70 };
/**
 * What an account that has not been heard of may have under way, at the least if others hang already, and what may be asked
 * beside: the directory, and as many enrollments more as there were answers before HubSpot hung.
 */
const UNHEARD = { most: 4, least: 1, beside: 10 };

function begin(running: RunningApp, portal: SimulatedPortal): WorkflowRun {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

describe("a healthy account beside five whose HubSpot answers no enrollment", () => {
  let running: RunningApp;
  let hung: SimulatedPortal[];
  let healthy: SimulatedPortal;
  let tookMs: number;
  const asked = new Map<number, number>();

  beforeAll(async () => {
    running = await startRunningApp();
    const { simulator } = running;
    simulator.signals.on("request", ({ portalId }) => {
      if (portalId !== undefined) asked.set(portalId, (asked.get(portalId) ?? 0) + 1);
    });
    hung = Array.from({ length: HUNG.portals }, () => addPlainPortal(simulator, { contacts: HUNG.contacts }));
    healthy = addPlainPortal(simulator, { contacts: 5 });
    for (const portal of [healthy, ...hung]) await running.install(portal);
    await simulator.waitFor(() => hung.every(({ portalId }) => (asked.get(portalId) ?? 0) >= 1), {
      what: "the first requests of the accounts",
    });
    for (const { portalId } of hung)
      simulator.failNext({ portalId, endpoint: "enroll", fault: "hangBefore", times: 1_000 });
    asked.clear();
    for (const portal of hung) begin(running, portal);
    // On a busy machine the last to begin finds the process uneasy already.
    const askedOf = ({ portalId }: SimulatedPortal): number => asked.get(portalId) ?? 0;
    await simulator.waitFor(
      () =>
        hung.some((portal) => askedOf(portal) >= UNHEARD.most) &&
        hung.every((portal) => askedOf(portal) >= UNHEARD.least),
      { what: "requests that hang" },
    );
    const startedMs = performance.now();
    await begin(running, healthy).finished;
    tookMs = performance.now() - startedMs;
  });

  afterAll(async () => {
    // Cuts what hangs, so that nobody waits for the time-outs.
    await running.simulator.close();
    await running.close();
  });

  test("is served as if they were not there", () => {
    expect(healthy.enrollments.total).toBe(5);
    expect(tookMs).toBeLessThan(5_000);
  });

  test("and few requests of each of the five hang, however many contacts it has", () => {
    for (const { portalId, enrollments } of hung) {
      expect(enrollments.total).toBe(0);
      expect(asked.get(portalId)).toBeLessThanOrEqual(2 * UNHEARD.most + UNHEARD.beside);
    }
  });

  test("what of theirs was not sent waits with nothing counted", async () => {
    const { rows } = await running.db.database.pool.query<{ waiting: number; counted: number }>(
      `SELECT count(*)::int AS waiting, count(*) FILTER (WHERE attempts > 0 OR retries > 0)::int AS counted
         FROM executions WHERE state = 'QUEUED'`,
    );
    const sent = 2 * UNHEARD.most + UNHEARD.beside;
    expect(rows[0]?.waiting).toBeGreaterThanOrEqual(HUNG.portals * (HUNG.contacts - sent));
    expect(rows[0]?.counted).toBe(0);
  });
});
