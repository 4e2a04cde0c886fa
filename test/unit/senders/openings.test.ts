import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Openings } from "#domain/senders/windows/openings.js";
import { SendTimes, type SendSchedule } from "#domain/senders/windows/send-window.js";

const HOUR_MS = 3_600_000;
const BEGIN = Date.parse("2026-11-20T00:00:00Z");
/** Open from nine to five each day, in UTC: two spans a day, and an instant inside each. */
const scheduleOf = (changes: Partial<SendSchedule> = {}): SendSchedule => ({
  window: { days: [1, 2, 3, 4, 5, 6, 7], startMinute: 540, endMinute: 1_020 },
  away: [],
  timeZone: "utc",
  ...changes,
});
const within = (span: number): Date => new Date(BEGIN + (12 + 12 * span) * HOUR_MS);

describe("when a window opens is worked out once for each span of time", () => {
  let workOut: jest.SpiedFunction<SendTimes["stretchAt"]>;
  let openings: Openings;

  beforeEach(() => {
    workOut = jest.spyOn(SendTimes.prototype, "stretchAt");
    openings = new Openings();
  });
  afterEach(() => {
    workOut.mockRestore();
  });

  /** How often it is worked out while it is asked for spans, in this order. */
  function workedOut(spans: readonly number[], schedule: SendSchedule): number {
    workOut.mockClear();
    for (const span of spans) {
      const isOpen = span % 2 === 0;
      const opensMs = isOpen ? within(span).getTime() : BEGIN + (33 + 12 * (span - 1)) * HOUR_MS;
      expect(openings.opensAt(schedule, within(span))?.getTime()).toBe(opensMs);
    }
    return workOut.mock.calls.length;
  }

  test("in whatever order it is asked for them", () => {
    const schedule = scheduleOf();
    const order = [4, 1, 7, 0, 6, 2, 9, 3, 8, 5];
    expect(workedOut([...order, ...order.toReversed()], schedule)).toBe(10);
    expect(workedOut(order, schedule)).toBe(0);
  });

  test("from its first millisecond to its last", () => {
    const schedule = scheduleOf();
    const nine = BEGIN + 9 * HOUR_MS;
    const asked = (ms: number) => openings.opensAt(schedule, new Date(ms))?.getTime();
    expect([nine + 1, nine, nine + 8 * HOUR_MS - 1].map(asked)).toEqual([
      nine + 1,
      nine,
      nine + 8 * HOUR_MS - 1,
    ]);
    expect(workOut).toHaveBeenCalledTimes(1);
    expect([nine + 8 * HOUR_MS, nine - 1].map(asked)).toEqual([nine + 24 * HOUR_MS, nine]);
    expect(workOut).toHaveBeenCalledTimes(3);
  });

  test("for all who share a schedule, and again for another one", () => {
    expect(workedOut([0, 1], scheduleOf())).toBe(2);
    expect(workedOut([0, 1], scheduleOf())).toBe(0);
    expect(workedOut([0], scheduleOf({ away: [{ from: "2020-01-01", to: "2020-01-02" }] }))).toBe(1);
    expect(workedOut([0], scheduleOf({ timeZone: "Etc/UTC" }))).toBe(1);
  });

  test("of a thousand spans at most: then all but the last are forgotten", () => {
    const schedule = scheduleOf();
    const thousand = Array.from({ length: 1_000 }, (_, span) => span);
    expect(workedOut(thousand, schedule)).toBe(1_000);
    expect(workedOut(thousand, schedule)).toBe(0);
    expect(workedOut([1_000, 0, 1_000], schedule)).toBe(2);
  });

  test("not at all for who sends at any time", () => {
    const at = new Date(BEGIN);
    expect(openings.opensAt(scheduleOf({ window: undefined }), at)).toBe(at);
    expect(workOut).not.toHaveBeenCalled();
  });
});
