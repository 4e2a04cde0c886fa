import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Pool } from "pg";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotTimedOut,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { recoverable } from "#worker/attempt/attempt-faults.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { openPortalCalls, type PortalCalls, type PortalCallsOptions } from "#worker/drain/portal-calls.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { RefreshUnderWay } from "#domain/vault/errors.js";

const portalId = 8_101n;
afterEach(() => {
  jest.restoreAllMocks();
});

/** As many as wait for a portal's token at once. */
const ATTEMPTS = 60;

interface Opened {
  readonly calls: PortalCalls;
  readonly circuit: PortalCircuit;
  readonly budget: RequestBudget;
  readonly stored: unknown[][];
}

/** A turn's way to HubSpot of which no token can be had; what is stored of its circuit, the last last. */
function open(tokenFault: Error): Opened {
  const noToken = () => Promise.reject(tokenFault);
  return openWith(
    createTransport({
      apiUrl: "http://localhost:1",
      accessTokenFor: noToken,
      renewAfterRefusal: noToken,
    }),
  );
}

function openWith(forPortal: PortalCallsOptions["forPortal"], gate = createFairGate({ places: 1 })): Opened {
  const stored: unknown[][] = [];
  const pool = {
    query: ({ values }: { values: unknown[] }) => {
      stored.push(values);
      return Promise.resolve({ rowCount: 1 });
    },
  } as unknown as Pool;
  const lease = {
    portalId,
    epoch: 1n,
    inheritedMs: [],
    allowance: undefined,
    circuit: { openForMs: 0, trips: 0 },
  };
  const circuit = new PortalCircuit({ pool, lease, onFault: () => undefined });
  const budget = new RequestBudget({ limit: 110, windowMs: 10_000, now: () => performance.now() });
  const calls = openPortalCalls({
    portalId,
    budget,
    circuit,
    slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit }),
    gate,
    forPortal,
  });
  return { calls, circuit, budget, stored };
}

async function askManyTimes(calls: PortalCalls): Promise<void> {
  const asked = Array.from({ length: ATTEMPTS }, () => calls.gatewayWith().readOwner("1"));
  const answers = await Promise.allSettled(asked);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["rejected"]));
}

describe("a portal whose token cannot be had", () => {
  test.each([
    ["our own storage fails", new Error("timeout exceeded when trying to connect")],
    ["another process is at refreshing it", new RefreshUnderWay("refreshing too long")],
  ])("is not spared when %s: that says nothing about HubSpot", async (_why, fault) => {
    const { calls, circuit, stored } = open(fault);
    await askManyTimes(calls);
    expect(circuit.isOpen).toBe(false);
    expect(calls.isCallable()).toBe(true);
    expect(stored).toEqual([]);
  });

  test("is spared when HubSpot's token endpoint does not answer", async () => {
    const { calls, circuit } = open(new HubSpotUnavailable("HubSpot answered 503"));
    await askManyTimes(calls);
    expect(circuit.isOpen).toBe(true);
  });

  test("is spared for a minute when HubSpot refuses the app's own credentials", async () => {
    const { calls, circuit, stored } = open(new AppMisconfigured("HubSpot refuses the client secret"));
    await askManyTimes(calls);
    await circuit.saved();
    expect(circuit.isOpen).toBe(true);
    expect(calls.isCallable()).toBe(false);
    expect(stored).toEqual([
      [portalId, 1n, 60_000, "HubSpot refuses the client secret", 1, "APP_MISCONFIGURED"],
    ]);
  });
});

test("two timeouts open the circuit: what waits at the gate then goes back to the queue, unsent and uncounted", async () => {
  let sent = 0;
  const { calls, circuit, budget } = openWith(({ takeSlot }) => async () => {
    const slot = await takeSlot();
    sent += 1;
    await nextTurn();
    slot.settle();
    throw new HubSpotTimedOut(15_000);
  });
  const asked = Array.from({ length: 10 }, () => calls.gatewayWith().readOwner("1"));
  const faults = (await Promise.allSettled(asked)).map((end) => end.status === "rejected" && end.reason);
  expect(circuit.isOpen).toBe(true);
  expect(sent).toBe(2);
  expect([budget.sent, budget.available()]).toEqual([2, 108]);
  const spared = faults.filter((fault) => fault instanceof PortalSpared);
  expect(spared).toHaveLength(8);
  const claimed = { state: "ATTEMPTING", retries: 3, deadlineMs: 0 } as ClaimedExecution;
  expect(recoverable(spared[0], claimed, "QUEUED")).toMatchObject({ to: "QUEUED", isWait: true, delayMs: 0 });
});

