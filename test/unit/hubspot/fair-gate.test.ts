import { expect, jest, test } from "@jest/globals";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import type { LeaveGate } from "#platform/hubspot/pace/waiting-line.js";

const BIG = 1n;
const OTHER = 2n;
const SMALL = 3n;

/** A gate whose visitors are noted in the order they are let in. */
function visit(places: number) {
  const gate = createFairGate({ places });
  const inside: bigint[] = [];
  const leaves: LeaveGate[] = [];
  const enter = (portalId: bigint, requests: number): void => {
    for (let request = 0; request < requests; request += 1)
      void gate.enter(portalId).then((leave) => {
        inside.push(portalId);
        if (leave !== undefined) leaves.push(leave);
      });
  };
  /** Lets the event loop turn until nothing more happens by itself. */
  const settle = async (): Promise<void> => {
    for (let turn = 0, before = -1; turn < 5 || before !== inside.length; turn += 1) {
      before = inside.length;
      await nextTurn();
    }
  };
  return { gate, inside, leaves, enter, settle };
}

test("no more requests are under way than there are places, and each that ends lets another in", async () => {
  const { inside, leaves, enter, settle } = visit(3);
  for (let portalId = 1n; portalId <= 10n; portalId += 1n) enter(portalId, 1);
  await settle();
  expect(inside).toHaveLength(3);
  leaves[0]?.();
  leaves[0]?.();
  await settle();
  expect(inside).toHaveLength(4);
  for (let index = 1; index < 10; index += 1) {
    leaves[index]?.();
    await settle();
  }
  expect(inside).toHaveLength(10);
});

test("a portal has few requests under way before it answers, a quarter of the places after, and one after a timeout", async () => {
  const { gate, inside, leaves, enter, settle } = visit(256);
  enter(BIG, 300);
  await settle();
  expect(inside).toHaveLength(4);
  for (let answer = 0; answer < 100; answer += 1) {
    leaves[answer]?.();
    gate.heard(BIG);
    await settle();
  }
  expect(inside).toHaveLength(164);
  gate.timedOut(BIG);
  for (let end = 100; end < 163; end += 1) leaves[end]?.();
  await settle();
  expect(inside).toHaveLength(164);
  leaves[163]?.();
  await settle();
  expect(inside).toHaveLength(165);
});

test("requests that hang hold no place, and a portal that is unknown then may have one", async () => {
  const { gate, inside, leaves, enter, settle } = visit(64);
  for (let portalId = 11n; portalId <= 26n; portalId += 1n) enter(portalId, 20);
  await settle();
  expect(inside).toHaveLength(64);
  expect(gate.shareOf(OTHER)).toBe(4);
  enter(SMALL, 1);
  await settle();
  expect(inside).not.toContain(SMALL);
  await sleep(300);
  await settle();
  expect(inside).toContain(SMALL);
  expect(gate.shareOf(OTHER)).toBe(1);
  leaves.splice(0).forEach((leave) => {
    leave();
  });
  await settle();
  // Nothing hangs anymore, of the portal whose others came in now neither.
  expect([gate.shareOf(OTHER), gate.shareOf(11n)]).toEqual([4, 4]);
});

test("a request that hung gives its place away once", async () => {
  const { inside, leaves, enter, settle } = visit(1);
  enter(BIG, 1);
  await settle();
  await sleep(1_100);
  enter(OTHER, 1);
  await settle();
  leaves[0]?.();
  enter(SMALL, 1);
  await settle();
  expect(inside).toEqual([BIG, OTHER]);
  leaves[1]?.();
  await settle();
  expect(inside).toEqual([BIG, OTHER, SMALL]);
});

test("what hangs of a portal, however well it answers otherwise, leaves room for others to hang", async () => {
  jest.useFakeTimers({ doNotFake: ["setImmediate"] });
  try {
    const { gate, inside, enter, settle } = visit(16);
    enter(BIG, 2);
    for (let portalId = 11n; portalId <= 16n; portalId += 1n) enter(portalId, 2);
    await settle();
    // 9 requests may hang for each place. All but 8 of them do.
    for (let round = 1n; inside.length < 136; round += 1n) {
      jest.advanceTimersByTime(1_000);
      const missing = Math.min(16, 136 - inside.length);
      for (let nth = 0n; nth < BigInt(missing); nth += 1n) enter(100n * round + nth, 1);
      await settle();
    }
    jest.advanceTimersByTime(1_000);
    for (const portalId of [BIG, OTHER]) for (let answer = 0; answer < 4; answer += 1) gate.heard(portalId);
    expect([gate.shareOf(BIG), gate.shareOf(OTHER)]).toEqual([4, 4]);
    const before = inside.length;
    enter(BIG, 1);
    enter(OTHER, 1);
    await settle();
    expect(inside.slice(before)).toEqual([OTHER]);
  } finally {
    jest.useRealTimers();
  }
});

test("requests that are under way count when their portal comes with more", async () => {
  const { inside, leaves, enter, settle } = visit(256);
  enter(BIG, 4);
  await settle();
  leaves[0]?.();
  enter(BIG, 4);
  await settle();
  expect(inside).toHaveLength(5);
});

test("the first requests of 300 portals that hang all at once hold up a small one for less than two seconds", async () => {
  const { inside, enter, settle } = visit(256);
  for (let portalId = 101n; portalId <= 400n; portalId += 1n) enter(portalId, 64);
  enter(SMALL, 1);
  const startedMs = performance.now();
  while (!inside.includes(SMALL) && performance.now() - startedMs < 10_000) {
    await sleep(25);
    await settle();
  }
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

test("who waits for a portal that is dismissed is sent away at once and takes no place", async () => {
  const { gate, inside, leaves, enter, settle } = visit(1);
  enter(SMALL, 1);
  await settle();
  const waiting = [gate.enter(BIG), gate.enter(BIG)];
  gate.dismiss(BIG);
  expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  enter(OTHER, 1);
  leaves[0]?.();
  await settle();
  expect(inside).toEqual([SMALL, OTHER]);
});

test("a portal's lone request goes ahead of bursts that have been waiting", async () => {
  const { inside, leaves, enter, settle } = visit(1);
  enter(BIG, 100);
  enter(OTHER, 100);
  await settle();
  for (let index = 0; index < 40; index += 1) {
    leaves[index]?.();
    await settle();
  }
  enter(SMALL, 1);
  leaves[40]?.();
  await settle();
  expect(inside[41]).toBe(SMALL);
});

test("bursts are served by turns: none is done before the other has begun", async () => {
  const { inside, leaves, enter, settle } = visit(1);
  enter(BIG, 100);
  enter(OTHER, 100);
  await settle();
  for (let index = 0; index < 120; index += 1) {
    leaves[index]?.();
    await settle();
  }
  // As newcomers few in a row, and then many: they end together.
  const turns = [BIG, OTHER].flatMap((portalId) => Array.from({ length: 8 }, () => portalId));
  for (const portalId of [BIG, OTHER, BIG]) turns.push(...Array.from({ length: 32 }, () => portalId));
  expect(inside.slice(0, turns.length)).toEqual(turns);
});

test("a burst leaves room in the event loop: it is not let in at once", async () => {
  const { inside, enter } = visit(1_000);
  for (let portalId = 1n; portalId <= 100n; portalId += 1n) enter(portalId, 5);
  await nextTurn();
  await nextTurn();
  expect(inside.length).toBeGreaterThan(0);
  expect(inside.length).toBeLessThan(50);
});
