import { describe, expect, test } from "@jest/globals";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Pool } from "pg";
import {
  AppMisconfigured,
  HubSpotTimedOut,
  HubSpotUnavailable,
  PortalSpared,
} from "../../src/hubspot/errors.js";
import { createFairGate } from "../../src/hubspot/fair-gate.js";
import { RequestBudget } from "../../src/hubspot/request-budget.js";
import { createTransport } from "../../src/hubspot/transport.js";
import { recoverable } from "../../src/jobs/attempt-faults.js";
import type { ClaimedExecution } from "../../src/executions/execution.js";
import { openPortalCalls, type PortalCalls, type PortalCallsOptions } from "../../src/jobs/portal-calls.js";
import { createSlotSource } from "../../src/jobs/slot-source.js";
import { PortalCircuit } from "../../src/queue/portal-circuit.js";
import { RefreshUnderWay } from "../../src/vault/errors.js";

const portalId = 8_101n;
/** As many as wait for a portal's token at once. */
const ATTEMPTS = 60;

interface Opened {
  readonly calls: PortalCalls;
  readonly circuit: PortalCircuit;
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
      return Promise.resolve();
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
    ...{ portalId, budget, circuit },
    slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit }),
    ...{ gate, forPortal },
  });
  return { calls, circuit, stored };
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

test("two time-outs open the circuit: what waits at the gate then goes back to the queue, unsent and uncounted", async () => {
  let sent = 0;
  const { calls, circuit } = openWith(({ takeSlot }) => async () => {
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
  const spared = faults.filter((fault) => fault instanceof PortalSpared);
  expect(spared).toHaveLength(8);
  const claimed = { state: "ATTEMPTING", retries: 3, deadlineMs: 0 } as ClaimedExecution;
  expect(recoverable(spared[0], claimed, "QUEUED")).toMatchObject({ to: "QUEUED", isWait: true, delayMs: 0 });
});

test("when the circuit opens nobody waits on at a gate that others fill", async () => {
  const gate = createFairGate({ places: 1 });
  // Never left: whoever goes on waiting waits for ever.
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
  const ends = await Promise.allSettled(waiting);
  expect(ends.map((end) => end.status === "rejected" && end.reason instanceof PortalSpared)).toEqual(
    Array(10).fill(true),
  );
});
