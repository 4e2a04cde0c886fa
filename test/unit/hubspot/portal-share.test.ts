import { expect, test } from "@jest/globals";
import { PortalShare } from "#platform/hubspot/pace/portal-share.js";

/** A share of this many at most, and the clock it goes by. */
function shareAt(most = 64): {
  share: PortalShare;
  pass: (ms: number) => void;
  answers: (count: number) => void;
} {
  let nowMs = 1_000_000;
  const share = new PortalShare({ most, now: () => nowMs });
  return {
    share,
    pass: (ms) => (nowMs += ms),
    answers: (count) => {
      for (let answer = 0; answer < count; answer += 1) share.heard();
    },
  };
}

test("each round of answers doubles what may be under way, up to the most", () => {
  const { share, answers } = shareAt();
  const sizes = [share.size(true)];
  for (let round = 0; round < 3; round += 1) {
    answers(share.size(true));
    sizes.push(share.size(true));
  }
  expect(sizes).toEqual([4, 8, 16, 32]);
});

test("it is never more than the most, also before the portal is heard of", () => {
  expect(shareAt(4).share.size(true)).toBe(4);
  const { share, answers } = shareAt(2);
  expect(share.size(true)).toBe(2);
  answers(3);
  expect(share.size(true)).toBe(2);
});

test("a portal that falls silent for two seconds is trusted with little until it answers, and then as before", () => {
  const { share, answers, pass } = shareAt();
  answers(60);
  pass(1_999);
  expect(share.size(false)).toBe(64);
  pass(1);
  expect([share.size(true), share.size(false)]).toEqual([4, 1]);
  answers(1);
  expect(share.size(false)).toBe(64);
});

test("what was learned of a portal is forgotten when it has not been heard of for long", () => {
  const { share, answers, pass } = shareAt();
  answers(60);
  pass(15_000);
  answers(1);
  expect(share.size(true)).toBe(64);
  pass(15_001);
  answers(1);
  expect(share.size(true)).toBe(5);
});

test("after a timeout it begins again from one, however long ago that was", () => {
  const { share, answers, pass } = shareAt();
  answers(60);
  share.timedOut();
  expect(share.size(true)).toBe(1);
  pass(3_600_000);
  expect(share.size(true)).toBe(1);
  answers(1);
  expect(share.size(true)).toBe(2);
});
