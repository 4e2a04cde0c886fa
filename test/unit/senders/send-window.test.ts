import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Openings } from "#domain/senders/windows/openings.js";
import { SendTimes, type SendSchedule } from "#domain/senders/windows/send-window.js";
import { plainOpensAt } from "../../support/plain-send-window.js";

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

const openings = new Openings();
const opensAt = (of: SendSchedule, at: Date): Date | undefined => openings.opensAt(of, at);
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
    expect(opening(schedule({ away }), "2026-11-23T15:00:00Z")).toBe("2026-11-24T14:00:00.000Z");
    const oneDay = [{ from: "2026-11-20", to: "2026-11-20" }];
    expect(opening(schedule({ away: oneDay }), "2026-11-20T15:00:00Z")).toBe("2026-11-23T14:00:00.000Z");
  });

  test("lasts a whole day if it ends when it begins", () => {
    const around = schedule({ window: { days: [5], startMinute: 540, endMinute: 540 }, timeZone: "utc" });
    expect(opening(around, "2026-11-21T08:59:00Z")).toBe("2026-11-21T08:59:00.000Z");
    expect(opening(around, "2026-11-21T09:00:00Z")).toBe("2026-11-27T09:00:00.000Z");
  });

  test("that ends at midnight is not open on the day after, not even if its own day is one of absence", () => {
    const late = schedule({
      window: { days: [5], startMinute: 22 * 60, endMinute: 0 },
      away: [{ from: "2026-11-20", to: "2026-11-20" }],
      timeZone: "utc",
    });
    expect(opening(late, "2026-11-20T12:00:00Z")).toBe("2026-11-27T22:00:00.000Z");
    expect(opening(late, "2026-11-27T23:30:00Z")).toBe("2026-11-27T23:30:00.000Z");
  });

  test("opens at midnight after an absence if it has no hours, and skips absences that overlap or touch", () => {
    const away = [
      { from: "2026-11-23", to: "2026-11-24" },
      { from: "2026-11-20", to: "2026-11-22" },
      { from: "2026-11-20", to: "2026-11-21" },
      { from: "2026-11-23", to: "2026-11-23" },
    ];
    expect(opening(schedule({ window: undefined, away }), "2026-11-20T15:00:00Z")).toBe(
      "2026-11-25T05:00:00.000Z",
    );
  });

  test("is not closed by an absence that ends before it begins, or by what is no date", () => {
    const away = [
      { from: "2026-11-23", to: "2026-11-19" },
      { from: "soon", to: "2026-11-30" },
      { from: "2026-11-20", to: "later" },
    ];
    expect(opening(schedule({ away }), "2026-11-20T15:00:00Z")).toBe("2026-11-20T15:00:00.000Z");
  });

  test("is looked for 400 days ahead, and no further", () => {
    const until = (to: string) =>
      opening(
        schedule({
          window: { days: WEEK, startMinute: 540, endMinute: 600 },
          away: [{ from: "2026-11-20", to }],
        }),
        "2026-11-20T15:00:00Z",
      );
    expect(until("2027-12-24")).toBe("2027-12-25T14:00:00.000Z");
    expect(until("2027-12-25")).toBeUndefined();
  });

  test("that never opens says so", () => {
    expect(
      opening(schedule({ away: [{ from: "2000-01-01", to: "9999-12-31" }] }), "2026-11-20T15:00:00Z"),
    ).toBe(undefined);
  });

  test("of any form: the opening found is open, and nothing before it is", () => {
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

  test("of two midnights a day begins at the first", () => {
    // Havana's clocks go from 1:00 back to midnight on 1 November.
    const early = schedule({
      window: { days: [7], startMinute: 0, endMinute: 60 },
      timeZone: "America/Havana",
    });
    expect(opening(early, "2026-11-01T03:00:00Z")).toBe("2026-11-01T04:00:00.000Z");
    expect(opening(early, "2026-11-01T05:30:00Z")).toBe("2026-11-01T05:30:00.000Z");
    expect(opening(early, "2026-11-01T06:00:00Z")).toBe("2026-11-08T05:00:00.000Z");
  });
});

const ZONES = [
  ...[NEW_YORK, "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Auckland"],
  ...["Europe/Berlin", "Asia/Kolkata", "utc", "Mars/Olympus"],
];
/** Where clocks of those zones change in 2026. */
const CHANGES = [
  ...["2026-03-08T07:00Z", "2026-11-01T06:00Z", "2026-04-23T22:00Z", "2026-10-29T21:00Z"],
  ...["2026-03-28T22:00Z", "2026-10-24T21:00Z", "2026-04-04T15:00Z", "2026-10-03T15:30Z"],
  ...["2026-04-04T14:00Z", "2026-09-26T14:00Z", "2026-03-29T01:00Z", "2026-10-25T01:00Z"],
].map((change) => Date.parse(change));

