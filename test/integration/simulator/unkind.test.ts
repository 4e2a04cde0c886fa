import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { FaultName } from "../../../src/simulator/world/faults.js";
import { garbledRetryAfters, oddRetryAfters } from "../../../src/simulator/world/open-questions.js";
import type { SimulatorOptions } from "../../../src/simulator/world/options.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { KIND_WORLD, UNKIND_WORLD } from "../../../src/simulator/world/presets.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startListener, startSimulatorForTest, type ParsedBody } from "../../support/simulated-app.js";

const START_MS = Date.UTC(2026, 10, 20, 12);
const ENROLLMENTS = "/automation/sequences/2026-09/enrollments";
const CALLBACKS = "/automation/actions/callbacks/2026-09";

let nowMs: number;
let simulator: Simulator;
let portal: SimulatedPortal;
let token: string;

async function restart(options: Partial<SimulatorOptions> = {}): Promise<void> {
  await simulator?.close();
  simulator = await startSimulatorForTest({ now: () => nowMs, ...options });
  portal = simulator.addPortal({ contacts: 5 });
  token = portal.accessToken();
}

beforeEach(async () => {
  nowMs = START_MS;
  await restart();
});
afterEach(() => simulator.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ParsedBody;
}

async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(simulator.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = text.startsWith("{");
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as unknown) : text,
  };
}

function enrollRequest(contactId: string) {
  const { userId, inboxAddress } = portal.admin;
  const sequenceId = [...portal.sequences.keys()][0];
  return {
    path: `${ENROLLMENTS}?userId=${userId}`,
    body: { sequenceId, contactId, senderEmail: inboxAddress },
  };
}

function enroll(contactId: string): Promise<Answer> {
  const { path, body } = enrollRequest(contactId);
  return call("POST", path, body);
}

const lookUp = (contactId: string): Promise<Answer> => call("GET", `${ENROLLMENTS}/contact/${contactId}`);

async function isEnrolledProperty(contactId: string): Promise<unknown> {
  const { body } = await call(
    "GET",
    `/crm/objects/2026-09/contacts/${contactId}?properties=hs_sequences_is_enrolled`,
  );
  return body.properties.hs_sequences_is_enrolled;
}

describe("the lookup of an enrollment", () => {
  test("that has ended can be an empty answer", async () => {
    await restart({ openQuestions: { endedEnrollment: "empty" } });
    await enroll("1001");
    portal.endEnrollment("1001", "replied");
    expect(await lookUp("1001")).toMatchObject({ status: 200, body: {} });
    expect((await lookUp("1001")).body.id).toBeUndefined();
  });

  test("trails the enrollment, while a second enrollment is refused at once", async () => {
    await restart({ lookupLagMs: 2_000 });
    await enroll("1001");
    nowMs += 1_999;
    expect((await lookUp("1001")).status).toBe(404);
    expect((await enroll("1001")).status).toBe(400);
    nowMs += 1;
    expect((await lookUp("1001")).status).toBe(200);
  });

  test("shows the enrollment before, until it has caught up with the newest", async () => {
    const first = (await enroll("1001")).body.id;
    portal.endEnrollment("1001", "finished");
    simulator.setLookupLag(2_000);
    const second = (await enroll("1001")).body.id;
    expect((await lookUp("1001")).body.id).toBe(first);
    nowMs += 2_000;
    expect((await lookUp("1001")).body.id).toBe(second);
  });

  test("trails by a lag of each enrollment's own where a range is given", async () => {
    await restart({ lookupLagMs: [1_000, 3_000] });
    const contacts = [...portal.contacts.keys()];
    for (const id of contacts) await enroll(id);
    const shownAfterMs = contacts.map(
      (id) => (portal.enrollments.latestOf(id)?.shownFromMs ?? Number.NaN) - START_MS,
    );
    expect(new Set(shownAfterMs).size).toBe(contacts.length);
    expect(Math.min(...shownAfterMs)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...shownAfterMs)).toBeLessThanOrEqual(3_000);
  });
});

test("properties trail by a lag from a range, and keep the order of what happened", async () => {
  await restart({ propertyLagMs: [10_000, 30_000] });
  await enroll("1001");
  portal.endEnrollment("1001", "finished");
  nowMs += 9_999;
  expect(await isEnrolledProperty("1001")).toBeNull();
  nowMs += 20_001;
  expect(await isEnrolledProperty("1001")).toBe("false");
});