describe("how many requests may be under way", () => {
  /** A turn whose requests end as the test says, one after the other. */
  function endingIn(...ends: (Error | "answer")[]) {
    const gate = createFairGate({ places: 256 });
    const opened = openWith(({ takeSlot }) => {
      return async () => {
        const slot = await takeSlot();
        slot.settle();
        const end = ends.shift();
        if (end instanceof Error) throw end;
        return {};
      };
    }, gate);
    const ask = () =>
      opened.calls
        .gatewayWith()
        .readAccount()
        .catch(() => undefined);
    return { ...opened, ask };
  }

  test("grows with each answer, be it a refusal or a limit, and falls to one with a timeout", async () => {
    const refused = new HubSpotRejected({ httpStatus: 404, message: "" });
    const throttled = new HubSpotThrottled("", { policyName: "TEN_SECONDLY_ROLLING" });
    const { calls, ask } = endingIn("answer", refused, throttled, new HubSpotTimedOut(15_000));
    const most = [calls.mostUnderWay()];
    for (let asked = 0; asked < 4; asked += 1) {
      await ask();
      most.push(calls.mostUnderWay());
    }
    expect(most).toEqual([4, 5, 6, 7, 1]);
  });

  test("is one while HubSpot is only probed", () => {
    const { calls, circuit } = endingIn();
    for (let failure = 0; failure < 5; failure += 1) circuit.failed("HubSpot answered 503");
    expect(calls.mostUnderWay()).toBe(1);
    circuit.succeeded();
    expect(calls.mostUnderWay()).toBe(4);
  });

  test("does not concern a circuit that hears refusals in between: HubSpot answers", async () => {
    const down = () => new HubSpotUnavailable("HubSpot answered 503");
    const refused = new HubSpotRejected({ httpStatus: 404, message: "" });
    const { circuit, ask } = endingIn(
      down(),
      down(),
      down(),
      down(),
      refused,
      down(),
      down(),
      down(),
      down(),
    );
    for (let asked = 0; asked < 9; asked += 1) await ask();
    expect(circuit.isOpen).toBe(false);
  });

  test.each([
    ["the grant is gone", new GrantRevoked("gone"), false],
    ["HubSpot refuses", new HubSpotRejected({ httpStatus: 404, message: "" }), true],
  ])("and whether any more may be: when %s", async (_what, fault, isCallable) => {
    const { calls, ask } = endingIn(fault);
    expect(calls.isCallable()).toBe(true);
    await ask();
    expect(calls.isCallable()).toBe(isCallable);
  });
});

test("a probe is waited for less long than other requests, but longer each time", async () => {
  let nowMs = 1_000;
  jest.spyOn(performance, "now").mockImplementation(() => nowMs);
  const timeoutsMs: unknown[] = [];
  const { calls, circuit } = openWith(({ terms }) => () => {
    timeoutsMs.push(terms?.().timeoutMs);
    return Promise.reject(new HubSpotUnavailable("HubSpot answered 503"));
  });
  const ask = () =>
    calls
      .gatewayWith()
      .readAccount()
      .catch(() => undefined);
  await ask();
  circuit.failed("moved", { retryAfterMs: 60_000 });
  for (let probe = 0; probe < 4; probe += 1) {
    nowMs += 900_000;
    await ask();
  }
  expect(timeoutsMs).toEqual([15_000, 5_000, 10_000, 15_000, 15_000]);
});

test("a turn only waits once none of its calls has come to an end for a second", async () => {
  let nowMs = 1_000;
  jest.spyOn(performance, "now").mockImplementation(() => nowMs);
  const ends: (() => void)[] = [];
  const { calls } = openWith(() => () => new Promise((resolve) => ends.push(() => resolve({}))));
  const ask = () =>
    void calls
      .gatewayWith()
      .readAccount()
      .catch(() => undefined);
  nowMs += 5_000;
  expect(calls.isWaiting()).toBe(false);
  ask();
  ask();
  nowMs += 999;
  expect(calls.isWaiting()).toBe(false);
  nowMs += 1;
  expect(calls.isWaiting()).toBe(true);
  ends[0]?.();
  await nextTurn();
  expect(calls.isWaiting()).toBe(false);
  nowMs += 1_000;
  expect(calls.isWaiting()).toBe(true);
  ends[1]?.();
  await nextTurn();
  nowMs += 5_000;
  expect(calls.isWaiting()).toBe(false);
});

test("when the circuit opens nobody waits on at a gate that others fill", async () => {
  const gate = createFairGate({ places: 1 });
  // Never left: whoever goes on waiting waits forever.
  await gate.enter(portalId + 1n);
  const { calls, circuit } = openWith(
    ({ takeSlot }) =>
      async ({ path }) => {
        if (path.includes("failing")) throw new HubSpotUnavailable("HubSpot answered 503");
        await takeSlot();
      },
    gate,
  );
  const waiting = Array.from({ length: 10 }, () => calls.gatewayWith().readOwner("1"));
  await nextTurn();
  await Promise.allSettled(Array.from({ length: 5 }, () => calls.gatewayWith().readOwner("failing")));
  expect(circuit.isOpen).toBe(true);
  // At once, and not when the request inside is taken for one that hangs.
  const ends = await Promise.race([Promise.allSettled(waiting), nextTurn().then(() => [])]);
  expect(ends.map((end) => end.status === "rejected" && end.reason instanceof PortalSpared)).toEqual(
    Array(10).fill(true),
  );
});
