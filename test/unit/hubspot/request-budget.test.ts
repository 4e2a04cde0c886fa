import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { RequestBudget, siteReserve, type RequestSlot } from "#platform/hubspot/pace/request-budget.js";

const WINDOW_MS = 10_000;

/** A budget on a clock that the test turns. */
function budgetAt(options: {
  limit: number;
  inheritedMs?: readonly number[];
  allowance?: number | undefined;
  reserve?: number;
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

/** Most arrivals inside any window that ends with one of them, as HubSpot would count. */
function peakOf(arrivals: readonly number[]): number {
  const sorted = [...arrivals].sort((a, b) => a - b);
  let oldest = 0;
  let peak = 0;
  for (const [index, arrival] of sorted.entries()) {
    while ((sorted[oldest] as number) <= arrival - WINDOW_MS) oldest += 1;
    peak = Math.max(peak, index - oldest + 1);
  }
  return peak;
}

type Step =
  /** Send up to `count` requests, each with its own way there and back. */
  | { kind: "send"; count: number; thereMs: number; backMs: number }
  /** Take up to `count` slots and give them back unused. */
  | { kind: "return"; count: number }
  | { kind: "pause"; ms: number }
  /** The process is stopped (SIGSTOP, a long collection): real time passes, its clock does not. */
  | { kind: "freeze"; ms: number }
  /** Hands the portal to another process, whose clock began elsewhere; what is passed on takes `transitMs`. */
  | { kind: "handOver"; transitMs: number; clockOrigin: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("send" as const),
    count: fc.integer({ min: 1, max: 40 }),
    thereMs: fc.integer({ min: 0, max: 4_000 }),
    backMs: fc.integer({ min: 0, max: 12_000 }),
  }),
  fc.record({ kind: fc.constant("return" as const), count: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ kind: fc.constant("pause" as const), ms: fc.integer({ min: 0, max: 9_000 }) }),
  fc.record({ kind: fc.constant("freeze" as const), ms: fc.integer({ min: 0, max: 5_000 }) }),
  fc.record({
    kind: fc.constant("handOver" as const),
    transitMs: fc.integer({ min: 0, max: 3_000 }),
    clockOrigin: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  }),
);

/** Owners of one portal, one after the other, against true time; notes when each request reached HubSpot. */
class Model {
  readonly arrivals: number[] = [];
  readonly #limit: number;
  #trueMs = 0;
  #clockOffset = 0;
  #open: { slot: RequestSlot; answeredAtMs: number }[] = [];
  #budget: RequestBudget;

  constructor(limit: number) {
    this.#limit = limit;
    this.#budget = this.#openBudget([]);
  }

  #openBudget(inheritedMs: readonly number[]): RequestBudget {
    return new RequestBudget({
      limit: this.#limit,
      windowMs: WINDOW_MS,
      now: () => this.#trueMs + this.#clockOffset,
      inheritedMs,
    });
  }

  run(step: Step): void {
    switch (step.kind) {
      case "send":
        this.#send(step);
        return;
      case "return":
        for (let taken = 0; taken < step.count; taken += 1) this.#budget.tryTake()?.giveBack();
        return;
      case "pause":
        this.#pass(step.ms);
        return;
      case "freeze":
        this.#clockOffset -= step.ms;
        this.#trueMs += step.ms;
        return;
      case "handOver":
        this.#handOver(step);
    }
  }

  #send({ count, thereMs, backMs }: Extract<Step, { kind: "send" }>): void {
    for (let sent = 0; sent < count; sent += 1) {
      const slot = this.#budget.tryTake();
      if (slot === undefined) return;
      this.arrivals.push(this.#trueMs + thereMs);
      this.#open.push({ slot, answeredAtMs: this.#trueMs + thereMs + backMs });
    }
  }

  /** Lets time pass, answer by answer. */
  #pass(ms: number): void {
    const untilMs = this.#trueMs + ms;
    const answered = this.#open.filter((request) => request.answeredAtMs <= untilMs);
    this.#open = this.#open.filter((request) => request.answeredAtMs > untilMs);
    answered.sort((a, b) => a.answeredAtMs - b.answeredAtMs);
    for (const { slot, answeredAtMs } of answered) {
      this.#trueMs = Math.max(this.#trueMs, answeredAtMs);
      slot.settle();
    }
    this.#trueMs = untilMs;
  }

  /** An owner waits for its requests before it lets go (worker/drain/portal-turn.ts). */
  #handOver({ transitMs, clockOrigin }: Extract<Step, { kind: "handOver" }>): void {
    const last = Math.max(this.#trueMs, ...this.#open.map(({ answeredAtMs }) => answeredAtMs));
    this.#pass(last - this.#trueMs);
    const left = this.#budget.handOver();
    this.#trueMs += transitMs;
    this.#clockOffset = clockOrigin;
    // The database keeps instants: what passed on the way is taken off (platform/queue/portal-lease.ts).
    this.#budget = this.#openBudget(left.map((ms) => ms - transitMs).filter((ms) => ms > 0));
  }
}

