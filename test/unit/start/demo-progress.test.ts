import { expect, test } from "@jest/globals";
import { limitedForSeconds } from "../../../src/bin/demo-progress.js";

/** Requests counted a second apart, the first at second 0. */
const looks = (...requests: number[]) =>
  requests.map((count, index) => ({ atMs: index * 1_000, requests: count }));

test("the demo's progress says how long HubSpot's limit holds it up, and nothing while there is room", () => {
  expect(limitedForSeconds([])).toBeUndefined();
  expect(limitedForSeconds(looks(0, 40, 80))).toBeUndefined();
  // What was sent within the second before second 1 leaves the window of ten seconds at second 11.
  expect(limitedForSeconds(looks(0, 60, 108, 108, 108))).toBe(7);
  expect(limitedForSeconds(looks(0, 108, 108, 108, 108, 108, 108, 108, 108, 108, 108, 108))).toBeUndefined();
});
