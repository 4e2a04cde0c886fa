import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger } from "#platform/observability/logger.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTALS = Array.from({ length: 60 }, (_, index) => BigInt(9_001 + index));
const TURN_MS = 400;

/** A process that takes turns with portals that always have more work. */
interface Worker {
  readonly queue: DrainQueue;
  /** Portals in hand, and the most there ever were. */
  readonly holds: Set<bigint>;
  turns: number;
}

let db: TestDatabase;
let workers: Worker[];
/** Portals that two processes held at once: there may be none. */
let heldTwice: bigint[];

async function startWorker(): Promise<Worker> {
  const queue = await openDrainQueue({
    databaseUrl: db.url,
    logger: createLogger({ level: "silent" }),
    applicationName: "queue test",
  });
  const worker: Worker = { queue, holds: new Set(), turns: 0 };
  workers.push(worker);
  queue.work(
    async (portalId, turn) => {
      if (workers.some((other) => other.holds.has(portalId))) heldTwice.push(portalId);
      worker.holds.add(portalId);
      worker.turns += 1;
      const endsAt = performance.now() + TURN_MS;
      while (performance.now() < endsAt && !turn.isEnding()) await sleep(10);
      worker.holds.delete(portalId);
      return "more";
    },
    { capacity: 100, hasWork: () => Promise.resolve(true) },
  );
  return worker;
}

/** Resolves once it holds; looks again and again, for as long as the test may take. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(10);
}

function heldInAll(): number {
  return workers.reduce((sum, { holds }) => sum + holds.size, 0);
}

beforeEach(async () => {
  db = await createTestDatabase();
  workers = [];
  heldTwice = [];
});

afterEach(async () => {
  await Promise.all(workers.map(({ queue }) => queue.stop({ graceMs: 2_000 })));
  await db.drop();
});

test("a process alone takes every portal, and gives a new one its share within some turns", async () => {
  const first = await startWorker();
  await first.queue.wake(PORTALS);
  await until(() => first.holds.size === PORTALS.length);
  const second = await startWorker();
  await until(() => second.holds.size >= PORTALS.length / 4);
  expect(heldInAll()).toBeLessThanOrEqual(PORTALS.length);
  expect(heldTwice).toEqual([]);
});

test("what a stopped process held goes on in the others", async () => {
  const [first, second] = [await startWorker(), await startWorker()];
  await first.queue.wake(PORTALS);
  await until(() => first.holds.size > 0 && second.holds.size > 0 && heldInAll() === PORTALS.length);
  await first.queue.stop({ graceMs: 2_000 });
  workers = [second];
  await until(() => second.holds.size === PORTALS.length);
  expect([...second.holds].sort()).toEqual(PORTALS);
  expect(heldTwice).toEqual([]);
});
