import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { setPaused } from "#domain/accounts/portal-pause.js";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction } from "#domain/history/admin-actions.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { ERROR_CODES, type ErrorCode } from "#domain/contract/error-codes.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { markSenders } from "#domain/policy/mark-senders.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Trouble } from "../../../src/simulator/portal/troubles.js";
import { loadActionDefinition } from "../../../src/simulator/workflow/history.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { PROJECT } from "../../support/hubspot-project.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { adminOf } from "../../support/actors.js";

const ACTIONS = {
  enroll: ENROLL_ROUTE,
  "check-enrollment": CHECK_ENROLLMENT_ROUTE,
  "wait-for-sequence-end": WAIT_FOR_SEQUENCE_END_ROUTE,
} as const;
type Action = keyof typeof ACTIONS;

const definitionOf = (action: Action) =>
  loadActionDefinition(path.join(PROJECT, "src/app/workflow-actions", `${action}-hsmeta.json`));
const DAYS_ON = new Date(Date.now() + 4 * 86_400_000).toISOString().slice(0, 10);

describe("every error code", () => {
  let running: RunningApp;
  /** What most stories happen in; those that spoil an account have one of their own. */
  let shared: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp();
    shared = await connect();
  });

  afterAll(() => running.close());

  async function connect(): Promise<SimulatedPortal> {
    const portal = addPlainPortal(running.simulator, { contacts: 0 });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
    return portal;
  }

  function send(
    portal: SimulatedPortal,
    contactId: string,
    { inputs = {}, action = "enroll" }: { inputs?: Record<string, string>; action?: Action } = {},
  ): WorkflowRun {
    const sequenceId = [...portal.sequences.keys()][0] ?? "";
    const enrolling = { sequence_id: sequenceId, sender_mode: "contact_owner" };
    return portal.runAction({
      actionUrl: running.publicUrl + ACTIONS[action],
      contactIds: [contactId],
      inputs: action === "enroll" ? { ...enrolling, ...inputs } : inputs,
      objectProperties: action === "enroll" ? [...REQUESTED_PROPERTIES] : [],
      definition: definitionOf(action),
    });
  }

  const query = async (text: string, values: unknown[]) =>
    (await running.db.database.pool.query<{ id: string }>(text, values)).rows;

  const sendTrouble = (trouble: Trouble, inputs: Record<string, string> = {}) =>
    send(shared, shared.addTroubledContact(trouble).id, { inputs });

  /** Until the run's execution stands in `state`; `isTried`: and HubSpot failed it before. */
  async function untilIn(
    state: string,
    run: WorkflowRun,
    { isTried = false } = {},
  ): Promise<{ run: WorkflowRun; id: string }> {
    await run.answered;
    const endsAt = Date.now() + 60_000;
    for (;;) {
      const [row] = await query(
        `SELECT id FROM executions WHERE callback_id = $1 AND state = $2 AND (last_problem IS NOT NULL OR NOT $3)`,
        [run.executions[0]?.callbackId, state, isTried],
      );
      if (row !== undefined) return { run, id: row.id };
      if (Date.now() > endsAt) throw new Error(`no execution came to be ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** The execution's time is over now. */
  async function passDeadline({ run, id }: { run: WorkflowRun; id: string }): Promise<WorkflowRun> {
    await query(
      `UPDATE executions SET deadline_at = now(), due_at = now() - interval '1 millisecond' WHERE id = $1`,
      [id],
    );
    return run;
  }

  /** The first try failed; one of the next is the last that fits before the deadline. */
  async function failOnce(run: WorkflowRun): Promise<WorkflowRun> {
    const { id } = await untilIn("QUEUED", run, { isTried: true });
    await query(
      `UPDATE executions SET deadline_at = now() + interval '8 seconds', due_at = now() - interval '1 millisecond' WHERE id = $1`,
      [id],
    );
    return run;
  }

  async function pausedPortal(): Promise<SimulatedPortal> {
    const portal = await connect();
    const { userId, email } = portal.admin;
    const admin = adminOf(portal.portalId, { userId: BigInt(userId), userEmail: email });
    await setPaused(running.db.database.pool, admin, true);
    // A turn that is under way may not have heard of it.
    const isReleased = `SELECT portal_id AS id FROM portal_drains WHERE portal_id = $1 AND is_released`;
    for (const endsAt = Date.now() + 60_000; (await query(isReleased, [portal.portalId])).length === 0;) {
      if (Date.now() > endsAt) throw new Error("the turn did not end");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return portal;
  }

  async function outage(endpoints: readonly ("enroll" | "enrollment-lookup" | "contacts")[]) {
    const portal = await connect();
    const fault = { fault: "errorBefore", portalId: portal.portalId, times: 1_000 } as const;
    for (const endpoint of endpoints) running.simulator.failNext({ endpoint, ...fault });
    return portal;
  }

  async function presetThatFails(portal: SimulatedPortal): Promise<string> {
    const { database } = running.db;
    const policy = {
      ...INITIAL_POLICY,
      fallback: { ...INITIAL_POLICY.fallback, whenNobody: "fail" as const },
    };
    const saved = await savePreset(database, adminOf(portal.portalId), {
      draft: { name: "Nobody waits", policy },
      saved: undefined,
    });
    return saved.kind === "saved" ? String(saved.presetId) : "";
  }

  /** What an admin, a builder or HubSpot has to do for each code to be the answer to a call of the enroll action. */
  const STORIES: Readonly<Record<ErrorCode, () => WorkflowRun | Promise<WorkflowRun>>> = {
    NOT_CONNECTED: () => {
      const stranger = addPlainPortal(running.simulator, { contacts: 1 });
      return send(stranger, [...stranger.contacts.keys()][0] ?? "");
    },
    PORTAL_PAUSED: async () => {
      const portal = await pausedPortal();
      return passDeadline(await untilIn("QUEUED", send(portal, portal.addContact().id)));
    },
    MISSING_SCOPES: async () => {
      const portal = await connect();
      portal.withdrawScopes(["automation.sequences.enrollments.write"]);
      return send(portal, portal.addContact().id);
    },
    INVALID_INPUT: () => send(shared, shared.addContact().id, { inputs: { sender_mode: "nobody" } }),
    CONTACT_NOT_FOUND: () => sendTrouble("deleted"),
    CONTACT_HAS_NO_EMAIL: () => sendTrouble("no-email"),
    SEQUENCE_NOT_FOUND: () => send(shared, shared.addContact().id, { inputs: { sequence_id: "999" } }),
    OWNER_MISSING: () => sendTrouble("no-owner"),
    OWNER_INACTIVE: () => sendTrouble("archived-owner"),
    SENDER_NOT_ALLOWED: async () => {
      const portal = await connect();
      await markSenders(running.db.database, adminOf(portal.portalId), {
        senders: [...portal.users.values()].map(({ userId, email }) => ({
          userId: BigInt(userId),
          name: email,
          version: 0,
        })),
        isAllowed: false,
      });
      return send(portal, portal.addContact().id);
    },
    SENDER_NOT_PERMITTED: () => sendTrouble("owner-without-permission"),
    INBOX_NOT_CONNECTED: () => sendTrouble("owner-without-inbox"),
    SENDER_LIMIT_REACHED: async () => {
      const portal = await connect();
      const inputs = { preset_id: await presetThatFails(portal) };
      return send(portal, portal.addTroubledContact("owner-over-limit").id, { inputs });
    },
    NO_SENDER_AVAILABLE: () =>
      send(shared, shared.addContact().id, { inputs: { sender_mode: "portal_default" } }),
    ALREADY_ENROLLED: () => sendTrouble("already-enrolled", { if_already_enrolled: "fail" }),
    REPLACE_INCOMPLETE: async () => {
      const waiting = await untilIn(
        "QUEUED",
        send(shared, shared.addContact().id, { inputs: { not_before: DAYS_ON } }),
      );
      // As it is once the contact was taken out of its sequence (integration/unenroll/replace.test.ts takes it out).
      await running.db.database.pool.query(
        `INSERT INTO unenrollments (portal_id, execution_id, state, outcome, sequence_id, sequence_name, stamp, left_at)
         VALUES ($1, $2, 'DONE', 'UNENROLLED', '1', 'Old', '1', now())`,
        [shared.portalId, waiting.id],
      );
      return passDeadline(waiting);
    },
    COOLDOWN_ACTIVE: () => {
      const { id } = shared.addContact();
      shared.enrollInUi(id, { agoMs: 86_400_000 });
      shared.endEnrollment(id, "finished");
      return send(shared, id, { inputs: { cooldown_days: "30" } });
    },
    UNSUBSCRIBED: () => sendTrouble("unsubscribed"),
    BOUNCED: () => sendTrouble("bounced"),
    BLOCKED: () => sendTrouble("blocked"),
    HUBSPOT_UNAVAILABLE: async () => {
      const portal = await outage(["enroll", "enrollment-lookup"]);
      return passDeadline(await untilIn("UNCERTAIN", send(portal, portal.addContact().id)));
    },
    DEADLINE_EXCEEDED: async () => {
      const run = send(shared, shared.addContact().id, { inputs: { not_before: DAYS_ON } });
      return passDeadline(await untilIn("QUEUED", run));
    },
    CANCELLED: async () => {
      const waiting = send(shared, shared.addContact().id, { inputs: { not_before: DAYS_ON } });
      const { run, id } = await untilIn("QUEUED", waiting);
      const chosen = { portalId: BigInt(shared.portalId), ids: [BigInt(id)] };
      await inTransaction(running.db.database.pool, (client) => applyAction(client, "CANCEL", chosen));
      return run;
    },
    HUBSPOT_REJECTED: () =>
      send(shared, shared.addContact().id, { inputs: { sender_alias: "nobodys@acme.example" } }),
  };

  /** The code the workflow got, and what its history shows, beside the label the action has for that very code. */
  async function told(run: WorkflowRun, action: Action) {
    await run.finished;
    const [execution] = run.executions;
    if (execution === undefined) throw new Error("nothing was sent");
    const { error_code: code = "", error_message: message, hs_execution_state: state } = execution.outputs;
    const label = definitionOf(action).config.labels?.["en"]?.executionRules?.[code];
    return { code, message, state, shown: run.historyLabel(execution), label };
  }

  test.each(ERROR_CODES)("%s reaches the workflow, with a sentence and a line of its own", async (code) => {
    const answer = await told(await STORIES[code](), "enroll");
    expect(answer).toMatchObject({ code, state: "FAIL_CONTINUE" });
    expect(answer.message).toMatch(/^[A-Z].{20,}/);
    expect(answer.shown).toBe(answer.label);
  });

  test("a refused alias is not a lost inbox: the sender keeps sending", async () => {
    const { id } = shared.addContact();
    const refused = await told(
      send(shared, id, { inputs: { sender_alias: "nobodys@acme.example" } }),
      "enroll",
    );
    expect(refused.message).toContain("alias");
    const again = send(shared, id);
    await again.finished;
    expect(again.executions[0]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  describe.each(["check-enrollment", "wait-for-sequence-end"] as const)("of the action %s", (action) => {
    const stories: Partial<Record<ErrorCode, () => WorkflowRun | Promise<WorkflowRun>>> = {
      NOT_CONNECTED: () => {
        const stranger = addPlainPortal(running.simulator, { contacts: 1 });
        return send(stranger, [...stranger.contacts.keys()][0] ?? "", { action });
      },
      HUBSPOT_UNAVAILABLE: async () => {
        const portal = await outage(["contacts"]);
        const run = send(portal, portal.addContact().id, { action });
        return action === "check-enrollment" ? failOnce(run) : passDeadline(await untilIn("WATCHING", run));
      },
    };

    test.each(Object.keys(stories) as ErrorCode[])("%s reaches the workflow too", async (code) => {
      const answer = await told((await stories[code]?.()) as WorkflowRun, action);
      expect(answer).toMatchObject({ code, state: "FAIL_CONTINUE" });
      expect(answer.shown).toBe(answer.label);
    });
  });
});