describe("a portal's request budget", () => {
  test("never lets more than the limit reach HubSpot in any window, whatever latencies, pauses and hand-overs do", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 110 }),
        fc.array(step, { minLength: 1, maxLength: 80 }),
        (limit, steps) => {
          const model = new Model(limit);
          steps.forEach((each) => {
            model.run(each);
          });
          expect(peakOf(model.arrivals)).toBeLessThanOrEqual(limit);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("a clock that is set back only makes it more careful", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(
          fc.record({
            stepBackMs: fc.integer({ min: 0, max: 3_000 }),
            pauseMs: fc.integer({ min: 1, max: 6_000 }),
          }),
          {
            maxLength: 40,
          },
        ),
        (limit, steps) => {
          const clock = { ms: 1_000_000 };
          const budget = new RequestBudget({ limit, windowMs: WINDOW_MS, now: () => clock.ms });
          const arrivals: number[] = [];
          let trueMs = 0;
          for (const { stepBackMs, pauseMs } of steps) {
            for (let slot = budget.tryTake(); slot !== undefined; slot = budget.tryTake()) {
              arrivals.push(trueMs);
              slot.settle();
            }
            trueMs += pauseMs;
            clock.ms += pauseMs - stepBackMs;
          }
          expect(peakOf(arrivals)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  test("gives the whole limit again once a window has passed", () => {
    const { clock, takeAll } = budgetAt({ limit: 110 });
    const first = takeAll();
    expect(first).toHaveLength(110);
    first.forEach((slot) => {
      slot.settle();
    });
    clock.ms += WINDOW_MS + 9;
    expect(takeAll()).toHaveLength(0);
    clock.ms += 1;
    expect(takeAll()).toHaveLength(110);
  });

  test("frees a slot at once that was given back, and only once", () => {
    const { budget } = budgetAt({ limit: 2 });
    const slot = budget.tryTake();
    slot?.giveBack();
    slot?.giveBack();
    slot?.settle();
    expect(budget.available()).toBe(2);
    expect(budget.sent).toBe(0);
  });

  test("settling twice counts one request", () => {
    const { budget } = budgetAt({ limit: 2 });
    const slot = budget.tryTake();
    slot?.settle();
    slot?.settle();
    slot?.giveBack();
    expect([budget.available(), budget.sent]).toEqual([1, 1]);
  });

  test("tells how long to wait for a slot: never while all are in flight, then until the oldest leaves", () => {
    const { clock, budget, takeAll } = budgetAt({ limit: 2 });
    const [first, second] = takeAll();
    expect(budget.msUntilAvailable()).toBe(Number.POSITIVE_INFINITY);
    first?.settle();
    clock.ms += 4_000;
    second?.settle();
    const waitMs = budget.msUntilAvailable();
    expect(budget.available()).toBe(0);
    expect(waitMs).toBeGreaterThanOrEqual(6_000);
    expect(waitMs).toBeLessThan(6_100);
    clock.ms += waitMs;
    expect([budget.available(), budget.msUntilAvailable()]).toEqual([1, 0]);
  });

  test("what is handed over and inherited leaves the window at the same instants", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    for (let sent = 0; sent < 6; sent += 1) {
      budget.tryTake()?.settle();
      clock.ms += 500;
    }
    const heir = budgetAt({ limit: 10, inheritedMs: budget.handOver() });
    for (let second = 0; second < 12; second += 1) {
      expect(heir.budget.available()).toBe(budget.available());
      clock.ms += 1_000;
      heir.clock.ms += 1_000;
    }
  });

  test("what is inherited leaves the window in its own order, whatever the order it is told in", () => {
    const { clock, budget } = budgetAt({ limit: 3, inheritedMs: [9_000, 1_000, 5_000] });
    const free = [1_000, 4_000, 4_000].map((ms) => {
      clock.ms += ms - 1;
      const before = budget.available();
      clock.ms += 1;
      return [before, budget.available()];
    });
    expect(free).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  test("hands over whole milliseconds, rounded up, so that none leaves the window early", () => {
    const { clock, budget } = budgetAt({ limit: 2 });
    budget.tryTake()?.settle();
    clock.ms += 0.25;
    expect(budget.handOver()).toEqual([WINDOW_MS + 10]);
    budget.exhaust(20_000.5);
    expect(budget.handOver()).toEqual([20_001, 20_001]);
  });

  test("hands over requests in flight as if they had just been answered", () => {
    const { budget } = budgetAt({ limit: 3 });
    budget.tryTake();
    const [left, ...others] = budget.handOver();
    expect(others).toEqual([]);
    expect(left).toBeGreaterThanOrEqual(WINDOW_MS);
  });

  test("leaves its reserve to others, at a smaller allowance too, and gives it away to nobody while it rests", () => {
    const { budget } = budgetAt({ limit: 110, reserve: 2 });
    expect(budget.available()).toBe(108);
    budget.tryTake()?.observe({ max: 100, remaining: 99 });
    expect(budget.limit).toBe(98);
    budget.exhaust(5_000);
    // The settings site counts these against all that HubSpot allows (platform/queue/site-slots.ts).
    expect(budget.handOver()).toHaveLength(100);
  });

  test("sets two requests of a usual limit apart for the site, and none of a small one", () => {
    expect([siteReserve(110), siteReserve(1_000), siteReserve(49)]).toEqual([2, 2, 0]);
    // A reserve as large as what HubSpot allows leaves one: a portal that may send nothing would never learn more.
    const { budget } = budgetAt({ limit: 110, reserve: 2, allowance: 2 });
    expect(budget.available()).toBe(1);
  });

  test("counts what is in the window, under way or answered, until it has left", () => {
    const { clock, budget } = budgetAt({ limit: 10 });
    budget.tryTake()?.settle();
    budget.tryTake();
    expect(budget.counted()).toBe(2);
    clock.ms += WINDOW_MS + 50;
    expect(budget.counted()).toBe(1);
  });

  test("rests as long as the longest wait asked for, also if a shorter one is asked for later", () => {
    const { budget } = budgetAt({ limit: 110 });
    budget.exhaust(5_000);
    budget.exhaust(1_000);
    expect(budget.msUntilAvailable()).toBe(5_000);
  });
});
