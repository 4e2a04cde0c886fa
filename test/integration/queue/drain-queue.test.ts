import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import type { TurnEnd } from "#platform/queue/drain-turn.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const SOON_MS = 1_500;
const [ACME, GLOBEX, INITECH] = [101n, 202n, 303n];

let db: TestDatabase;
let opened: DrainQueue[];
/** Turns under way, by portal; calling one ends it. */
let turns: Map<bigint, () => void>;
let begun: bigint[];
let onBegin: () => void;

async function open(): Promise<DrainQueue> {
  const queue = await openDrainQueue({
    databaseUrl: db.url,
    logger: createLogger({ level: "silent" }),
    applicationName: "queue test",
  });
  opened.push(queue);
  return queue;
}

/** Works portals until their turn is ended by hand. */
function workByHand(
  queue: DrainQueue,
  capacity = 10,
  onlyWaits: (portalId: bigint) => boolean = () => false,
): void {
  queue.work(
    (portalId, turn) =>
      new Promise<TurnEnd>((end) => {
        turn.lendPlaceWhile(() => onlyWaits(portalId));
        turns.set(portalId, () => {
          end("more");
        });
        begun.push(portalId);
        onBegin();
      }),
    { capacity, hasWork: () => Promise.resolve(false) },
  );
}

/** Resolves once as many turns as told have begun. */
function begunCount(count: number, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${begun.length} of ${count} turns began within ${withinMs} ms`));
    }, withinMs);
    onBegin = () => {
      if (begun.length < count) return;
      clearTimeout(timer);
      resolve();
    };
    onBegin();
  });
}

beforeEach(async () => {
  db = await createTestDatabase();
  [opened, turns, begun, onBegin] = [[], new Map(), [], () => undefined];
});

afterEach(async () => {
  for (const end of turns.values()) end();
  await Promise.all(opened.map((queue) => queue.stop({ graceMs: 0 }).catch(() => undefined)));
  await db.drop();
});

describe("the drain queue", () => {
  test("a portal that is woken while it is worked on holds up no other portal", async () => {
    const queue = await open();
    workByHand(queue);
    await queue.wake([ACME]);
    await begunCount(1, SOON_MS);
    await queue.wake([ACME]);
    await queue.wake([GLOBEX]);
    await begunCount(2, SOON_MS);
    expect(begun).toEqual([ACME, GLOBEX]);
  });

  test("a portal woken while it is worked on gets its next turn as soon as this one ends, in another process too", async () => {
    const first = await open();
    workByHand(first, 1);
    await first.wake([ACME]);
    await begunCount(1, SOON_MS);
    // It starts while the portal is active: what it remembers of that must not outlast the turn.
    const second = await open();
    workByHand(second);
    await second.wake([ACME]);
    await second.wake([GLOBEX]);
    await begunCount(2, SOON_MS);
    const stopped = first.stop({ graceMs: 5_000 });
    turns.get(ACME)?.();
    await stopped;
    await begunCount(3, 4_000);
    expect(begun).toEqual([ACME, GLOBEX, ACME]);
  });

  test("a turn lends its place to another portal while it only waits, and to no more than that", async () => {
    const queue = await open();
    const waits = new Map([ACME, GLOBEX, INITECH].map((portalId) => [portalId, false]));
    workByHand(queue, 1, (portalId) => waits.get(portalId) === true);
    await queue.wake([ACME]);
    await begunCount(1, SOON_MS);
    await queue.wake([GLOBEX]);
    await expect(begunCount(2, 1_000)).rejects.toThrow("1 of 2 turns");
    waits.set(ACME, true);
    await begunCount(2, SOON_MS);
    await queue.wake([INITECH]);
    await expect(begunCount(3, 1_000)).rejects.toThrow("2 of 3 turns");
    // What was lent is not taken back from whoever has it: both work, and a third place there is not.
    waits.set(ACME, false);
    turns.get(GLOBEX)?.();
    await expect(begunCount(3, 1_000)).rejects.toThrow("2 of 3 turns");
    turns.get(ACME)?.();
    await begunCount(3, SOON_MS);
  });

  test("places that are lent are bounded: of many that wait three times the places are at work", async () => {
    const queue = await open();
    workByHand(queue, 2, () => true);
    await queue.wake(Array.from({ length: 12 }, (_, index) => BigInt(1_000 + index)));
    await begunCount(6, 4_000);
    await expect(begunCount(7, 1_000)).rejects.toThrow("6 of 7 turns");
  });

  test("a turn whose portal was handed out again does not take the newer turn along when it ends", async () => {
    const queue = await open();
    workByHand(queue);
    await queue.wake([ACME]);
    await begunCount(1, SOON_MS);
    const endOld = turns.get(ACME);
    // As after a pause longer than the lease: the same job, for the second time.
    await db.database.pool.query(`UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute'`);
    await begunCount(2, 10_000);
    endOld?.();
    // It is given back in statements of a few milliseconds, and nothing tells of its end.
    await db.database.pool.query(`SELECT pg_sleep(0.5)`);
    let hasStopped = false;
    const stopped = queue.stop({ graceMs: 5_000 }).then(() => (hasStopped = true));
    await db.database.pool.query(`SELECT pg_sleep(0.5)`);
    expect(hasStopped).toBe(false);
    turns.get(ACME)?.();
    await stopped;
  });

  test("a portal that was woken before the database's clock was set back by ten minutes does not wait for them to pass", async () => {
    const queue = await open();
    await queue.wake([ACME]);
    await db.database.pool.query(
      `UPDATE pgboss.job SET created_on = now() + interval '10 minutes', start_after = now() + interval '10 minutes'`,
    );
    workByHand(queue);
    await begunCount(1, SOON_MS);
  });

  test("two processes never work on one portal at the same time", async () => {
    const queues = [await open(), await open()];
    let active = 0;
    let most = 0;
    for (const queue of queues) {
      queue.work(
        async () => {
          active += 1;
          most = Math.max(most, active);
          await new Promise((resolve) => setTimeout(resolve, 5));
          active -= 1;
          return "idle";
        },
        { capacity: 10, hasWork: () => Promise.resolve(false) },
      );
    }
    const [one, other] = queues as [DrainQueue, DrainQueue];
    const wakes = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : other).wake([ACME]));
    await Promise.all(wakes);
    expect(most).toBe(1);
  });
});
