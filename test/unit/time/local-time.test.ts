import { expect, test } from "@jest/globals";
import { localDay, localTime } from "#platform/time/local-time.js";

const LATE = new Date("2026-11-25T23:30:00Z");

test("a moment is told by the zone's clock and calendar, with the zone's name", () => {
  expect(localTime(LATE, "America/Argentina/Buenos_Aires")).toBe(
    "Nov 25, 2026, 8:30 PM (America/Argentina/Buenos Aires)",
  );
  expect(localDay(LATE, "Europe/Berlin")).toBe("Nov 26, 2026");
});

test.each([null, "utc", "No/Where"])("without a known zone (%s) it is told in UTC", (zone) => {
  expect(localTime(LATE, zone)).toBe("Nov 25, 2026, 11:30 PM (UTC)");
});