const DAY_MS = 86_400_000;
const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const instant = fc.oneof(
  fc.date({ min: new Date("2026-01-01"), max: new Date("2027-06-30"), noInvalidDate: true }),
  fc
    .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }))
    .map(([change, ms]) => new Date(change + ms)),
);

const absence = fc
  .tuple(
    instant,
    fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -1, max: 30 }) }, fc.constant(3_000_000)),
  )
  .map(([from, days]) => ({
    from: date(from.getTime()),
    to: days > 30 ? "9999-12-31" : date(from.getTime() + days * DAY_MS),
  }));

const anySchedule = fc.record({
  window: fc.option(
    fc.record({
      days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      startMinute: fc.integer({ min: 0, max: 1_439 }),
      endMinute: fc.integer({ min: 0, max: 1_440 }),
    }),
    { nil: undefined },
  ),
  away: fc.array(absence, { maxLength: 3 }),
  timeZone: fc.constantFrom(...ZONES),
});

describe("an opening that is kept", () => {
  test("is what walking day by day finds, for whatever schedule and whatever was asked before", () => {
    fc.assert(
      fc.property(anySchedule, fc.array(instant, { minLength: 1, maxLength: 4 }), (of, instants) => {
        const asked = new Openings();
        for (const at of instants)
          expect(asked.opensAt(of, at)?.getTime()).toBe(plainOpensAt(of, at)?.getTime());
      }),
      { numRuns: 70 },
    );
  });

  test("holds from an opening to its end, or from the end before to the next opening, or until midnight", () => {
    const [nine, five] = [Date.parse("2026-11-20T09:00:00Z"), Date.parse("2026-11-20T17:00:00Z")];
    const stretchAt = (ms: number, changes: Partial<SendSchedule> = {}) =>
      new SendTimes(schedule({ timeZone: "utc", ...changes })).stretchAt(ms);
    expect(stretchAt(nine)).toEqual({ fromMs: nine, untilMs: five, opens: "now" });
    const monday = nine + 3 * DAY_MS;
    expect(stretchAt(five)).toEqual({ fromMs: five, untilMs: monday, opens: monday });
    const away = [{ from: "2000-01-01", to: "9999-12-31" }];
    const midnight = Date.parse("2026-11-20T00:00:00Z");
    expect(stretchAt(five, { away })).toEqual({
      fromMs: midnight,
      untilMs: midnight + DAY_MS,
      opens: "never",
    });
    expect(stretchAt(five, { window: undefined })).toEqual({
      fromMs: Number.NEGATIVE_INFINITY,
      untilMs: Number.POSITIVE_INFINITY,
      opens: "now",
    });
  });

  test("holds for every moment of the stretch it is said to hold for", () => {
    fc.assert(
      fc.property(anySchedule, instant, fc.nat(), (of, at, anyMs) => {
        const { fromMs, untilMs, opens } = new SendTimes(of).stretchAt(at.getTime());
        if (!Number.isFinite(untilMs)) return;
        const within = new Date(fromMs + (anyMs % (untilMs - fromMs)));
        const expected = { now: within.getTime(), never: undefined };
        expect(plainOpensAt(of, within)?.getTime()).toBe(typeof opens === "number" ? opens : expected[opens]);
      }),
      { numRuns: 70 },
    );
  });

  test("takes 200 senders who are away to the year 9999 some milliseconds to find, and less to find again", () => {
    const schedules = Array.from({ length: 200 }, (_, index) =>
      schedule({
        away: [
          { from: "2000-01-01", to: "2026-12-31" },
          { from: `2027-01-${String((index % 28) + 1).padStart(2, "0")}`, to: "9999-12-31" },
        ],
      }),
    );
    const ask = (): number => {
      const startedAt = process.cpuUsage();
      for (const of of schedules) openings.opensAt(of, new Date("2026-11-28T12:00:00Z"));
      const { user, system } = process.cpuUsage(startedAt);
      return (user + system) / 1_000;
    };
    // Day by day they took more than a second, each time.
    expect(ask()).toBeLessThan(200);
    expect(Math.min(ask(), ask(), ask())).toBeLessThan(10);
  });
});
