import { describe, expect, test } from "@jest/globals";
import { Settings } from "luxon";
import { isPointInTime, pointInTime } from "#domain/contract/point-in-time.js";

const at = (text: string, zone: string | null) => pointInTime(text, zone).toISOString();

describe("“not before”, in milliseconds", () => {
  const date = String(Date.UTC(2027, 0, 31));

  test.each([
    ["America/New_York", "2027-01-31T05:00:00.000Z"],
    ["Asia/Tokyo", "2027-01-30T15:00:00.000Z"],
    ["UTC", "2027-01-31T00:00:00.000Z"],
    [null, "2027-01-31T00:00:00.000Z"],
    ["No/Such_Zone", "2027-01-31T00:00:00.000Z"],
  ])("a HubSpot date begins with that day in the portal's zone, here %s", (zone, instant) => {
    expect(at(date, zone)).toBe(instant);
    expect(at("2027-01-31", zone)).toBe(instant);
  });

  test("is the same on a machine in another zone", () => {
    Settings.defaultZone = "America/New_York";
    try {
      expect(at(date, "Asia/Tokyo")).toBe("2027-01-30T15:00:00.000Z");
      expect(at(date, "No/Such_Zone")).toBe("2027-01-31T00:00:00.000Z");
      expect(at("2027-01-31T09:30", "No/Such_Zone")).toBe("2027-01-31T09:30:00.000Z");
    } finally {
      Settings.defaultZone = "system";
    }
  });

  test("a time of day is that instant, wherever the portal is", () => {
    const text = String(Date.UTC(2027, 0, 31, 9, 30));
    expect(at(text, "America/New_York")).toBe("2027-01-31T09:30:00.000Z");
  });
});

test.each([
  "2027-01-31",
  "2027-01-31T09:30",
  "2027-01-31T09:30:00Z",
  "2027-01-31T09:30+01:00",
  "1801353600000",
  "123456789",
  "99999999999999",
])("%s names a point in time", (text) => {
  expect(isPointInTime(text)).toBe(true);
});

test.each([
  "",
  "2027",
  "2027-01",
  "2027-W05",
  "2027-02-30",
  "2027-01-31 09:30",
  "2027-01-31Tnoon",
  "12345678",
  "999999999999999",
  "1801353600000x",
  "x1801353600000",
  "+002027-01-31",
  "2027-01-31x",
  "31.1.2027",
])("“%s” names none", (text) => {
  expect(isPointInTime(text)).toBe(false);
});
