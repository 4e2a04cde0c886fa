/** Longer is not trusted: Close's windows are seconds long. */
const LONGEST_MS = 60_000;

/**
 * How long Close wants us to wait before the next request, in ms: by `Retry-After` in seconds, otherwise by
 * `RateLimit: limit=100, remaining=0, reset=5`. 0: not at all.
 */
export function waitMsOf(headers: Headers, status: number): number {
  const retryAfter = secondsOf(headers.get("retry-after"));
  if (status >= 400 && retryAfter !== undefined) return bounded(retryAfter);
  const parts = Object.fromEntries(
    (headers.get("ratelimit") ?? "").split(",").map((part) => part.trim().split("=", 2)),
  ) as Record<string, string | undefined>;
  const [remaining, reset] = [secondsOf(parts["remaining"]), secondsOf(parts["reset"])];
  if (status === 429) return bounded(reset ?? 1);
  return remaining === 0 ? bounded(reset ?? 1) : 0;
}

function secondsOf(text: string | null | undefined): number | undefined {
  return text != null && /^\d{1,6}(?:\.\d{1,6})?$/.test(text.trim()) ? Number(text) : undefined;
}

const bounded = (seconds: number): number => Math.min(LONGEST_MS, Math.ceil(seconds * 1_000));
