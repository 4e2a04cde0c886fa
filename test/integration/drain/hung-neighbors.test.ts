import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { setTimeout as sleep } from "node:timers/promises";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** Together they could have more requests under way than a worker's 256 places. */
const HUNG = { portals: 5, contacts: 70 };
/** What an account that has not been heard of lately may have under way, at the least if others hang already. */
const UNHEARD = { most: 4, least: 1, afterMs: 2_500 };

function begin(
  running: RunningApp,
  portal: SimulatedPortal,
  contactIds = [...portal.contacts.keys()],
): WorkflowRun {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds,
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

function firstOf(portal: SimulatedPortal): string {
  return [...portal.contacts.keys()][0] ?? "";
}

describe("a healthy account next to five whose HubSpot answers no enrollment", () => {
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
    // The first call tells the action's number: the account's workflows are read again for it, with answers.
    for (const portal of hung) await begin(running, portal, [firstOf(portal)]).finished;
    await allCopied();
    // HubSpot's answers to the first copy count for two seconds: then the accounts have not been heard of lately.
    await sleep(UNHEARD.afterMs);
    for (const { portalId } of hung)
      simulator.failNext({ portalId, endpoint: "enroll", fault: "hangBefore", times: 1_000 });
    asked.clear();
    for (const portal of hung) begin(running, portal, [...portal.contacts.keys()].slice(1));
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

  async function allCopied(): Promise<void> {
    const { pool } = running.db.database;
    const unread = `SELECT FROM portals
      WHERE directory_synced_at IS NULL OR flows_read_at IS NULL OR flows_requested_at > flows_read_at`;
    const endsAt = Date.now() + 60_000;
    while ((await pool.query(unread)).rowCount !== 0) {
      if (Date.now() > endsAt) throw new Error("the directories were not copied");
      await sleep(50);
    }
  }

  afterAll(async () => {
    // Cuts what hangs, so that nobody waits for the timeouts.
    await running.simulator.close();
    await running.close();
  });

  test("is served as if the others were not there", () => {
    expect(healthy.enrollments.total).toBe(5);
    expect(tookMs).toBeLessThan(5_000);
  });

  test("and few requests of each of the five hang, however many contacts it has", () => {
    for (const { portalId, enrollments } of hung) {
      expect(enrollments.total).toBe(1);
      expect(asked.get(portalId)).toBeLessThanOrEqual(2 * UNHEARD.most);
    }
  });

  test("their unsent executions wait with nothing counted", async () => {
    const { rows } = await running.db.database.pool.query<{ waiting: number; counted: number }>(
      `SELECT count(*)::int AS waiting, count(*) FILTER (WHERE attempts > 0 OR retries > 0)::int AS counted
         FROM executions WHERE state = 'QUEUED'`,
    );
    // Some more are claimed than were asked for: they stand at the gate.
    const claimed = 3 * UNHEARD.most;
    expect(rows[0]?.waiting).toBeGreaterThanOrEqual(HUNG.portals * (HUNG.contacts - 1 - claimed));
    expect(rows[0]?.counted).toBe(0);
  });
});
