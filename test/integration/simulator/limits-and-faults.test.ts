import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { RollingWindow } from "../../../src/simulator/world/rate-limit.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startSimulatorForTest } from "../../support/simulated-app.js";

let nowMs: number;
let simulator: Simulator;
let portal: SimulatedPortal;
let token: string;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 10, 20, 12);
  simulator = await startSimulatorForTest({ now: () => nowMs });
  portal = simulator.addPortal({ contacts: 20 });
  token = portal.accessToken();
});
afterEach(() => simulator.close());

function details(): Promise<Response> {
  return fetch(`${simulator.url}/account-info/2026-09/details`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

function enroll(contactId: string): Promise<Response> {
  const { userId, inboxAddress } = portal.admin;
  return fetch(`${simulator.url}/automation/sequences/2026-09/enrollments?userId=${userId}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ sequenceId: "300000001", contactId, senderEmail: inboxAddress }),
  });
}

describe("the simulated rate limit", () => {
  test("is a rolling window: exact at its edges, and refused requests take no place", () => {
    const window = new RollingWindow({ requests: 2, windowMs: 10_000 });
    expect(window.admit(0)).toEqual({ admitted: true, remaining: 1 });
    expect(window.admit(4000)).toEqual({ admitted: true, remaining: 0 });
    expect(window.admit(9999).admitted).toBe(false);
    expect(window.admit(10_000).admitted).toBe(true);
    expect(window.admit(13_999).admitted).toBe(false);
    expect(window.admit(14_000).admitted).toBe(true);
    expect(window.peak).toBe(2);
  });

  test("answers the 111th request in ten seconds with HubSpot's own words", async () => {
    const answers = [];
    for (let sent = 0; sent < 110; sent += 1) answers.push((await details()).status);
    expect(new Set(answers)).toEqual(new Set([200]));
    const refused = await details();
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-hubspot-ratelimit-max")).toBe("110");
    expect(refused.headers.get("x-hubspot-ratelimit-remaining")).toBe("0");
    expect(await refused.json()).toMatchObject({
      errorType: "RATE_LIMIT",
      policyName: "TEN_SECONDLY_ROLLING",
    });
    expect(portal.traffic).toMatchObject({ counted: 111, throttled: 1 });
    nowMs += 10_000;
    expect((await details()).status).toBe(200);
    expect(simulator.peakOf(portal.portalId)).toBe(110);
  });

  test("counts every portal for itself and token requests not at all", async () => {
    simulator.setRateLimit({ requests: 1, windowMs: 10_000 });
    expect((await details()).status).toBe(200);
    for (let sent = 0; sent < 3; sent += 1)
      await fetch(`${simulator.url}/oauth/2026-09/token`, { method: "POST" });
    token = simulator.addPortal().accessToken();
    expect((await details()).status).toBe(200);
    expect((await details()).status).toBe(429);
  });
});

describe("simulated faults", () => {
  test.each([
    ["errorBefore", 0],
    ["resetBefore", 0],
    ["throttled", 0],
    ["throttledRetryAfter", 0],
    ["locked", 0],
    ["migrating", 0],
    ["errorAfter", 1],
    ["resetAfter", 1],
  ] as const)("%s leaves %i enrollments behind and shows no success", async (fault, enrollments) => {
    simulator.failNext({ endpoint: "enroll", fault, portalId: portal.portalId });
    const outcome = await enroll("1001").then(
      ({ ok }) => ok,
      () => false,
    );
    expect(outcome).toBe(false);
    expect(portal.enrollments.total).toBe(enrollments);
    expect(simulator.faultCounts()).toEqual({ [`enroll/${fault}`]: 1 });
    expect((await enroll("1002")).status).toBe(200);
  });

  test("slow work is done although the caller has left", async () => {
    simulator.failNext({ endpoint: "enroll", fault: "slowWork", ms: 150 });
    const abandoned = new AbortController();
    const call = fetch(
      `${simulator.url}/automation/sequences/2026-09/enrollments?userId=${portal.admin.userId}`,
      {
        method: "POST",
        signal: abandoned.signal,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({
          sequenceId: "300000001",
          contactId: "1001",
          senderEmail: portal.admin.inboxAddress,
        }),
      },
    );
    simulator.signals.once("fault", () => {
      abandoned.abort();
    });
    await expect(call).rejects.toThrow();
    expect(portal.enrollments.total).toBe(0);
    await simulator.waitFor(() => portal.enrollments.total === 1);
  });

  test("a slow answer does the work at once", async () => {
    simulator.failNext({ endpoint: "enroll", fault: "slowAnswer", ms: 50 });
    const answer = enroll("1001");
    await simulator.waitFor(() => portal.enrollments.total === 1);
    expect((await answer).status).toBe(200);
  });

  test("come by chance, the same with the same seed", async () => {
    const draw = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let sent = 0; sent < 30; sent += 1) statuses.push((await details()).status);
      return statuses;
    };
    simulator.setFaults({ account: { errorBefore: 0.3, locked: 0.2 } });
    const first = await draw();
    expect(first.filter((status) => status !== 200).length).toBeGreaterThan(5);
    await simulator.close();
    simulator = await startSimulatorForTest({ faults: { all: { errorBefore: 0.3, locked: 0.2 } } });
    portal = simulator.addPortal();
    token = portal.accessToken();
    expect(await draw()).toEqual(first);
  });

  test("429s of the plan are told apart from those the app earned", async () => {
    simulator.setFaults({ account: { throttledRetryAfter: 1 } });
    const answer = await details();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(portal.traffic.throttled).toBe(0);
  });
});
