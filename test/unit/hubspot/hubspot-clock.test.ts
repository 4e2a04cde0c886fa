import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import { LearnedHubSpotClock, tellOfDifference } from "#platform/hubspot/hubspot-clock.js";

const HOUR_MS = 3_600_000;

describe("HubSpot's clock, learned from the dates of its answers", () => {
  let momentMs: number;
  let machineMs: number;
  let offsets: number[];
  let clock: LearnedHubSpotClock;

  beforeEach(() => {
    momentMs = 5_000;
    machineMs = Date.UTC(2026, 10, 20, 12);
    offsets = [];
    clock = new LearnedHubSpotClock({
      momentMs: () => momentMs,
      machineMs: () => machineMs,
      onOffset: (aheadMs) => void offsets.push(aheadMs),
    });
  });

  function pass(ms: number): void {
    momentMs += ms;
    machineMs += ms;
  }

  /** As HTTP writes it: whole seconds, the rest cut off. */
  function answers(count: number, hubspotMs: () => number = () => machineMs): void {
    for (let given = 0; given < count; given += 1) {
      pass(1_337);
      clock.answered(new Date(hubspotMs()).toUTCString());
    }
  }

  const aheadMs = () => (clock.at()?.getTime() ?? Number.NaN) - machineMs;

  test("is not known before three answers, so that a single wrong one decides nothing", () => {
    answers(2);
    expect(clock.at()).toBeUndefined();
    answers(1);
    expect(clock.at()).toBeInstanceOf(Date);
  });

  test.each([0, 8_000, -8_000, HOUR_MS, -HOUR_MS])(
    "is known to the second where it is %i ms ahead",
    (offset) => {
      answers(20, () => machineMs + offset);
      expect(Math.abs(aheadMs() - offset)).toBeLessThan(500);
    },
  );

  test("does not follow steps of this machine's clock", () => {
    answers(5);
    machineMs += HOUR_MS;
    pass(10_000);
    expect(Math.abs(aheadMs() + HOUR_MS)).toBeLessThan(500);
  });

  test.each([HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS])("does not heed one answer that is %i ms off", (odd) => {
    answers(2);
    answers(1, () => machineMs + odd);
    answers(2);
    expect(Math.abs(aheadMs())).toBeLessThan(1_000);
  });

  test("follows HubSpot's clock when that is set, after some answers", () => {
    answers(15);
    answers(15, () => machineMs + 60_000);
    expect(Math.abs(aheadMs() - 60_000)).toBeLessThan(500);
  });

  test.each([60_000, -60_000])(
    "keeps fifteen answers: once HubSpot's clock was set by %i ms it follows with the eighth, not before",
    (setBy) => {
      answers(40);
      answers(7, () => machineMs + setBy);
      expect(Math.abs(aheadMs())).toBeLessThan(1_000);
      answers(1, () => machineMs + setBy);
      expect(Math.abs(aheadMs() - setBy)).toBeLessThan(1_000);
    },
  );

  test("takes an answer's date for the middle of its second, so that it is neither early nor late on average", () => {
    for (let given = 0; given < 15; given += 1) {
      pass(1_100);
      clock.answered(new Date(machineMs).toUTCString());
    }
    expect(Math.abs(aheadMs())).toBeLessThanOrEqual(150);
  });

  test("of dates that differ takes the middle one, whatever their order", () => {
    for (const aheadSeconds of [30, 10, 20]) answers(1, () => machineMs + aheadSeconds * 1_000);
    expect(Math.abs(aheadMs() - 20_000)).toBeLessThan(600);
    for (const aheadSeconds of [30, 10]) answers(1, () => machineMs + aheadSeconds * 1_000);
    expect(Math.abs(aheadMs() - 20_000)).toBeLessThan(600);
  });

  test.each([
    ...[null, "", "yesterday", "0", "2026", "2026-11-20T12:00:00Z"],
    ...["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"],
    ...["Tue, 31 Dec 2024 23:59:59 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"],
    ...["Fri, 20 Nov 2026 15:00:00 GMT+0200", "x Fri, 20 Nov 2026 15:00:00 GMT"],
  ])("an answer dated %p stands for this machine's clock", (date) => {
    for (let given = 0; given < 2; given += 1) clock.answered(date);
    expect(clock.at()).toBeUndefined();
    clock.answered(date);
    expect(aheadMs()).toBe(0);
  });

  test.each(["Wed, 01 Jan 2025 00:00:00 GMT", "Thu, 31 Dec 2099 23:59:59 GMT"])(
    "an answer dated %p can be HubSpot's",
    (date) => {
      for (let given = 0; given < 3; given += 1) clock.answered(date);
      expect(clock.at()?.getTime()).toBe(Date.parse(date) + 500);
    },
  );

  test.each([null, "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"])(
    "answers dated %p change nothing once HubSpot's time is known, whatever this machine's clock shows",
    (date) => {
      answers(5, () => machineMs + 60_000);
      machineMs -= HOUR_MS;
      for (let given = 0; given < 20; given += 1) clock.answered(date);
      expect(Math.abs(aheadMs() - HOUR_MS - 60_000)).toBeLessThan(500);
    },
  );

  test("what this machine's clock stood in for gives way to the first three dates", () => {
    for (let given = 0; given < 15; given += 1) clock.answered(null);
    answers(3, () => machineMs + HOUR_MS);
    expect(Math.abs(aheadMs() - HOUR_MS)).toBeLessThan(500);
  });

  test("tells of each answer how far ahead it is", () => {
    answers(4, () => machineMs + 8_000);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThan(7_000);
    expect(offsets[1]).toBeLessThan(9_000);
  });

  test("goes by this process's clocks if it is given none", () => {
    const own = new LearnedHubSpotClock();
    for (let given = 0; given < 3; given += 1) own.answered(null);
    expect(Math.abs((own.at()?.getTime() ?? 0) - Date.now())).toBeLessThan(1_000);
    const inTenSeconds = own.at(performance.now() + 10_000)?.getTime() ?? 0;
    expect(Math.abs(inTenSeconds - Date.now() - 10_000)).toBeLessThan(1_000);
  });

  test("a difference of more than two seconds is told once, and again after it was gone", () => {
    const told: number[] = [];
    const tell = tellOfDifference((ms) => void told.push(ms));
    [2_000, -2_000, 2_001, 2_100, 100, -2_001].forEach(tell);
    expect(told).toEqual([2_001, -2_001]);
  });

  test("a difference that stays is told again after an hour", () => {
    const told: number[] = [];
    const tell = tellOfDifference((ms) => void told.push(ms));
    const startedMs = performance.now();
    const now = jest.spyOn(performance, "now");
    try {
      for (const afterMs of [0, HOUR_MS - 1, HOUR_MS, 2 * HOUR_MS - 1]) {
        now.mockReturnValue(startedMs + afterMs);
        tell(3_000 + afterMs);
      }
    } finally {
      now.mockRestore();
    }
    expect(told).toEqual([3_000, 3_000 + HOUR_MS]);
  });
});
