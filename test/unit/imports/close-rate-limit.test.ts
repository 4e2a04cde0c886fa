import { expect, test } from "@jest/globals";
import { waitMsOf } from "#platform/close/rate-limit.js";

const wait = (headers: Record<string, string>, status = 200) => waitMsOf(new Headers(headers), status);

test.each([
  [{ ratelimit: "limit=100, remaining=50, reset=5" }, 200, 0],
  [{ ratelimit: "limit=100, remaining=0, reset=5" }, 200, 5_000],
  [{ ratelimit: "limit=100, remaining=0, reset=0.25" }, 200, 250],
  [{}, 200, 0],
  [{ "retry-after": "2", ratelimit: "limit=1, remaining=0, reset=9" }, 429, 2_000],
  [{ ratelimit: "limit=1, remaining=0, reset=9" }, 429, 9_000],
  [{}, 429, 1_000],
  [{ "retry-after": "999999" }, 429, 60_000],
  [{ "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT" }, 429, 1_000],
  [{ ratelimit: "nonsense" }, 200, 0],
] as const)("after %j with status %i Close is left alone for %i ms", (headers, status, ms) => {
  expect(wait(headers, status)).toBe(ms);
});
