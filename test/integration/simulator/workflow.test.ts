import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Signature } from "@hubspot/api-client";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import type { SigningPlan } from "../../../src/simulator/world/signing.js";
import {
  historyLabel,
  loadActionDefinition,
  type ActionDefinition,
} from "../../../src/simulator/workflow/history.js";
import type { RunRequest } from "../../../src/simulator/workflow/run-request.js";
import {
  SIMULATED_APP,
  startListener,
  startSimulatorForTest,
  type Listener,
  type ReceivedRequest,
} from "../../support/simulated-app.js";

const SECRET = SIMULATED_APP.clientSecrets[0];
const BLOCK = { body: { outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: "P7D" } } };

let clockOffsetMs: number;
let simulator: Simulator;
let portal: SimulatedPortal;
let app: Listener;

beforeEach(async () => {
  clockOffsetMs = 0;
  simulator = await startSimulatorForTest({ now: () => Date.now() + clockOffsetMs });
  portal = simulator.addPortal({ contacts: 10 });
});
afterEach(async () => {
  await simulator.close();
  await app.close();
});

function run(changes: Partial<RunRequest> = {}) {
  return portal.runAction({
    actionUrl: `${app.url}/hubspot/actions/enroll`,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: "300000001", sender_mode: "contact_owner" },
    objectProperties: ["email", "hubspot_owner_id", "hs_sequences_is_enrolled"],
    retryGapsMs: [1, 1, 1],
    ...changes,
  });
}

function isValid(request: ReceivedRequest, version: "v1" | "v2" | "v3", publicUrl = app.url): boolean {
  return Signature.isValid({
    signatureVersion: version,
    signature: String(request.headers[version === "v3" ? "x-hubspot-signature-v3" : "x-hubspot-signature"]),
    clientSecret: SECRET,
    method: request.method,
    url: publicUrl + request.url,
    requestBody: request.body,
    timestamp: Number(request.headers["x-hubspot-request-timestamp"]),
  });
}

async function complete(callbackId: string, state: "SUCCESS" | "FAIL_CONTINUE" = "SUCCESS"): Promise<number> {
  const answer = await fetch(`${simulator.url}/automation/actions/callbacks/2026-09/${callbackId}/complete`, {
    method: "POST",
    headers: { authorization: `Bearer ${portal.accessToken()}`, "content-type": "application/json" },
    body: JSON.stringify({
      outputFields: { hs_execution_state: state, enrollment_status: "ENROLLED" },
      typedOutputs: {},
    }),
  });
  return answer.status;
}

