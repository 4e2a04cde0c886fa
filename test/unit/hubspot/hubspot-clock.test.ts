import { beforeEach, describe, expect, test } from "@jest/globals";
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

  test.each([null, "", "yesterday"])("an answer dated %p stands for this machine's clock", (date) => {
    for (let given = 0; given < 3; given += 1) clock.answered(date);
    expect(aheadMs()).toBe(0);
  });

  test("tells of each answer how far ahead it is", () => {
    answers(4, () => machineMs + 8_000);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThan(7_000);
    expect(offsets[1]).toBeLessThan(9_000);
  });

  test("a difference of more than two seconds is told once, and again after it was gone", () => {
    const told: number[] = [];
    const tell = tellOfDifference((ms) => void told.push(ms));
    [2_000, -2_000, 2_001, 2_100, 100, -2_001].forEach(tell);
    expect(told).toEqual([2_001, -2_001]);
  });
});
