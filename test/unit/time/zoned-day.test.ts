import { expect, test } from "@jest/globals";
import { startOfDay, weeksBetween } from "#platform/time/zoned-day.js";

const weeks = (from: string, to: string, zone: string | null) =>
  weeksBetween(new Date(from), new Date(to), zone).map(({ monday, startsAt }) => [
    monday,
    startsAt.toISOString(),
  ]);

test("weeks begin on Monday at midnight of the zone, also in the week in which its clocks change", () => {
  expect(weeks("2026-10-20T12:00:00Z", "2026-11-03T12:00:00Z", "Europe/Berlin")).toEqual([
    ["2026-10-19", "2026-10-18T22:00:00.000Z"],
    ["2026-10-26", "2026-10-25T23:00:00.000Z"],
    ["2026-11-02", "2026-11-01T23:00:00.000Z"],
  ]);
});

test("a moment is in the week of its zone's day, not of UTC's", () => {
  expect(weeks("2026-11-23T02:00:00Z", "2026-11-23T02:00:00Z", "America/New_York")).toEqual([
    ["2026-11-16", "2026-11-16T05:00:00.000Z"],
  ]);
  expect(weeks("2026-11-22T20:00:00Z", "2026-11-22T20:00:00Z", "Asia/Kathmandu")).toEqual([
    ["2026-11-23", "2026-11-22T18:15:00.000Z"],
  ]);
});

test("a zone that nobody knows is taken for UTC", () => {
  for (const zone of [null, "Mars/Base"])
    expect(weeks("2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z", zone)).toEqual([
      ["2026-11-16", "2026-11-16T00:00:00.000Z"],
      ["2026-11-23", "2026-11-23T00:00:00.000Z"],
    ]);
});

test("a day is a number of days later by the calendar, whatever the clocks do meanwhile", () => {
  const starts = [-1, 0, 1, 2].map((later) =>
    startOfDay("2026-10-31", "America/New_York", later)?.toISOString(),
  );
  expect(starts).toEqual([
    "2026-10-30T04:00:00.000Z",
    "2026-10-31T04:00:00.000Z",
    "2026-11-01T04:00:00.000Z",
    "2026-11-02T05:00:00.000Z",
  ]);
  expect(startOfDay("2026-12-31", "Asia/Kathmandu", 1)).toEqual(new Date("2026-12-31T18:15:00Z"));
});

test.each([
  "",
  "today",
  "2026-02-30",
  "2026-13-01",
  "2026-1-1",
  "x2026-01-01",
  "2026-01-01T00:00",
  "12026-01-01",
])("“%s” is no day", (day) => {
  expect(startOfDay(day, "UTC")).toBeUndefined();
});

test("a day begins at its first moment, whether the clocks skip its midnight or pass it twice", () => {
  expect(startOfDay("2026-09-06", "America/Santiago")).toEqual(new Date("2026-09-06T04:00:00Z"));
  expect(startOfDay("2026-11-01", "America/Havana")).toEqual(new Date("2026-11-01T04:00:00Z"));
  expect(startOfDay("2026-10-31", "America/Havana", 1)).toEqual(new Date("2026-11-01T04:00:00Z"));
});
