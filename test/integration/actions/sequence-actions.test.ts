import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { nextLookAt } from "#domain/contract/look-times.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("the actions that check enrollments and wait for their end", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let sequenceId: string;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { contacts: 0 });
    sequenceId = [...portal.sequences.keys()][1] ?? "";
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
  });

  afterAll(() => running.close());

  function send(
    route: string,
    contactIds: string | readonly string[],
    changes: { inputs?: Record<string, string>; context?: Record<string, unknown> } = {},
  ): WorkflowRun {
    return portal.runAction({
      actionUrl: running.publicUrl + route,
      contactIds: typeof contactIds === "string" ? [contactIds] : contactIds,
      inputs: changes.inputs ?? {},
      objectProperties: route === ENROLL_ROUTE ? [...REQUESTED_PROPERTIES] : [],
      ...(changes.context === undefined ? {} : { context: changes.context }),
    });
  }

  const newContact = (): string => portal.addContact().id;
  const enrollInputs = (): Record<string, string> => ({
    sequence_id: sequenceId,
    sender_mode: "contact_owner",
  });

  async function outputsOf(run: WorkflowRun): Promise<Readonly<Record<string, string>>> {
    await run.finished;
    return run.executions[0]?.outputs ?? {};
  }

  const check = (contactId: string) => outputsOf(send(CHECK_ENROLLMENT_ROUTE, contactId));

  async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await running.db.database.pool.query(text, values)).rows as Record<string, unknown>[];
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const endsAt = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > endsAt) throw new Error("the awaited state did not come");
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  const rowOf = async (run: WorkflowRun): Promise<Record<string, unknown>> =>
    (await sql(`SELECT * FROM executions WHERE callback_id = $1`, [run.executions[0]?.callbackId]))[0] ?? {};

  /** HubSpot tells that something happened to the run's contact: it is looked at now, not at its next regular time. */
  async function tell(run: WorkflowRun): Promise<void> {
    const propertyName = "hs_sequences_is_enrolled";
    const event = { subscriptionType: "object.propertyChange", objectId: run.executions[0]?.contactId ?? "" };
    const deliveries = await portal.sendWebhooks(
      [{ ...event, propertyName }],
      running.publicUrl + WEBHOOK_ROUTE,
    );
    expect(deliveries).toEqual([{ events: 1, status: 200 }]);
  }

  /** Lets time pass for the waiting execution: it was accepted that much earlier, and is looked at now. */
  async function pass(run: WorkflowRun, interval: string): Promise<void> {
    await sql(
      `UPDATE executions SET accepted_at = accepted_at - $2::interval, due_at = due_at + interval '1 second'
        WHERE callback_id = $1 AND state = 'WATCHING'`,
      [run.executions[0]?.callbackId, interval],
    );
    await tell(run);
  }

  /** Has HubSpot asked for the contact now, and waits for the look to be written. */
  async function lookNow(run: WorkflowRun): Promise<void> {
    await tell(run);
    await until(async () => {
      const { state, due_at } = await rowOf(run);
      return state !== "WATCHING" || (due_at as Date).getTime() > Date.now();
    });
  }

  async function waiting(contactId: string, inputs: Record<string, string> = {}): Promise<WorkflowRun> {
    const run = send(WAIT_FOR_SEQUENCE_END_ROUTE, contactId, { inputs });
    await run.answered;
    return run;
  }

  describe("check enrollment", () => {
    test("reports a running enrollment: sequence, sender and how long", async () => {
      const contactId = newContact();
      const enrollment = portal.enrollInUi(contactId, { sequenceId, agoMs: 3.5 * 86_400_000 });
      expect(await check(contactId)).toEqual({
        hs_execution_state: "SUCCESS",
        is_enrolled: "true",
        sequence_id: sequenceId,
        sequence_name: portal.sequences.get(sequenceId)?.name,
        enrolled_at: new Date(enrollment.enrolledAtMs).toISOString(),
        enrolled_by: portal.admin.email,
        days_enrolled: "3",
        error_code: "",
        error_message: "",
      });
    });

    test("reports that a contact was never enrolled, or no longer is, although HubSpot still shows the enrollment", async () => {
      const never = newContact();
      expect(await check(never)).toMatchObject({ hs_execution_state: "SUCCESS", is_enrolled: "false" });
      const ended = newContact();
      portal.enrollInUi(ended, { agoMs: 60_000 });
      portal.endEnrollment(ended, "unenrolled");
      expect(await check(ended)).toMatchObject({ is_enrolled: "false", sequence_id: "", days_enrolled: "" });
    });

    test("believes a new enrollment that the properties do not show yet", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { agoMs: 86_400_000 });
      portal.endEnrollment(contactId, "finished");
      await new Promise((resolve) => setTimeout(resolve, 5));
      running.simulator.setPropertyLag(60_000);
      portal.enrollInUi(contactId, { sequenceId });
      running.simulator.setPropertyLag(0);
      expect(await check(contactId)).toMatchObject({ is_enrolled: "true", sequence_id: sequenceId });
    });

    test("says so if the contact is gone", async () => {
      const contactId = newContact();
      const run = send(CHECK_ENROLLMENT_ROUTE, contactId);
      portal.deleteContact(contactId);
      expect(await outputsOf(run)).toMatchObject({
        hs_execution_state: "FAIL_CONTINUE",
        error_code: "CONTACT_NOT_FOUND",
        is_enrolled: "",
      });
    });

    test("is asked again after an outage, and an agent gets its context back with the answer", async () => {
      const contactId = newContact();
      const context = { source: "AGENTS", agentId: 7, chirpAiContextObject: { applicationId: "a" } };
      running.simulator.failNext({ endpoint: "contacts", fault: "errorBefore", portalId: portal.portalId });
      const run = send(CHECK_ENROLLMENT_ROUTE, contactId, { context });
      expect(await outputsOf(run)).toMatchObject({ is_enrolled: "false" });
      expect(portal.callbacks.get(run.executions[0]?.callbackId ?? "")?.accepted?.requestContext).toEqual(
        context,
      );
    });

    test("a workflow's completion carries no context", async () => {
      const run = send(CHECK_ENROLLMENT_ROUTE, newContact());
      await run.finished;
      expect(
        portal.callbacks.get(run.executions[0]?.callbackId ?? "")?.accepted?.requestContext,
      ).toBeUndefined();
    });
  });

  describe("wait for sequence end", () => {
    test.each([
      ["finished", "FINISHED"],
      ["unenrolled", "UNENROLLED"],
      ["replied", "REPLIED"],
    ] as const)("a sequence that was %s is told as %s", async (how, outcome) => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { sequenceId, agoMs: 2 * 86_400_000 });
      const run = await waiting(contactId);
      expect(JSON.parse(run.executions[0]?.attempts[0]?.body ?? "{}")).toEqual({
        outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: "P16D" },
      });
      await lookNow(run);
      expect(await rowOf(run)).toMatchObject({ state: "WATCHING", epoch: null });
      portal.endEnrollment(contactId, how);
      await lookNow(run);
      const outputs = await outputsOf(run);
      expect(outputs).toMatchObject({
        hs_execution_state: "SUCCESS",
        outcome,
        days_enrolled: "2",
        sequence_id: sequenceId,
        error_code: "",
      });
      expect(Date.now() - Date.parse(outputs["ended_at"] ?? "")).toBeLessThan(30_000);
    });

    test("an end before the first check is reported, too", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { agoMs: 86_400_000 });
      const run = await waiting(contactId);
      portal.endEnrollment(contactId, "finished");
      await lookNow(run);
      expect(await outputsOf(run)).toMatchObject({ outcome: "FINISHED", days_enrolled: "1" });
    });

    test("a contact that went from one sequence into another between two looks has left the first", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { sequenceId, agoMs: 86_400_000 });
      const run = await waiting(contactId);
      await lookNow(run);
      portal.endEnrollment(contactId, "unenrolled");
      await new Promise((resolve) => setTimeout(resolve, 5));
      portal.enrollInUi(contactId);
      await lookNow(run);
      expect(await outputsOf(run)).toMatchObject({ outcome: "UNENROLLED", sequence_id: sequenceId });
    });

    test("a contact in no sequence is NOT_ENROLLED, once the properties cannot be behind anymore", async () => {
      const run = await waiting(newContact());
      await lookNow(run);
      expect((await rowOf(run))["state"]).toBe("WATCHING");
      await pass(run, "61 seconds");
      expect(await outputsOf(run)).toMatchObject({ hs_execution_state: "SUCCESS", outcome: "NOT_ENROLLED" });
    });

    test("after our own enrollment it waits for properties that are minutes behind", async () => {
      const contactId = newContact();
      running.simulator.setPropertyLag(3_600_000);
      await send(ENROLL_ROUTE, contactId, { inputs: enrollInputs() }).finished;
      const run = await waiting(contactId);
      await pass(run, "2 minutes");
      await lookNow(run);
      expect((await rowOf(run))["state"]).toBe("WATCHING");
      const [late] = portal.contact(contactId).pending;
      if (late !== undefined) late.visibleAtMs = 0;
      running.simulator.setPropertyLag(0);
      await lookNow(run);
      portal.endEnrollment(contactId, "replied");
      await lookNow(run);
      expect(await outputsOf(run)).toMatchObject({ outcome: "REPLIED", sequence_id: sequenceId });
    });

    test("TIMED_OUT comes when the maximum wait is over, and the last look is not later", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { sequenceId, agoMs: 86_400_000 });
      const run = await waiting(contactId, { max_wait_days: "0.5" });
      await pass(run, "11 hours 59 minutes");
      await lookNow(run);
      const { due_at, accepted_at, deadline_at } = (await rowOf(run)) as Record<string, Date>;
      // At its end, or at the regular look that falls into the last minute.
      const due = due_at as Date;
      const regular = nextLookAt(new Date(due.getTime() - 1), accepted_at as Date, BigInt(portal.portalId));
      const endsAt = (accepted_at as Date).getTime() + 12 * 3_600_000;
      expect(due.getTime()).toBe(Math.min(endsAt, regular.getTime()));
      expect((deadline_at as Date).getTime()).toBeGreaterThan((due_at as Date).getTime());
      await pass(run, "2 minutes");
      expect(await outputsOf(run)).toMatchObject({
        hs_execution_state: "SUCCESS",
        outcome: "TIMED_OUT",
        ended_at: "",
        days_enrolled: "1",
        sequence_id: sequenceId,
      });
    });

    test("says so if the contact is gone", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId);
      const run = await waiting(contactId);
      portal.deleteContact(contactId);
      await lookNow(run);
      expect(await outputsOf(run)).toMatchObject({
        hs_execution_state: "FAIL_CONTINUE",
        error_code: "CONTACT_NOT_FOUND",
      });
    });

    test.each(["0", "-1", "soon", "1e3"])("“%s” is no number of days", async (days) => {
      const outputs = await outputsOf(
        send(WAIT_FOR_SEQUENCE_END_ROUTE, newContact(), { inputs: { max_wait_days: days } }),
      );
      expect(outputs).toMatchObject({ hs_execution_state: "FAIL_CONTINUE", error_code: "INVALID_INPUT" });
      expect(outputs["error_message"]).toContain("Maximum wait");
    });

    test("a wait beyond the portal's setting is refused at once, naming the setting", async () => {
      const run = send(WAIT_FOR_SEQUENCE_END_ROUTE, newContact(), { inputs: { max_wait_days: "31" } });
      const outputs = await outputsOf(run);
      expect(outputs).toMatchObject({ error_code: "INVALID_INPUT" });
      expect(outputs["error_message"]).toContain("“Longest hold”");
      expect(outputs["error_message"]).toContain("30");
      expect(await rowOf(run)).toMatchObject({ state: "COMPLETED", enrollment_status: null });
    });

    test("a worker that dies during a look is followed by one that looks again", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { agoMs: 86_400_000 });
      const run = await waiting(contactId);
      running.simulator.failNext({
        endpoint: "contacts",
        fault: "slowAnswer",
        ms: 1_500,
        portalId: portal.portalId,
      });
      portal.endEnrollment(contactId, "finished");
      // What is read of workflows comes whenever it comes.
      const count = () => portal.traffic.counted - portal.traffic.requestsOf("flows");
      const asked = count();
      await sql(`UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE callback_id = $1`, [
        run.executions[0]?.callbackId,
      ]);
      await until(() => Promise.resolve(count() > asked));
      // What a successor does first: from here on the old owner's writes are void.
      await sql(`UPDATE portal_drains SET epoch = epoch + 1 WHERE portal_id = $1`, [portal.portalId]);
      expect(await outputsOf(run)).toMatchObject({ outcome: "FINISHED" });
      // Two looks and a completion.
      expect(count() - asked).toBe(3);
      expect(run.executions[0]?.completions).toHaveLength(1);
    });
  });

  describe("an enrollment that waits for the contact's sequence to end", () => {
    const inputs = () => ({ ...enrollInputs(), if_already_enrolled: "wait" });

    async function refused(contactId: string): Promise<WorkflowRun> {
      const run = send(ENROLL_ROUTE, contactId, { inputs: inputs() });
      await run.answered;
      await until(async () => (await rowOf(run))["state"] === "WATCHING");
      return run;
    }

    test("is made once the sequence has ended", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { agoMs: 86_400_000 });
      const run = await refused(contactId);
      await lookNow(run);
      expect((await rowOf(run))["state"]).toBe("WATCHING");
      portal.endEnrollment(contactId, "finished");
      await tell(run);
      expect(await outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED", sequence_id: sequenceId });
      expect(portal.enrollments.factsOf(contactId)).toEqual({ posts: 2, accepted: 1, whileActive: 1 });
    });

    test("is ALREADY_ENROLLED at its deadline", async () => {
      const contactId = newContact();
      portal.enrollInUi(contactId, { agoMs: 86_400_000 });
      const run = await refused(contactId);
      await sql(
        `UPDATE executions SET deadline_at = now(), due_at = now() - interval '1 millisecond' WHERE callback_id = $1`,
        [run.executions[0]?.callbackId],
      );
      expect(await outputsOf(run)).toMatchObject({
        hs_execution_state: "FAIL_CONTINUE",
        enrollment_status: "ALREADY_ENROLLED",
        error_code: "ALREADY_ENROLLED",
      });
    });
  });
});
