import { expect, jest, test } from "@jest/globals";
import { WatchPace } from "#worker/watch/watch-pace.js";

/** 100 requests in 10 s: ten of them, among others, are for looks; fifty if there is nothing else to do. */
const LIMIT = 100;
const AMONG_OTHERS = { limit: LIMIT, isAlone: false };
const ALONE = { limit: LIMIT, isAlone: true };

function paceAt(): { pace: WatchPace; pass: (ms: number) => void } {
  let nowMs = 5_000;
  jest.spyOn(performance, "now").mockImplementation(() => nowMs);
  return { pace: new WatchPace({ windowMs: 10_000 }), pass: (ms) => (nowMs += ms) };
}

test("a turn begins with a look, and goes on until one finds nothing more", () => {
  const { pace } = paceAt();
  expect([pace.isTime(AMONG_OTHERS), pace.isMoreLeft]).toEqual([true, true]);
  pace.polled({ isMoreLeft: false, requests: 1 });
  expect(pace.isMoreLeft).toBe(false);
});

test.each<[what: string, when: { limit: number; isAlone: boolean }, requests: number, afterMs: number]>([
  ["a tenth of the window while contacts wait to be enrolled", AMONG_OTHERS, 1, 1_000],
  ["half of it otherwise", ALONE, 1, 200],
  ["and each request of a look counts", AMONG_OTHERS, 11, 11_000],
])("looks use %s", (...row) => {
  const [, when, requests, afterMs] = row;
  const { pace, pass } = paceAt();
  pace.polled({ isMoreLeft: true, requests });
  pass(afterMs - 1);
  expect(pace.isTime(when)).toBe(false);
  pass(1);
  expect(pace.isTime(when)).toBe(true);
});

test("looks go on, slowly, if HubSpot allows next to nothing", () => {
  const { pace, pass } = paceAt();
  pace.polled({ isMoreLeft: true, requests: 1 });
  pass(10_000);
  expect(pace.isTime({ limit: 1, isAlone: false })).toBe(true);
});

test("if nothing more was due the database is asked once a second, or later if the last look cost more", () => {
  const { pace, pass } = paceAt();
  pace.polled({ isMoreLeft: false, requests: 0 });
  pass(999);
  expect(pace.isTime(ALONE)).toBe(false);
  pass(1);
  expect(pace.isTime(ALONE)).toBe(true);
  pace.polled({ isMoreLeft: false, requests: 11 });
  pass(10_999);
  expect(pace.isTime(AMONG_OTHERS)).toBe(false);
  pass(1);
  expect(pace.isTime(AMONG_OTHERS)).toBe(true);
});
