import { afterEach, expect, jest, test } from "@jest/globals";
import type { Pool } from "pg";
import { LONG_WAIT_MS, PortalCircuit } from "#platform/queue/portal-circuit.js";

const MINUTE = 60_000;

afterEach(() => {
  jest.restoreAllMocks();
});

/** A circuit as an owner finds it, on a clock that the test turns. */
function circuitAt(found: { openForMs: number; trips: number } = { openForMs: 0, trips: 0 }) {
  let nowMs = 1_000;
  jest.spyOn(performance, "now").mockImplementation(() => nowMs);
  const stored: unknown[][] = [];
  const query = ({ values }: { values: unknown[] }) => Promise.resolve({ rowCount: stored.push(values) });
  const lease = { portalId: 1n, epoch: 2n, inheritedMs: [], allowance: undefined, circuit: found };
  const onFault = jest.fn();
  const circuit = new PortalCircuit({ pool: { query } as unknown as Pool, lease, onFault });
  const fail = (times: number, failure = {}): void => {
    for (let time = 0; time < times; time += 1) circuit.failed("HubSpot answered 503", failure);
  };
  return { circuit, fail, stored, pass: (ms: number) => (nowMs += ms) };
}

test("opens with the fifth failure in a row, and an answer in between begins the count again", () => {
  const { circuit, fail } = circuitAt();
  fail(4);
  circuit.succeeded();
  fail(4);
  expect([circuit.isOpen, circuit.trips]).toEqual([false, 0]);
  fail(1);
  expect([circuit.isOpen, circuit.trips]).toEqual([true, 1]);
});

test("a timeout counts for three failures", () => {
  const { circuit, fail } = circuitAt();
  fail(1, { isTimeout: true });
  fail(1);
  expect(circuit.isOpen).toBe(false);
  fail(1);
  expect(circuit.isOpen).toBe(true);
});

test("opens at once for as long as HubSpot asks, if that is long; but asks again within a quarter of an hour", () => {
  const short = circuitAt();
  short.fail(1, { retryAfterMs: LONG_WAIT_MS });
  expect(short.circuit.isOpen).toBe(false);
  for (const [askedMs, openMs] of [
    [LONG_WAIT_MS + 1, LONG_WAIT_MS + 1],
    [24 * 60 * MINUTE, 15 * MINUTE],
  ] as const) {
    const { circuit, fail, pass } = circuitAt();
    fail(1, { retryAfterMs: askedMs });
    pass(openMs - 1);
    expect(circuit.isOpen).toBe(true);
    pass(1);
    expect(circuit.isOpen).toBe(false);
  }
});

test("stays open for a long wait whatever a request answers that was under way before", () => {
  const { circuit, fail, pass } = circuitAt();
  fail(1, { retryAfterMs: 10 * MINUTE });
  circuit.succeeded();
  expect([circuit.isOpen, circuit.trips]).toEqual([true, 1]);
  pass(10 * MINUTE);
  circuit.succeeded();
  expect([circuit.isOpen, circuit.trips]).toEqual([false, 0]);
});

test("closes with an answer that comes soon after failures in a row, since HubSpot is back then", () => {
  const { circuit, fail } = circuitAt();
  fail(5);
  circuit.succeeded();
  expect([circuit.isOpen, circuit.trips]).toEqual([false, 0]);
});

test("probes after its time, opens for longer with each failure, and closes with the first answer", async () => {
  const { circuit, fail, pass, stored } = circuitAt();
  fail(5);
  const openMs: number[] = [];
  for (let trip = 1; trip <= 8; trip += 1) {
    expect([circuit.isOpen, circuit.isProbing, circuit.trips]).toEqual([true, true, trip]);
    await circuit.saved();
    openMs.push(Number(stored.at(-1)?.[2]));
    // Those under way when it opened tell nothing new.
    fail(3);
    pass(5 * MINUTE);
    expect([circuit.isOpen, circuit.isProbing]).toEqual([false, true]);
    fail(1);
  }
  expect(openMs[0]).toBeGreaterThanOrEqual(2_500);
  expect(openMs[0]).toBeLessThanOrEqual(5_000);
  expect(openMs[7]).toBeGreaterThanOrEqual(2.5 * MINUTE);
  expect(openMs[7]).toBeLessThanOrEqual(5 * MINUTE);
  circuit.succeeded();
  circuit.succeeded();
  await circuit.saved();
  expect([circuit.isOpen, circuit.isProbing, circuit.trips]).toEqual([false, false, 0]);
  expect(stored.at(-1)).toEqual([1n, 2n, 0, null, 0, null]);
  expect(stored).toHaveLength(10);
});

test("goes on as the owner before left it", () => {
  const { circuit, fail, pass } = circuitAt({ openForMs: 10_000, trips: 3 });
  expect([circuit.isOpen, circuit.isProbing]).toEqual([true, true]);
  pass(10_000);
  expect([circuit.isOpen, circuit.isProbing]).toEqual([false, true]);
  fail(1);
  expect([circuit.isOpen, circuit.trips]).toEqual([true, 4]);
});