describe("a HubSpot clock that is 90 s ahead", () => {
  const aheadMs = 90_000;
  beforeEach(() => restart({ clockOffsetMs: aheadMs }));

  test("dates the answers, the enrollments and the properties", async () => {
    const { headers, body } = await enroll("1001");
    const hubspotNow = new Date(START_MS + aheadMs);
    expect(headers.get("date")).toBe(hubspotNow.toUTCString());
    expect(body.enrolledAt).toBe(hubspotNow.toISOString());
    expect(portal.propertiesOf("1001")["hs_latest_sequence_enrolled_date"]).toBe(hubspotNow.toISOString());
  });

  test("dates webhooks, and the signatures too, by which the app tells their age", async () => {
    const app = await startListener(() => 200);
    simulator.setWebhookTarget({ url: `${app.url}/webhooks` });
    portal.deleteContact("1002");
    await simulator.waitFor(() => app.received.length === 1);
    await app.close();
    const [delivery] = app.received;
    expect(JSON.parse(delivery?.body ?? "[]")[0].occurredAt).toBe(START_MS + aheadMs);
    expect(delivery?.headers["x-hubspot-request-timestamp"]).toBe(String(START_MS + aheadMs));
  });

  test("can be set while requests are counted: the budget's window goes by the time that passes", async () => {
    simulator.setRateLimit({ requests: 1, windowMs: 10_000 });
    expect((await lookUp("1001")).status).toBe(404);
    simulator.setClockOffset(-aheadMs);
    expect((await lookUp("1001")).status).toBe(429);
    nowMs += 10_000;
    expect((await lookUp("1001")).status).toBe(404);
  });
});

/** The bytes of the body that arrived, and whether the answer went silent without an end. */
interface Heard {
  readonly status: number | undefined;
  readonly promisedBytes: number;
  readonly text: string;
}

/** Sends a request and listens until `isEnough`, or for `silenceMs` after the last byte; then hangs up. */
function listenTo(
  path: string,
  body: unknown,
  { silenceMs, isEnough = () => false }: { silenceMs: number; isEnough?: (text: string) => boolean },
): Promise<Heard> {
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | undefined;
    let text = "";
    const done = (): void => {
      clearTimeout(timer);
      const promisedBytes = Number(response?.headers["content-length"] ?? 0);
      resolve({ status: response?.statusCode, promisedBytes, text });
      request.destroy();
    };
    const request = httpRequest(simulator.url + path, {
      method: "POST",
      agent: false,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    let timer = setTimeout(done, silenceMs);
    request.on("error", (fault) => {
      reject(fault);
    });
    request.on("response", (answer) => {
      response = answer;
      answer.on("end", done);
      answer.on("error", () => undefined);
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        clearTimeout(timer);
        timer = setTimeout(done, silenceMs);
        if (isEnough(text)) done();
      });
    });
    request.end(JSON.stringify(body));
  });
}

describe("an answer that does not arrive whole", () => {
  const SILENCE = { silenceMs: 300 };

  function enrollUnder(fault: FaultName): Promise<Heard> {
    const { path, body } = enrollRequest("1001");
    simulator.failNext({ endpoint: "enroll", fault });
    return listenTo(path, body, SILENCE);
  }

  test.each([
    ["hangBefore", 0],
    ["hangAfter", 1],
  ] as const)(
    "%s: not a byte comes, the connection stays open, %i enrollments",
    async (fault, enrollments) => {
      expect(await enrollUnder(fault)).toEqual({ status: undefined, promisedBytes: 0, text: "" });
      expect(portal.enrollments.total).toBe(enrollments);
    },
  );

  test.each([
    ["halfOpenBefore", 0],
    ["halfOpenAfter", 1],
  ] as const)(
    "%s: headers and part of the body, then silence, %i enrollments",
    async (fault, enrollments) => {
      const { status, promisedBytes, text } = await enrollUnder(fault);
      expect(status).toBe(200);
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).toBeLessThan(promisedBytes);
      expect(portal.enrollments.total).toBe(enrollments);
    },
  );

  test.each(["hangAfter", "halfOpenAfter"] as const)(
    "%s loses the answer to a completion that was taken",
    async (fault) => {
      portal.callbacks.expect("ap-1");
      simulator.failNext({ endpoint: "callbacks", fault });
      const success = { outputFields: { hs_execution_state: "SUCCESS" }, typedOutputs: {} };
      const { status } = await listenTo(`${CALLBACKS}/ap-1/complete`, success, SILENCE);
      expect(status).toBeUndefined();
      expect(portal.callbacks.acceptedCount).toBe(1);
    },
  );

  test("trickle: the body comes a byte at a time, without an end in sight", async () => {
    const { path, body } = enrollRequest("1001");
    simulator.failNext({ endpoint: "enroll", fault: "trickle", ms: 20 });
    const heard = await listenTo(path, body, { silenceMs: 2_000, isEnough: (text) => text.length >= 4 });
    expect(heard.status).toBe(200);
    expect(heard.text.length).toBeLessThan(heard.promisedBytes);
    expect(portal.enrollments.total).toBe(1);
  });

  test("counts as no answer in the portal's traffic", async () => {
    await enrollUnder("hangAfter");
    expect(portal.traffic.byEndpoint.get("enroll")?.byStatus).toEqual({ 0: 1 });
  });
});

