import { describe, expect, test } from "@jest/globals";
import { RequestBudget, type RequestSlot } from "#platform/hubspot/pace/request-budget.js";

const WINDOW_MS = 10_000;

/** A budget on a clock that the test turns. */
function budgetAt(options: {
  limit: number;
  inheritedMs?: readonly number[];
  allowance?: number | undefined;
}) {
  const clock = { ms: 1_000 };
  const budget = new RequestBudget({ windowMs: WINDOW_MS, now: () => clock.ms, ...options });
  const takeAll = (): RequestSlot[] => {
    const taken: RequestSlot[] = [];
    for (let slot = budget.tryTake(); slot !== undefined; slot = budget.tryTake()) taken.push(slot);
    return taken;
  };
  return { clock, budget, takeAll };
}

describe("a request budget that learns from HubSpot's rate headers", () => {
  test("keeps to a smaller allowance while HubSpot says so, and to its own limit whatever HubSpot allows", () => {
    const { budget } = budgetAt({ limit: 110 });
    budget.tryTake()?.observe({ max: 100, remaining: 99 });
    expect(budget.available()).toBe(99);
    budget.tryTake()?.observe({ max: 190, remaining: 188 });
    expect(budget.available()).toBe(108);
  });

  test("learns nothing of an answer that allows nothing at all", () => {
    const { budget } = budgetAt({ limit: 110 });
    budget.tryTake()?.observe({ max: 0, remaining: 0 });
    expect(budget.available()).toBe(109);
  });

  test("begins with the allowance that an earlier owner learned", () => {
    const { budget } = budgetAt({ limit: 110 });
    budget.tryTake()?.observe({ max: 100, remaining: 99 });
    const heir = budgetAt({ limit: 110, inheritedMs: budget.handOver(), allowance: budget.allowance });
    expect(heir.budget.available()).toBe(99);
  });

  test("makes room for requests of this app that it does not know of, for one window", () => {
    const { clock, budget } = budgetAt({ limit: 110 });
    const slot = budget.tryTake();
    slot?.observe({ max: 110, remaining: 99 });
    slot?.settle();
    expect(budget.available()).toBe(99);
    clock.ms += WINDOW_MS + 9;
    expect(budget.available()).toBe(99);
    clock.ms += 1;
    expect(budget.available()).toBe(110);
  });

  test("does not count its own requests twice, nor unknown ones that two answers tell of", () => {
    const { budget } = budgetAt({ limit: 110 });
    const slots = Array.from({ length: 10 }, () => budget.tryTake());
    slots.forEach((slot, index) => {
      slot?.observe({ max: 110, remaining: 110 - (index + 1) - 5 });
      slot?.settle();
    });
    expect(budget.available()).toBe(95);
  });

  test("knows its own requests that were answered before the one whose answer it reads", () => {
    const { budget } = budgetAt({ limit: 110 });
    for (let sent = 0; sent < 5; sent += 1) budget.tryTake()?.settle();
    budget.tryTake()?.observe({ max: 110, remaining: 104 });
    expect(budget.available()).toBe(104);
  });

  test("an answer that comes late does not make it count again what has left the window meanwhile", () => {
    const { clock, budget, takeAll } = budgetAt({ limit: 110 });
    const [late, ...others] = takeAll();
    others.forEach((slot) => {
      slot.settle();
    });
    clock.ms += WINDOW_MS + 50;
    late?.observe({ max: 110, remaining: 0 });
    late?.settle();
    expect(budget.available()).toBe(109);
  });
});

describe("a request budget after a 429", () => {
  test("sends nothing for the time HubSpot names", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    budget.tryTake()?.settle();
    budget.exhaust(3_000);
    expect(budget.available()).toBe(0);
    clock.ms += 2_999;
    expect(budget.available()).toBe(0);
    clock.ms += 1;
    expect(budget.available()).toBe(9);
  });

  test("does not let a slot that is given back meanwhile slip through", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    const held = budget.tryTake();
    budget.exhaust(3_000);
    held?.giveBack();
    clock.ms += 1_000;
    expect(budget.available()).toBe(0);
  });

  test("sends again right after that time, although older requests still fill part of the window", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    for (let sent = 0; sent < 4; sent += 1) budget.tryTake()?.settle();
    budget.exhaust(1_000);
    expect(budget.msUntilAvailable()).toBe(1_000);
    clock.ms += 1_001;
    expect(budget.available()).toBe(6);
  });

  test("hands the rest over to the next owner", () => {
    const { budget } = budgetAt({ limit: 10 });
    budget.tryTake()?.settle();
    budget.exhaust(3_000);
    const heir = budgetAt({ limit: 10, inheritedMs: budget.handOver() });
    expect(heir.budget.available()).toBe(0);
    heir.clock.ms += 3_001;
    expect(heir.budget.available()).toBe(9);
  });

  test("hands over a rest that outlasts the requests of the window", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    budget.tryTake()?.settle();
    clock.ms += 9_000;
    budget.exhaust(3_000);
    const heir = budgetAt({ limit: 10, inheritedMs: budget.handOver() });
    heir.clock.ms += 2_900;
    expect(heir.budget.available()).toBe(0);
  });
});
