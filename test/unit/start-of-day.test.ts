import { describe, expect, test } from "@jest/globals";
import { startOfDay } from "../../src/extension/start-of-day.js";

describe("the day an admin calls today", () => {
  test.each([
    [
      "begins at midnight on the account's clocks",
      "2026-11-20T03:30:00Z",
      "America/New_York",
      "2026-11-19T05:00:00Z",
    ],
    ["is ahead east of Greenwich", "2026-11-20T22:30:00Z", "Asia/Tokyo", "2026-11-20T15:00:00Z"],
    [
      "begins before the clocks go forward",
      "2026-03-08T20:00:00Z",
      "America/New_York",
      "2026-03-08T05:00:00Z",
    ],
    ["begins before the clocks go back", "2026-11-01T20:00:00Z", "America/New_York", "2026-11-01T04:00:00Z"],
    ["knows zones of half an hour", "2026-11-20T18:29:59.999Z", "Asia/Kolkata", "2026-11-19T18:30:00Z"],
    ["begins now at the stroke of midnight", "2026-11-20T00:00:00Z", "UTC", "2026-11-20T00:00:00Z"],
  ])("%s", (_what, now, zone, start) => {
    expect(startOfDay(new Date(now), zone)).toEqual(new Date(start));
  });
});
