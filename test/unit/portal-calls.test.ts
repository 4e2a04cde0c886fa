import { describe, expect, test } from "@jest/globals";
import type { Pool } from "pg";
import { AppMisconfigured, HubSpotUnavailable } from "../../src/hubspot/errors.js";
import { createFairGate } from "../../src/hubspot/fair-gate.js";
import { RequestBudget } from "../../src/hubspot/request-budget.js";
import { createTransport } from "../../src/hubspot/transport.js";
import { openPortalCalls, type PortalCalls } from "../../src/jobs/portal-calls.js";
import { createSlotSource } from "../../src/jobs/slot-source.js";
import { PortalCircuit } from "../../src/queue/portal-circuit.js";
import { RefreshUnderWay } from "../../src/vault/errors.js";

const portalId = 8_101n;
/** As many as wait for a portal's token at once. */
const ATTEMPTS = 60;

/** A turn's way to HubSpot of which no token can be had; what is stored of its circuit, the last last. */
function open(tokenFault: Error): { calls: PortalCalls; circuit: PortalCircuit; stored: unknown[][] } {
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
  const noToken = () => Promise.reject(tokenFault);
  const calls = openPortalCalls({
    ...{ portalId, budget, circuit },
    slots: createSlotSource(budget, { portalId, mayStillSend: () => true, circuit }),
    gate: createFairGate({ places: 1 }),
    forPortal: createTransport({
      apiUrl: "http://localhost:1",
      accessTokenFor: noToken,
      renewAfterRefusal: noToken,
    }),
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
    expect(stored).toEqual([[portalId, 1n, 60_000, "HubSpot refuses the client secret", 1]]);
  });
});
