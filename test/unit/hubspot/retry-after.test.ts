import { describe, expect, test } from "@jest/globals";
import { readRetryAfterMs } from "#platform/hubspot/wire/retry-after.js";

const nowMs = Date.UTC(2026, 10, 26, 12);
const MINUTES_15 = 15 * 60_000;
const read = (header: string | null | undefined, httpStatus = 503): number | undefined =>
  readRetryAfterMs(header, { httpStatus, nowMs });

describe("Retry-After", () => {
  test.each([
    ["seconds", "30", 30_000],
    ["a fraction", "1.5", 1_500],
    ["a longer fraction", "1.25", 1_250],
    ["a number with nothing behind its point", "2.", 2_000],
    ["the first number that is an epoch in seconds", "1000000000", 0],
    ["the first number that is an epoch in milliseconds", "1000000000000", 0],
    ["nothing to wait for", "0", 0],
    ["a negative number", "-7", 0],
    ["a date", "Thu, 26 Nov 2026 12:01:00 GMT", 60_000],
    ["a date that has passed", "Thu, 26 Nov 2026 11:00:00 GMT", 0],
    ["a date a year ahead", "Fri, 31 Dec 2027 23:59:59 GMT", MINUTES_15],
    ["a day", "86400", MINUTES_15],
    ["an epoch in seconds, a minute ahead", String(nowMs / 1_000 + 60), 60_000],
    ["an epoch in milliseconds, a minute ahead", String(nowMs + 60_000), 60_000],
    ["an epoch that has passed", String(nowMs / 1_000 - 60), 0],
    ["an epoch months ahead", "1800000000", MINUTES_15],
    ["a number beyond all bounds", "999999999999999999", MINUTES_15],
    ["four hundred digits", "9".repeat(400), MINUTES_15],
    ["the header sent twice", "5, 30", 30_000],
  ])("of %s is kept to a quarter of an hour", (_what, header, waitMs) => {
    expect(read(header)).toBe(waitMs);
  });

  test.each([null, undefined, "", "soon", "NaN", "Infinity", "1e9", "0x10", "5, soon", "-", "12-25"])(
    "%j says nothing",
    (header) => {
      expect(read(header)).toBeUndefined();
    },
  );

  test("of an account that is moved may be a day", () => {
    expect(read("7200", 477)).toBe(7_200_000);
    expect(read("999999999", 477)).toBe(24 * 3_600_000);
  });
});
