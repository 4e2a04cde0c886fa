import { expect, test } from "@jest/globals";
import {
  isTimeZone,
  knownZone,
  localDay,
  localIsoDay,
  localTime,
  zoneFormats,
} from "#platform/time/local-time.js";

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

test("a zone's formats write a moment as Americans do, with plain spaces, and its day for comparing", () => {
  const at = new Date("2026-11-06T13:04:05Z");
  const { zone, dateTime, dateTimeSeconds, date, day, time, isoDay } = zoneFormats("America/New_York");
  expect(zone).toBe("America/New York");
  expect([dateTime, dateTimeSeconds, date, day, time, isoDay].map((write) => write(at))).toEqual([
    "Nov 6, 2026, 8:04 AM",
    "Nov 6, 2026, 8:04:05 AM",
    "Nov 6, 2026",
    "Nov 6",
    "8:04 AM",
    "2026-11-06",
  ]);
  expect([null, "UTC", "Asia/Tokyo"].map((name) => localIsoDay(LATE, name))).toEqual([
    "2026-11-25",
    "2026-11-25",
    "2026-11-26",
  ]);
});

test("a zone is known by the name that this runtime has for it, and otherwise UTC", () => {
  expect(["Europe/Berlin", "utc", "No/Where", ""].map(isTimeZone)).toEqual([true, true, false, false]);
  expect(["Europe/Berlin", "No/Where", null].map(knownZone)).toEqual(["Europe/Berlin", "UTC", "UTC"]);
});
