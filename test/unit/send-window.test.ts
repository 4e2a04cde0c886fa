import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { opensAt, type SendSchedule } from "../../src/policy/send-window.js";

const NEW_YORK = "America/New_York";
const WEEK = [1, 2, 3, 4, 5, 6, 7];

function schedule(changes: Partial<SendSchedule> = {}): SendSchedule {
  return {
    window: { days: [1, 2, 3, 4, 5], startMinute: 9 * 60, endMinute: 17 * 60 },
    away: [],
    timeZone: NEW_YORK,
    ...changes,
  };
}

const opening = (of: SendSchedule, at: string): string | undefined =>
  opensAt(of, new Date(at))?.toISOString();

describe("a send window", () => {
  test("without one a sender sends at any time", () => {
    expect(opening(schedule({ window: undefined }), "2026-11-21T03:00:00Z")).toBe("2026-11-21T03:00:00.000Z");
  });

  test("is open from its first minute until before its last, in the sender's zone", () => {
    expect(opening(schedule(), "2026-11-20T13:59:59Z")).toBe("2026-11-20T14:00:00.000Z");
    expect(opening(schedule(), "2026-11-20T14:00:00Z")).toBe("2026-11-20T14:00:00.000Z");
    expect(opening(schedule(), "2026-11-20T21:59:59Z")).toBe("2026-11-20T21:59:59.000Z");
    // Friday evening: Monday morning.
    expect(opening(schedule(), "2026-11-20T22:00:00Z")).toBe("2026-11-23T14:00:00.000Z");
  });

  test("keeps its hours by the wall clock over a change of clocks", () => {
    expect(opening(schedule(), "2026-10-30T22:00:00Z")).toBe("2026-11-02T14:00:00.000Z");
    expect(opening(schedule(), "2026-03-06T23:00:00Z")).toBe("2026-03-09T13:00:00.000Z");
    // 2:30 does not exist on 8 March: the window opens as the gap ends.
    const night = schedule({ window: { days: WEEK, startMinute: 150, endMinute: 240 } });
    expect(opening(night, "2026-03-08T06:00:00Z")).toBe("2026-03-08T07:30:00.000Z");
  });

  test("may last over midnight; its second part belongs to the day it began on", () => {
    const night = schedule({
      window: { days: [5], startMinute: 22 * 60, endMinute: 2 * 60 },
      timeZone: "utc",
    });
    expect(opening(night, "2026-11-20T21:00:00Z")).toBe("2026-11-20T22:00:00.000Z");
    expect(opening(night, "2026-11-21T01:59:00Z")).toBe("2026-11-21T01:59:00.000Z");
    expect(opening(night, "2026-11-21T02:00:00Z")).toBe("2026-11-27T22:00:00.000Z");
  });

  test("is closed while the sender is away, first and last day included", () => {
    const away = [{ from: "2026-11-20", to: "2026-11-23" }];
    expect(opening(schedule({ away }), "2026-11-20T15:00:00Z")).toBe("2026-11-24T14:00:00.000Z");
  });

  test("that never opens says so", () => {
    expect(
      opening(schedule({ away: [{ from: "2000-01-01", to: "9999-12-31" }] }), "2026-11-20T15:00:00Z"),
    ).toBe(undefined);
  });

  test("whatever it is: the opening found is open, and nothing before it is", () => {
    const minutes = fc.integer({ min: 0, max: 1_439 });
    fc.assert(
      fc.property(
        fc.record({
          window: fc.record({
            days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
            startMinute: minutes,
            endMinute: fc.integer({ min: 1, max: 1_440 }),
          }),
          timeZone: fc.constantFrom(NEW_YORK, "Europe/Berlin", "Asia/Kolkata", "utc"),
          at: fc.date({ min: new Date("2026-01-01"), max: new Date("2027-12-31"), noInvalidDate: true }),
          share: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        }),
        ({ window, timeZone, at, share }) => {
          const of = schedule({ window, timeZone });
          const opens = opensAt(of, at);
          if (opens === undefined) return;
          expect(opensAt(of, opens)?.getTime()).toBe(opens.getTime());
          const between = new Date(at.getTime() + Math.floor((opens.getTime() - at.getTime()) * share));
          if (opens > at) expect(opensAt(of, between)?.getTime()).toBe(opens.getTime());
        },
      ),
      { numRuns: 300 },
    );
  });
});
