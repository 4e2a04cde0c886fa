import { describe, expect, jest, test } from "@jest/globals";
import { IANAZone } from "luxon";
import { dayOfDate, LocalCalendar, weekdayOf } from "#platform/time/local-calendar.js";

const DAY_MS = 86_400_000;
const dayNumber = (date: string): number => Date.parse(date) / DAY_MS;
const iso = (ms: number): string => new Date(ms).toISOString();

describe("a zone's calendar", () => {
  const newYork = new LocalCalendar("America/New_York");

  test("knows the day of an instant by its wall clock", () => {
    expect(newYork.dayAt(Date.parse("2026-11-20T04:59:59.999Z"))).toBe(dayNumber("2026-11-19"));
    expect(newYork.dayAt(Date.parse("2026-11-20T05:00:00Z"))).toBe(dayNumber("2026-11-20"));
    expect(newYork.dayAt(Date.parse("1969-12-31T04:00:00Z"))).toBe(-2);
  });

  test("begins a day at its midnight, in whatever order days are asked for, and many times", () => {
    const days = Array.from({ length: 40 }, (_, index) => dayNumber("2026-10-15") + ((index * 17) % 40));
    for (const day of [...days, ...days]) {
      const hours = day <= dayNumber("2026-11-01") ? 4 : 5;
      expect(newYork.startOf(day)).toBe(day * DAY_MS + hours * 3_600_000);
    }
  });

  test("has a minute of the day by the clock of that day, and the day's last one is the next day's start", () => {
    const day = dayNumber("2026-11-01");
    expect(iso(newYork.minuteOf(day, 0))).toBe("2026-11-01T04:00:00.000Z");
    // 1:30 comes twice: the first counts.
    expect(iso(newYork.minuteOf(day, 90))).toBe("2026-11-01T05:30:00.000Z");
    expect(iso(newYork.minuteOf(day, 180))).toBe("2026-11-01T08:00:00.000Z");
    expect(iso(newYork.minuteOf(day, 1_439))).toBe("2026-11-02T04:59:00.000Z");
    expect(iso(newYork.minuteOf(day, 1_440))).toBe("2026-11-02T05:00:00.000Z");
    expect(newYork.minuteOf(day, 1_500)).toBe(newYork.startOf(day + 1));
  });

  test("counts a time that a change of clocks skips as that much after the gap, east of Greenwich too", () => {
    const berlin = new LocalCalendar("Europe/Berlin");
    const day = dayNumber("2026-03-29");
    expect(iso(berlin.minuteOf(day, 119))).toBe("2026-03-29T00:59:00.000Z");
    expect(iso(berlin.minuteOf(day, 150))).toBe("2026-03-29T01:30:00.000Z");
    expect(iso(berlin.minuteOf(day, 180))).toBe("2026-03-29T01:00:00.000Z");
  });

  test("looks up the start of a day once, and forgets it when it knows those of sixteen others", () => {
    const lookups = jest.spyOn(IANAZone.prototype, "offset");
    const calendar = new LocalCalendar("America/New_York");
    const countOf = (days: readonly number[]): number => {
      lookups.mockClear();
      days.forEach((day) => calendar.startOf(day));
      return lookups.mock.calls.length;
    };
    const sixteen = Array.from({ length: 16 }, (_, index) => 20_000 + index);
    try {
      expect(countOf(sixteen)).toBeGreaterThanOrEqual(16);
      expect(countOf(sixteen)).toBe(0);
      expect(countOf([20_016])).toBeGreaterThan(0);
      expect(countOf([20_016])).toBe(0);
      expect(countOf([20_000])).toBeGreaterThan(0);
    } finally {
      lookups.mockRestore();
    }
  });

  test("is UTC's if nobody knows the zone", () => {
    const unknown = new LocalCalendar("Mars/Olympus");
    expect(unknown.startOf(20_000)).toBe(20_000 * DAY_MS);
  });
});

test("days of the week count from Monday, also before 1970", () => {
  expect(["2026-11-23", "2026-11-26", "2026-11-29", "1970-01-01"].map(dayNumber).map(weekdayOf)).toEqual([
    1, 4, 7, 4,
  ]);
  expect([-1, -3, -4, -10, -11].map(weekdayOf)).toEqual([3, 1, 7, 1, 7]);
});

test("a date is a day, and any other text is none", () => {
  expect(dayOfDate("1970-01-02")).toBe(1);
  expect(dayOfDate("2026-11-26")).toBe(dayNumber("2026-11-26"));
  for (const text of ["", "soon", "2026-11-26T00:00", "x2026-11-26", "12026-11-26", "2026-1-1"])
    expect(dayOfDate(text)).toBeUndefined();
});
