import { describe, expect, test } from "@jest/globals";
import { PortalSpared } from "#platform/hubspot/errors.js";
import { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import { createSlotSource } from "#worker/drain/slot-source.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";

/** Slots of a budget of this many requests within `windowMs`, and what an owner learns of its portal. */
function slotsOf({ limit = 10, windowMs = 10_000 } = {}) {
  const portal = { isOurs: true, isSpared: false };
  const budget = new RequestBudget({ limit, windowMs, now: () => performance.now() });
  const slots = createSlotSource(budget, {
    portalId: 1n,
    mayStillSend: () => portal.isOurs,
    circuit: {
      get isOpen() {
        return portal.isSpared;
      },
    },
  });
  return { portal, budget, slots };
}

describe("an owner that has to take a successor into account", () => {
  test("gets no slot anymore, free as they may be", async () => {
    const { portal, slots, budget } = slotsOf();
    portal.isOurs = false;
    await expect(slots.take()).rejects.toBeInstanceOf(LeaseLost);
    expect(() => slots.takeFree(1, 0)).toThrow(LeaseLost);
    expect(() => slots.assertMaySend()).toThrow(LeaseLost);
    expect(budget.available()).toBe(10);
  });

  test("learns of it while it waits for a slot", async () => {
    const { portal, slots, budget } = slotsOf({ limit: 1 });
    budget.tryTake();
    const waiting = slots.take();
    portal.isOurs = false;
    await expect(waiting).rejects.toBeInstanceOf(LeaseLost);
  });
});

test("no request waits for a slot of a portal that is spared, but attempts keep the slots they hold", async () => {
  const { portal, slots, budget } = slotsOf({ limit: 1 });
  portal.isSpared = true;
  expect(() => slots.assertMaySend()).toThrow(PortalSpared);
  expect(slots.takeFree(1, 0)).toHaveLength(1);
  await expect(slots.take()).rejects.toBeInstanceOf(PortalSpared);
  expect(budget.available()).toBe(0);
});

test("whoever waits gets the slot that comes free", async () => {
  const { slots, budget } = slotsOf({ limit: 1, windowMs: 20 });
  budget.tryTake()?.settle();
  await slots.take();
  expect(budget.available()).toBe(0);
});

test("attempts are given what is free beyond the reserve, and give back what they do not use", () => {
  const { slots, budget } = slotsOf({ limit: 10 });
  expect(slots.takeFree(3, 0)).toHaveLength(3);
  const rest = slots.takeFree(20, 2);
  expect(rest).toHaveLength(5);
  expect(slots.takeFree(1, 2)).toEqual([]);
  expect(slots.takeFree(1, 9)).toEqual([]);
  rest[0]?.giveBack();
  expect(budget.available()).toBe(3);
  // One that is used answers for itself: its request may be under way.
  const used = rest[1]?.use();
  rest[1]?.giveBack();
  expect(budget.available()).toBe(3);
  used?.giveBack();
  expect(budget.available()).toBe(4);
});
