import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { Browser } from "../../src/bin/oauth-browser.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

describe("an admin installs the app and a workflow sends its contacts through “Enroll in sequence”", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let browser: Browser;
  let run: WorkflowRun;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, {
      contacts: 60,
      troubles: {
        "no-owner": 1,
        "archived-owner": 1,
        "queue-owner": 1,
        "unknown-owner": 1,
        "owner-without-inbox": 1,
        "owner-without-permission": 1,
        "no-email": 1,
        unsubscribed: 1,
        bounced: 1,
        blocked: 1,
        "already-enrolled": 1,
        deleted: 1,
      },
    });
    browser = await running.install(portal);
    const sequence = [...portal.sequences.values()][0];
    run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys(), "987654321"],
      inputs: { sequence_id: sequence?.id ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
      duplicateProbability: 0.3,
    });
    await run.finished;
  });

  afterAll(() => running.close());

  const statuses = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { outputs } of run.executions) {
      const key = [outputs["enrollment_status"], outputs["error_code"]].filter(Boolean).join(" ");
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  };

  test("every contact ends enrolled or with the reason why not", () => {
    expect(statuses()).toEqual({
      ENROLLED: 60,
      ALREADY_ENROLLED: 1,
      "FAILED OWNER_MISSING": 1,
      "FAILED OWNER_INACTIVE": 3,
      "FAILED INBOX_NOT_CONNECTED": 1,
      "FAILED SENDER_NOT_PERMITTED": 1,
      "FAILED CONTACT_HAS_NO_EMAIL": 1,
      "FAILED UNSUBSCRIBED": 1,
      "FAILED BOUNCED": 1,
      "FAILED BLOCKED": 1,
      "FAILED CONTACT_NOT_FOUND": 1,
    });
  });

  test("each call was answered BLOCK for seven days, the repeated ones too", () => {
    for (const execution of run.executions) {
      for (const attempt of execution.attempts) {
        expect(attempt.status).toBe(200);
        expect(JSON.parse(attempt.body)).toEqual({
          outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: "P7D" },
        });
      }
    }
    expect(run.executions.some(({ attempts }) => attempts.length > 1)).toBe(true);
  });

  test("no contact was posted twice, and HubSpot never had to throttle us", () => {
    expect([...portal.contacts.keys()].filter((id) => portal.enrollments.factsOf(id).posts > 1)).toEqual([]);
    expect(portal.traffic.throttled).toBe(0);
    expect(running.simulator.peakOf(portal.portalId)).toBeLessThanOrEqual(110);
  });

  test("every callback was completed once, in batches, with typedOutputs and every output a string", () => {
    const received = portal.callbacks.all().map((callback) => callback.received);
    expect(received.every((completions) => completions.length === 1)).toBe(true);
    expect(portal.traffic.requestsOf("callbacks")).toBeLessThan(run.executions.length / 5);
    for (const [completion] of received) {
      expect(completion?.hasTypedOutputs).toBe(true);
      expect(Object.keys(completion?.outputFields ?? {}).sort()).toEqual(
        [
          "hs_execution_state",
          "enrollment_status",
          "error_code",
          "error_message",
          "enrollment_id",
          "enrolled_at",
          "sequence_id",
          "sequence_name",
          "sender_user_id",
          "sender_email",
        ].sort(),
      );
    }
  });

  test("an enrolled contact's outputs name the enrollment, the sequence and the sender", () => {
    const execution = run.executions.find(({ outputs }) => outputs["enrollment_status"] === "ENROLLED");
    const enrollment = portal.enrollments.latestOf(execution?.contactId ?? "");
    const sender = portal.users.get(Number(execution?.outputs["sender_user_id"]));
    expect(execution?.outputs).toMatchObject({
      hs_execution_state: "SUCCESS",
      error_code: "",
      error_message: "",
      enrollment_id: enrollment?.id,
      sequence_id: enrollment?.sequenceId,
      sequence_name: [...portal.sequences.values()][0]?.name,
      sender_email: sender?.email,
    });
    expect(Date.parse(execution?.outputs["enrolled_at"] ?? "")).not.toBeNaN();
  });

  test("the activity shows the admin each contact with its reason", async () => {
    const page = await browser.open(`${running.publicUrl}/settings/activity`);
    expect(page.status).toBe(200);
    expect(page.body).toContain("opted out of");
    expect(page.body).toContain([...portal.sequences.values()][0]?.name);
  });
});
