import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { createWakeSoon } from "#platform/queue/wake-soon.js";

const INTERVAL_MS = 25;

/** A queue that notes what it is asked to wake, and answers when told. */
function recorded() {
  const woken: (readonly bigint[])[] = [];
  const onFault = jest.fn();
  let fault: Error | undefined;
  const soon = createWakeSoon({
    wake: (portalIds) => {
      woken.push(portalIds);
      return fault === undefined ? Promise.resolve() : Promise.reject(fault);
    },
    intervalMs: INTERVAL_MS,
    onFault,
  });
  return { woken, soon, onFault, failWith: (given: Error | undefined) => (fault = given) };
}

async function settle(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test("portals of one moment are woken together and at once, each once", async () => {
  const { woken, soon } = recorded();
  for (const portalId of [1n, 2n, 1n]) soon(portalId);
  await settle(0);
  expect(woken).toEqual([[1n, 2n]]);
});

test("what comes during the pause goes out together after it, and nothing is repeated", async () => {
  const { woken, soon } = recorded();
  soon(1n);
  await settle(0);
  soon(1n);
  soon(2n);
  await settle(INTERVAL_MS - 1);
  expect(woken).toHaveLength(1);
  await settle(1);
  expect(woken).toEqual([[1n], [1n, 2n]]);
  await settle(10 * INTERVAL_MS);
  expect(woken).toHaveLength(2);
});

test("a wake that fails is told of and holds up none of the next", async () => {
  const { woken, soon, onFault, failWith } = recorded();
  failWith(new Error("gone"));
  soon(1n);
  await settle(INTERVAL_MS);
  expect(onFault).toHaveBeenCalledTimes(1);
  failWith(undefined);
  soon(2n);
  await settle(INTERVAL_MS);
  expect(woken).toEqual([[1n], [2n]]);
});
