import { expect, test } from "@jest/globals";
import { readPauseTerms } from "#web/settings/danger/pause-entry.js";

const FRIDAY = "2026-11-27T13:30:00Z";

test.each([
  ["", FRIDAY, null],
  ["next year", FRIDAY, null],
  ["hour", FRIDAY, "2026-11-27T14:30:00Z"],
  ["morning", FRIDAY, "2026-11-28T13:00:00Z"],
  ["monday", FRIDAY, "2026-11-30T13:00:00Z"],
  // A Monday itself, before and after 8 AM; the night in which the clocks go back.
  ["monday", "2026-11-30T11:30:00Z", "2026-12-07T13:00:00Z"],
  ["monday", "2026-11-30T14:30:00Z", "2026-12-07T13:00:00Z"],
  ["morning", "2026-10-31T22:00:00Z", "2026-11-01T13:00:00Z"],
])("a pause that ends %j, begun at %s, ends in New York at %s", (end, now, until) => {
  const form = { text: (name: string) => (name === "end" ? end : "") };
  expect(readPauseTerms(form, { now: new Date(now), timeZone: "America/New_York" })).toEqual({
    until: until === null ? null : new Date(until),
    reason: null,
  });
});

test("a reason is kept up to its longest length", () => {
  const form = { text: (name: string) => (name === "reason" ? "x".repeat(500) : "") };
  const { reason } = readPauseTerms(form, { now: new Date(FRIDAY), timeZone: null });
  expect(reason).toHaveLength(200);
});
