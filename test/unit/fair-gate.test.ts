import { expect, test } from "@jest/globals";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createFairGate, type LeaveGate } from "../../src/hubspot/fair-gate.js";

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
        leaves.push(leave);
      });
  };
  /** Lets the event loop turn until nothing more happens by itself. */
  const settle = async (): Promise<void> => {
    for (let turn = 0, before = -1; turn < 5 || before !== inside.length; turn += 1) {
      before = inside.length;
      await nextTurn();
    }
  };
  return { inside, leaves, enter, settle };
}

test("no more requests are under way than there are places, and each that ends lets another in", async () => {
  const { inside, leaves, enter, settle } = visit(3);
  enter(BIG, 10);
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
  const share = inside.filter((portalId) => portalId === OTHER).length / inside.length;
  expect(share).toBeGreaterThan(0.25);
  expect(share).toBeLessThan(0.75);
});

test("a burst leaves room in the event loop: it is not let in at once", async () => {
  const { inside, enter } = visit(1_000);
  enter(BIG, 500);
  await nextTurn();
  await nextTurn();
  expect(inside.length).toBeGreaterThan(0);
  expect(inside.length).toBeLessThan(50);
});
