import { expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger } from "#platform/observability/logger.js";
import { startSchedule } from "#worker/schedule.js";

function listen() {
  const complaints: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "warn",
    destination: {
      write: (line: string) => void complaints.push(JSON.parse(line) as Record<string, unknown>),
    },
  });
  return { complaints, logger };
}

/** A promise, and what resolves it. */
function signal() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((given) => (resolve = given));
  return { promise, resolve };
}

test("work that fails is done again at its next time, named in the log, and keeps no other from being done", async () => {
  const { complaints, logger } = listen();
  const [again, other] = [signal(), signal()];
  let times = 0;
  const stop = startSchedule(
    {
      failing: {
        everyMs: 60_000,
        work: () => {
          times += 1;
          if (times === 2) again.resolve();
          return Promise.reject(new Error("no"));
        },
      },
      other: { everyMs: 1, work: ({ done }) => Promise.resolve(done()) },
    },
    { done: other.resolve },
    { intervals: { failing: 1 }, logger },
  );
  await Promise.all([again.promise, other.promise]);
  await stop();
  expect(complaints[0]).toMatchObject({ work: "failing" });
});

test("work is not begun a second time while it is under way, and stopping tells it to end and waits for it", async () => {
  const { logger } = listen();
  const [begun, mayEnd] = [signal(), signal()];
  let begins = 0;
  const seen: boolean[] = [];
  const stop = startSchedule(
    {
      long: {
        everyMs: 1,
        work: async ({ isEnding }) => {
          begins += 1;
          seen.push(isEnding());
          begun.resolve();
          await mayEnd.promise;
          seen.push(isEnding());
        },
      },
    },
    {},
    { intervals: {}, logger },
  );
  await begun.promise;
  await sleep(20);
  let hasStopped = false;
  const stopping = stop().then(() => (hasStopped = true));
  await sleep(20);
  expect({ begins, hasStopped }).toEqual({ begins: 1, hasStopped: false });
  mayEnd.resolve();
  await stopping;
  expect({ begins, seen }).toEqual({ begins: 1, seen: [false, true] });
});
