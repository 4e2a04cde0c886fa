import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction } from "#domain/history/admin-actions.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** In tests HubSpot shows everything within this time, instead of within two minutes. */
const BELIEVE_NONE_AFTER_MS = 2_000;

async function connectedPortal(running: RunningApp, contacts: number): Promise<SimulatedPortal> {
  const portal = addPlainPortal(running.simulator, { contacts });
  await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  return portal;
}

const sequenceOf = (portal: SimulatedPortal): string => [...portal.sequences.keys()][0] ?? "";

function enroll(
  running: RunningApp,
  portal: SimulatedPortal,
  { contactIds = [...portal.contacts.keys()], inputs = {} } = {},
): WorkflowRun {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds,
    inputs: { sequence_id: sequenceOf(portal), sender_mode: "contact_owner", ...inputs },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

const outputsOf = (run: WorkflowRun) => run.executions[0]?.outputs ?? {};
const onlyContact = (portal: SimulatedPortal): string => [...portal.contacts.keys()][0] ?? "";

async function untilRow(running: RunningApp, portal: SimulatedPortal, condition: string): Promise<void> {
  const endsAt = Date.now() + 60_000;
  const text = `SELECT FROM executions WHERE portal_id = $1 AND ${condition}`;
  while ((await running.db.database.pool.query(text, [portal.portalId])).rowCount === 0) {
    if (Date.now() > endsAt) throw new Error(`no execution came to be: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe("a contact whose enroll request stays without an answer is enrolled once", () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startRunningApp({ believeNoneAfterMs: BELIEVE_NONE_AFTER_MS });
  });

  afterEach(() => {
    running.simulator.setLookupLag(0);
    running.simulator.setPropertyLag(0);
    running.simulator.setOpenQuestions({ endedEnrollment: "latest" });
  });

  afterAll(() => running.close());

  /** The answer to the contact's enroll request is lost; `fault` says whether HubSpot did what it asked for. */
  async function loseAnswer(portal: SimulatedPortal, fault: "resetAfter" | "resetBefore", inputs = {}) {
    running.simulator.failNext({ endpoint: "enroll", fault, portalId: portal.portalId });
    const run = enroll(running, portal, { inputs });
    await running.simulator.waitFor(() => portal.enrollments.factsOf(onlyContact(portal)).posts > 0);
    return run;
  }

  async function retryAll(portal: SimulatedPortal): Promise<void> {
    const { pool } = running.db.database;
    const portalId = BigInt(portal.portalId);
    const { rows } = await pool.query<{ id: string }>(`SELECT id FROM executions WHERE portal_id = $1`, [
      portalId,
    ]);
    const ids = rows.map(({ id }) => BigInt(id));
    await inTransaction(pool, (client) => applyAction(client, "RETRY", { portalId, ids }));
  }

  test("and an enrollment by someone else after HubSpot had postponed ours is not reported as ours", async () => {
    const portal = await connectedPortal(running, 1);
    running.simulator.failNext({ endpoint: "enroll", fault: "throttled", portalId: portal.portalId });
    const run = enroll(running, portal, { inputs: { if_already_enrolled: "fail" } });
    await running.simulator.waitFor(() => portal.traffic.requestsOf("enroll") > 0);
    portal.enrollInUi(onlyContact(portal));
    await run.finished;

    expect(outputsOf(run)).toMatchObject({ enrollment_status: "ALREADY_ENROLLED" });
    expect(portal.enrollments.factsOf(onlyContact(portal)).accepted).toBe(0);
  });

  test.each([404, "empty"] as const)(
    "also if its sequence ends before anybody looks, and the lookup says %p of what has ended",
    async (endedEnrollment) => {
      const portal = await connectedPortal(running, 1);
      running.simulator.setOpenQuestions({ endedEnrollment });
      running.simulator.setPropertyLag(1_000);
      const run = await loseAnswer(portal, "resetAfter");
      portal.endEnrollment(onlyContact(portal), "replied");
      await run.finished;
      expect(outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED", enrollment_id: "" });
      const made = portal.enrollments.latestOf(onlyContact(portal));
      expect(outputsOf(run)["sender_email"]).toBe(made?.senderEmail);
      expect(outputsOf(run)["enrolled_at"]).toBe(new Date(made?.enrolledAtMs ?? 0).toISOString());
      expect(portal.enrollments.factsOf(onlyContact(portal))).toMatchObject({ posts: 1, accepted: 1 });
    },
  );

  test("and says so while HubSpot's lookup trails what it did, whatever if_already_enrolled says", async () => {
    running.simulator.setLookupLag(1_300);
    running.simulator.setPropertyLag(1_000);
    await Promise.all(
      ["skip", "fail", "wait"].map(async (policy) => {
        const portal = await connectedPortal(running, 1);
        const run = await loseAnswer(portal, "resetAfter", { if_already_enrolled: policy });
        await run.finished;
        expect(outputsOf(run)).toMatchObject({
          enrollment_status: "ENROLLED",
          hs_execution_state: "SUCCESS",
        });
        expect(portal.enrollments.factsOf(onlyContact(portal))).toMatchObject({ posts: 1, accepted: 1 });
      }),
    );
  });

  test("by a second request where HubSpot got none, once it has had the time to show one", async () => {
    const portal = await connectedPortal(running, 1);
    const startedAtMs = performance.now();
    const run = await loseAnswer(portal, "resetBefore");
    await run.finished;
    expect(performance.now() - startedAtMs).toBeGreaterThan(BELIEVE_NONE_AFTER_MS - 1_000);
    expect(outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(portal.enrollments.factsOf(onlyContact(portal)).accepted).toBe(1);
  });

  test("or not by us at all: HubSpot says that it is enrolled, and it counts as another's when that is shown", async () => {
    const portal = await connectedPortal(running, 1);
    const other = portal.addSequence().id;
    running.simulator.failNext({ endpoint: "enroll", fault: "resetBefore", portalId: portal.portalId });
    const run = enroll(running, portal);
    await untilRow(running, portal, "state = 'UNCERTAIN'");
    // When our request is believed to have come to nothing, this is not shown yet.
    running.simulator.setLookupLag(BELIEVE_NONE_AFTER_MS + 5_000);
    running.simulator.setPropertyLag(BELIEVE_NONE_AFTER_MS + 5_000);
    portal.enrollInUi(onlyContact(portal), { sequenceId: other });
    await untilRow(running, portal, "state = 'UNCERTAIN' AND attempts = 2");
    await run.finished;
    expect(outputsOf(run)).toMatchObject({ enrollment_status: "ALREADY_ENROLLED" });
    expect(portal.enrollments.all().map(({ sequenceId }) => sequenceId)).toEqual([other]);
  });

  describe("and an admin's retry of what was given up at its deadline", () => {
    /** Enrolled, with the answer lost and given up before HubSpot could be read; since then the contacts have replied. */
    async function givenUp(contacts: number) {
      const portal = await connectedPortal(running, contacts);
      const run = enroll(running, portal);
      await run.finished;
      await untilRow(running, portal, "state = 'COMPLETED'");
      running.simulator.setOpenQuestions({ endedEnrollment: 404 });
      for (const id of portal.contacts.keys()) portal.endEnrollment(id, "replied");
      await running.db.database.pool.query(
        `UPDATE executions SET enrollment_status = 'FAILED', error_code = 'DEADLINE_EXCEEDED', enrollment_id = NULL,
                               enrolled_at = NULL, state = 'COMPLETED'
          WHERE portal_id = $1`,
        [portal.portalId],
      );
      return portal;
    }

    async function expectFound(portal: SimulatedPortal, count: number): Promise<void> {
      const { rows } = await running.db.database.pool.query<{ enrollment_status: string }>(
        `SELECT enrollment_status FROM executions WHERE portal_id = $1 AND retry_of IS NOT NULL`,
        [portal.portalId],
      );
      expect(rows).toEqual(Array.from({ length: count }, () => ({ enrollment_status: "ENROLLED" })));
      for (const id of portal.contacts.keys()) expect(portal.enrollments.factsOf(id).posts).toBe(1);
    }

    test("finds the enrollment that has ended since", async () => {
      const portal = await givenUp(1);
      await retryAll(portal);
      await untilRow(running, portal, "retry_of IS NOT NULL AND decided_at IS NOT NULL");
      await expectFound(portal, 1);
    });

    test("finds it for all that match a filter, for one request of properties", async () => {
      const portal = await givenUp(8);
      await running.db.database.pool.query(
        `INSERT INTO bulk_jobs (portal_id, action, filter, before_id) VALUES ($1, 'RETRY', '{"outcome":"failed"}', 1000000)`,
        [portal.portalId],
      );
      const hasAll = `(SELECT count(*) FROM executions WHERE portal_id = $1 AND retry_of IS NOT NULL AND decided_at IS NOT NULL) = 8`;
      const requestsBefore = portal.traffic.requestsOf("contacts");
      await untilRow(running, portal, hasAll);
      await expectFound(portal, 8);
      expect(portal.traffic.requestsOf("contacts") - requestsBefore).toBeLessThan(8);
    });
  });
});

describe.each([90_000, 8_000, -8_000])("where HubSpot's clock is %i ms ahead of ours", (clockOffsetMs) => {
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp({
      simulator: { clockOffsetMs },
      believeNoneAfterMs: 1_500,
    });
    portal = await connectedPortal(running, 2);
  });

  afterAll(() => running.close());

  test("an enrollment whose answer was lost is found to be ours, and one from before to be another's", async () => {
    const [contactId = "", other = ""] = portal.contacts.keys();
    running.simulator.failNext({ endpoint: "enroll", fault: "resetAfter", portalId: portal.portalId });
    const run = enroll(running, portal, { contactIds: [contactId] });
    await run.finished;
    expect(outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(portal.enrollments.factsOf(contactId)).toMatchObject({ posts: 1, accepted: 1 });

    portal.enrollInUi(other, { agoMs: 60_000 });
    // Nothing of it is known to be answered: only reading tells.
    running.simulator.failNext({ endpoint: "enroll", fault: "resetBefore", portalId: portal.portalId });
    const late = enroll(running, portal, { contactIds: [other] });
    await late.finished;
    expect(outputsOf(late)).toMatchObject({ enrollment_status: "ALREADY_ENROLLED" });
    expect(portal.enrollments.factsOf(other).accepted).toBe(0);
  });

  test("the operator is warned", () => {
    const told = running.logLines.filter(({ hubspotAheadSeconds }) => hubspotAheadSeconds !== undefined);
    expect(told).toHaveLength(1);
    expect(Math.abs(Number(told[0]?.["hubspotAheadSeconds"]) - clockOffsetMs / 1_000)).toBeLessThan(2);
  });
});