describe("a simulated workflow run", () => {
  test("sends what HubSpot sends, signed so that HubSpot's own client accepts it", async () => {
    app = await startListener(() => BLOCK);
    await run().answered;
    expect(app.received).toHaveLength(10);
    for (const request of app.received) {
      expect(isValid(request, "v2")).toBe(true);
      expect(isValid(request, "v3")).toBe(true);
    }
    const payload = JSON.parse(app.received[0]!.body);
    expect(payload).toMatchObject({
      callbackId: expect.stringMatching(/^ap-\d+-\d+-3-0$/),
      origin: { portalId: portal.portalId, actionDefinitionVersion: 1 },
      context: { source: "WORKFLOWS", actionId: 3 },
      object: { objectType: "CONTACT", properties: { email: expect.stringContaining("@") } },
      inputFields: { sequence_id: "300000001" },
      fields: { sequence_id: "300000001" },
      typedInputs: { sequence_id: { type: "STRING", value: "300000001" } },
    });
    expect(payload.object.properties).not.toHaveProperty("hs_sequences_is_enrolled");
    expect(new Set(app.received.map(({ body }) => JSON.parse(body).callbackId)).size).toBe(10);
  });

  test("signs for the public address when a proxy stands between", async () => {
    app = await startListener(() => BLOCK);
    await run({ publicUrl: "https://app.example.com", contactIds: ["1001"] }).answered;
    expect(isValid(app.received[0]!, "v2", "https://app.example.com")).toBe(true);
    expect(isValid(app.received[0]!, "v3", "https://app.example.com")).toBe(true);
  });

  test.each<[string, SigningPlan, { v2?: boolean; v3?: boolean | "stale" }]>([
    ["v2 alone", { v2: "good" }, { v2: true }],
    ["v3 alone", { v3: "good" }, { v3: true }],
    ["a bad v3 beside a good v2", { v2: "good", v3: "bad" }, { v2: true, v3: false }],
    ["a stale v3 beside a good v2", { v2: "good", v3: "stale" }, { v2: true, v3: "stale" }],
    ["another secret", { v2: "good", v3: "good", secret: "stolen" }, { v2: false, v3: false }],
    ["nothing", {}, {}],
  ])("can sign with %s", async (_case, signing, expected) => {
    app = await startListener(() => 200);
    await run({ signing, contactIds: ["1001"] }).answered;
    const [request] = app.received;
    expect("x-hubspot-signature" in request!.headers).toBe(expected.v2 !== undefined);
    expect("x-hubspot-signature-v3" in request!.headers).toBe(expected.v3 !== undefined);
    if (expected.v2 !== undefined) expect(isValid(request!, "v2")).toBe(expected.v2);
    if (expected.v3 === "stale") expect(() => isValid(request!, "v3")).toThrow(/Timestamp/);
    else if (expected.v3 !== undefined) expect(isValid(request!, "v3")).toBe(expected.v3);
  });

  test("reads each answer as HubSpot does", async () => {
    const answers = [200, { body: { outputFields: { hs_execution_state: "FAIL_CONTINUE" } } }, 400, BLOCK];
    app = await startListener((_request, index) => answers[index]!);
    const started = run({ contactIds: ["1001", "1002", "1003", "1004"], concurrency: 1 });
    await started.answered;
    expect(started.executions.map(({ state }) => state)).toEqual([
      "succeeded",
      "failed",
      "refused",
      "blocked",
    ]);
    expect(await complete(started.executions[0]!.callbackId)).toBe(404);
    expect(await complete(started.executions[3]!.callbackId)).toBe(204);
    await started.finished;
    expect(started.executionOf("1004")).toMatchObject({
      state: "completed",
      outputs: { enrollment_status: "ENROLLED" },
    });
  });

  test("repeats after 429, 5xx and silence with the same callback, then gives up", async () => {
    const answers = [{ status: 429, headers: { "retry-after": "1" }, body: {} }, 503, 0];
    app = await startListener((request) =>
      request.body.includes('"objectId":1002') ? 500 : (answers.shift() ?? BLOCK),
    );
    const started = run({ contactIds: ["1001", "1002"], concurrency: 2 });
    await started.answered;
    const [lucky, unlucky] = started.executions;
    expect(lucky!.attempts.map(({ status }) => status)).toEqual([429, 503, 0, 200]);
    expect(lucky!.state).toBe("blocked");
    expect(unlucky!.state).toBe("unreachable");
    expect(unlucky!.attempts).toHaveLength(4);
    expect(new Set(app.received.map(({ body }) => body)).size).toBe(2);
  });

  test("delivers at least once", async () => {
    app = await startListener(() => BLOCK);
    const started = run({ duplicateProbability: 1 });
    await started.answered;
    expect(app.received).toHaveLength(20);
    expect(new Set(app.received.map(({ body }) => body)).size).toBe(10);
    expect(started.counts()).toMatchObject({ blocked: 10, total: 10 });
  });

  test("takes a completion that overtakes the answer", async () => {
    const callbackIds: string[] = [];
    app = await startListener((request) => {
      callbackIds.push(JSON.parse(request.body).callbackId);
      return BLOCK;
    });
    const started = run({ contactIds: ["1001"] });
    await simulator.waitFor(() => started.executions.length === 1);
    expect(await complete(started.executions[0]!.callbackId)).toBe(204);
    await started.finished;
    expect(started.counts()).toMatchObject({ completed: 1, blocked: 0 });
  });

  test("lets a block expire once its time has passed; a late completion finds nothing", async () => {
    app = await startListener(() => BLOCK);
    const started = run({ contactIds: ["1001"] });
    await started.answered;
    clockOffsetMs = 7 * 86_400_000 - 60_000;
    expect(portal.expireOverdue()).toBe(0);
    clockOffsetMs += 61_000;
    expect(await complete(started.executions[0]!.callbackId)).toBe(404);
    expect(portal.expireOverdue()).toBe(1);
    await started.finished;
    expect(started.counts()).toMatchObject({ expired: 1 });
  });

  test("keeps to a pace and to its number of connections", async () => {
    let underWay = 0;
    let most = 0;
    app = await startListener(() => {
      underWay += 1;
      most = Math.max(most, underWay);
      underWay -= 1;
      return 200;
    });
    const startedAt = performance.now();
    await run({ ratePerSecond: 50, concurrency: 2 }).answered;
    expect(performance.now() - startedAt).toBeGreaterThan(170);
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe("the simulated workflow history", () => {
  const definition: ActionDefinition = {
    config: {
      executionRules: [
        { labelName: "enrolled", conditions: { enrollment_status: "ENROLLED" } },
        { labelName: "suppressed", conditions: { error_code: ["BOUNCED", "BLOCKED"] } },
      ],
      labels: {
        en: {
          executionRules: {
            enrolled: "Enrolled in {{ sequence_name }}",
            suppressed: "Not sendable: {{error_code}}",
          },
        },
      },
    },
  };
  test.each([
    [{ enrollment_status: "ENROLLED", sequence_name: "Trial started" }, "Enrolled in Trial started"],
    [{ enrollment_status: "FAILED", error_code: "BLOCKED" }, "Not sendable: BLOCKED"],
    [{ hs_execution_state: "FAIL_CONTINUE", error_code: "OTHER" }, "Action failed"],
    [{}, "Action succeeded"],
  ])("shows for %j: %s", async (outputs, label) => {
    app = await startListener(() => 200);
    expect(historyLabel(definition, { state: "completed", outputs: outputs })).toBe(label);
  });
});

test("an action definition is read from the project's own file", async () => {
  app = await startListener(() => 200);
  const folder = mkdtempSync(path.join(tmpdir(), "action-"));
  const file = path.join(folder, "enroll-hsmeta.json");
  const rule = { labelName: "done", conditions: { enrollment_status: "ENROLLED" } };
  const labels = { en: { executionRules: { done: "Enrolled" } } };
  writeFileSync(file, JSON.stringify({ uid: "enroll", config: { executionRules: [rule], labels } }));
  const started = portal.runAction({
    actionUrl: app.url,
    contactIds: ["1001"],
    inputs: (contact, index) => ({
      sequence_id: String(index),
      name: contact?.properties["firstname"] ?? "",
    }),
    objectProperties: [],
    definition: loadActionDefinition(file),
  });
  await started.finished;
  expect(JSON.parse(started.executions[0]!.payload).inputFields).toEqual({ sequence_id: "0", name: "Alice" });
  expect(started.historyLabel(started.executions[0]!)).toBe("Action succeeded");
  started.executions[0]!.outputs = { enrollment_status: "ENROLLED" };
  expect(started.historyLabel(started.executions[0]!)).toBe("Enrolled");
  rmSync(folder, { recursive: true });
});

describe("other calls from the simulated HubSpot", () => {
  test("ask for options as the workflow editor does", async () => {
    app = await startListener(() => ({
      body: { options: [{ label: "A", value: "1" }], after: "2", searchable: true },
    }));
    const optionsUrl = `${app.url}/hubspot/options/sequences`;
    const first = await portal.fetchOptions({ optionsUrl, inputFieldName: "sequence_id" });
    expect(first).toMatchObject({ status: 200, options: [{ value: "1" }], after: "2", searchable: true });
    await portal.fetchOptions({
      optionsUrl,
      inputFieldName: "sequence_id",
      q: "out",
      after: "2",
      inputFields: { a: "b" },
    });
    expect(JSON.parse(app.received[0]!.body)).not.toHaveProperty("fetchOptions");
    expect(JSON.parse(app.received[1]!.body)).toMatchObject({
      origin: { portalId: portal.portalId },
      inputFieldName: "sequence_id",
      inputFields: { a: { type: "STATIC_VALUE", value: "b" } },
      fetchOptions: { q: "out", after: "2" },
    });
    expect(isValid(app.received[1]!, "v3")).toBe(true);
  });

  test("deliver webhooks in batches of a hundred, signed v1 and v3", async () => {
    app = await startListener(() => 200);
    const events = Array.from({ length: 101 }, () => ({
      subscriptionType: "contact.deletion",
      objectId: "1001",
    }));
    const deliveries = await portal.sendWebhooks(events, `${app.url}/hubspot/webhooks`);
    expect(deliveries).toEqual([
      { events: 100, status: 200 },
      { events: 1, status: 200 },
    ]);
    expect(isValid(app.received[0]!, "v1")).toBe(true);
    expect(isValid(app.received[0]!, "v3")).toBe(true);
    expect(JSON.parse(app.received[1]!.body)).toMatchObject([
      { portalId: portal.portalId, objectId: 1001, attemptNumber: 0 },
    ]);
  });

  test("reach the settings endpoints with the asker in the signed query", async () => {
    app = await startListener(() => ({ body: {} }));
    const answer = await portal.hubspotFetch(`${app.url}/hubspot/settings/senders?page=2`, {
      method: "PUT",
      body: { a: 1 },
    });
    expect(answer.status).toBe(200);
    const url = new URL(app.received[0]!.url, app.url);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      page: "2",
      portalId: String(portal.portalId),
    });
    // HubSpot decodes some characters before it signs (docs/hubspot.md §4), which its own client does not know about.
    expect(isValid({ ...app.received[0]!, url: app.received[0]!.url.replace("%40", "@") }, "v3")).toBe(true);
  });

  test("signs requests a test builds itself", async () => {
    app = await startListener(() => 200);
    const request = { method: "POST", url: "https://app.example.com/x", body: "{}" };
    const headers = simulator.sign(request, { v1: "good" });
    expect(headers["x-hubspot-signature-version"]).toBe("v1");
    expect(isValid({ method: "POST", url: "/x", body: "{}", headers }, "v1")).toBe(true);
  });
});
