import { describe, expect, test } from "@jest/globals";
import { startOfToday } from "#platform/time/zoned-day.js";

describe("the day an admin calls today", () => {
  test.each([
    [
      "begins at midnight on the account's clocks",
      { now: "2026-11-20T03:30:00Z", zone: "America/New_York", start: "2026-11-19T05:00:00Z" },
    ],
    [
      "is ahead east of Greenwich",
      { now: "2026-11-20T22:30:00Z", zone: "Asia/Tokyo", start: "2026-11-20T15:00:00Z" },
    ],
    [
      "begins before the clocks go forward",
      { now: "2026-03-08T20:00:00Z", zone: "America/New_York", start: "2026-03-08T05:00:00Z" },
    ],
    [
      "begins before the clocks go back",
      { now: "2026-11-01T20:00:00Z", zone: "America/New_York", start: "2026-11-01T04:00:00Z" },
    ],
    [
      "begins before the clocks go forward, far east of Greenwich",
      { now: "2026-09-27T05:00:00Z", zone: "Pacific/Auckland", start: "2026-09-26T12:00:00Z" },
    ],
    [
      "knows zones of half an hour",
      { now: "2026-11-20T18:29:59.999Z", zone: "Asia/Kolkata", start: "2026-11-19T18:30:00Z" },
    ],
    [
      "begins now at the stroke of midnight",
      { now: "2026-11-20T00:00:00Z", zone: "UTC", start: "2026-11-20T00:00:00Z" },
    ],
  ])("%s", (_what, { now, zone, start }) => {
    expect(startOfToday(new Date(now), zone)).toEqual(new Date(start));
  });
});