describe("an odd Retry-After", () => {
  const statuses: [FaultName, number][] = [
    ["throttled", 429],
    ["throttledRetryAfter", 429],
    ["locked", 423],
    ["migrating", 477],
    ["errorBefore", 503],
  ];

  test.each(statuses)("comes with %s (%i)", async (fault, status) => {
    await restart({ openQuestions: { retryAfter: "odd" } });
    simulator.failNext({
      endpoint: "enroll",
      fault,
      ...(fault === "errorBefore" ? { status: 503 } : {}),
    });
    const answer = await enroll("1001");
    expect(answer.status).toBe(status);
    expect(oddRetryAfters(START_MS)).toContain(answer.headers.get("retry-after"));
  });

  test("takes every odd shape in time, and none when the world is sane", async () => {
    simulator.setFaults({ enroll: { throttled: 1 } });
    expect((await enroll("1001")).headers.get("retry-after")).toBeNull();
    simulator.setOpenQuestions({ retryAfter: "odd" });
    simulator.setRateLimit(false);
    const seen = new Set<string | null>();
    for (let asked = 0; asked < 120; asked += 1) seen.add((await enroll("1001")).headers.get("retry-after"));
    expect([...seen].sort()).toEqual([...oddRetryAfters(START_MS)].sort());
    simulator.setOpenQuestions({ retryAfter: "garbled" });
    expect(garbledRetryAfters(START_MS)).toContain((await enroll("1001")).headers.get("retry-after"));
  });
});

test("a batch of completions with a bad id can be taken in part, and says which id it refused", async () => {
  await restart({ openQuestions: { badIdInBatch: "multi-status" } });
  portal.callbacks.expect("ap-1");
  const inputs = ["ap-1", "ap-9"].map((callbackId) => ({
    callbackId,
    outputFields: { hs_execution_state: "SUCCESS" },
    typedOutputs: {},
  }));
  const { status, body } = await call("POST", `${CALLBACKS}/complete`, { inputs });
  expect(status).toBe(207);
  expect(body).toMatchObject({
    numErrors: 1,
    errors: [{ status: "404", context: { callbackId: ["ap-9"] } }],
  });
  expect(portal.callbacks.acceptedCount).toBe(1);
});

describe("the switches", () => {
  const put = (path: string, body: unknown): Promise<Response> =>
    fetch(`${simulator.url}/_simulator${path}`, { method: "PUT", body: JSON.stringify(body) });

  test("can be turned from another process", async () => {
    expect((await put("/open-questions", { endedEnrollment: "empty" })).status).toBe(200);
    expect((await put("/lookup-lag", { lookupLagMs: [100, 200] })).status).toBe(200);
    expect((await put("/property-lag", { propertyLagMs: [1_000, 2_000] })).status).toBe(200);
    expect((await put("/clock", { clockOffsetMs: 5_000 })).status).toBe(200);
    const { headers } = await enroll("1001");
    expect(headers.get("date")).toBe(new Date(START_MS + 5_000).toUTCString());
    expect((await lookUp("1001")).status).toBe(404);
    nowMs += 999;
    expect(await isEnrolledProperty("1001")).toBeNull();
    portal.endEnrollment("1001", "finished");
    expect(await lookUp("1001")).toMatchObject({ status: 200, body: {} });
  });

  test.each([
    ["/open-questions", { endedEnrollment: 500 }],
    ["/open-questions", { hubSpotMood: "bad" }],
    ["/lookup-lag", { lookupLagMs: -1 }],
    ["/lookup-lag", { lookupLagMs: [300, 100] }],
    ["/property-lag", { propertyLagMs: "soon" }],
    ["/clock", { clockOffsetMs: 600_000 }],
  ])("refuse at %s what makes no sense: %j", async (path, body) => {
    expect((await put(path, body)).status).toBe(400);
  });

  test.each([
    { lookupLagMs: [3, 1] },
    { propertyLagMs: -5 },
    { clockOffsetMs: Number.NaN },
    { openQuestions: { endedEnrollment: "gone" } },
  ])("keep the simulator from starting with %j", async (options) => {
    await expect(startSimulatorForTest(options as Partial<SimulatorOptions>)).rejects.toThrow();
  });
});

test("the unkind world hides an ended enrollment, and the kind one shows it", async () => {
  await restart(UNKIND_WORLD);
  const enrolled = await enroll("1001");
  expect(Date.parse(enrolled.body.enrolledAt as string)).not.toBe(START_MS);
  portal.endEnrollment("1001", "replied");
  nowMs += 60_000;
  expect((await lookUp("1001")).body.id).toBeUndefined();

  await restart(KIND_WORLD);
  const { body } = await enroll("1001");
  portal.endEnrollment("1001", "replied");
  expect((await lookUp("1001")).body).toMatchObject({ id: body.id });
});
