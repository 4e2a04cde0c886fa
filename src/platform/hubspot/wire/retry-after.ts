/** An account that is moved to another region may say up to a day (docs/hubspot.md §6). */
const MIGRATING = 477;
const LONGEST_MIGRATION_MS = 24 * 3_600_000;
/** Longer waits are not believed: a wrong clock, a wrong unit or an epoch would park an account for years. */
export const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/** From this size, a number is not a duration but a point in time, as some proxies send it: in seconds, then in ms. */
const EPOCH_SECONDS_FROM = 1e9;
const EPOCH_MS_FROM = 1e12;

function fromNumber(value: number, nowMs: number): number {
  if (value >= EPOCH_MS_FROM && value < EPOCH_MS_FROM * 100) return value - nowMs;
  if (value >= EPOCH_SECONDS_FROM && value < EPOCH_SECONDS_FROM * 100) return value * 1_000 - nowMs;
  return value * 1_000;
}

/** Ms from now, of any size; undefined if it says nothing. A repeated header arrives as a list: the longest counts. */
function parse(header: string, nowMs: number): number | undefined {
  const parts = header.split(",").map((part) => part.trim());
  if (parts.every((part) => /^[+-]?\d+(?:\.\d*)?$/.test(part)))
    return Math.max(...parts.map((part) => fromNumber(Number(part), nowMs)));
  // Without letters V8 reads dates into almost anything.
  const dateMs = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(dateMs) ? undefined : dateMs - nowMs;
}

/**
 * `Retry-After` in ms, from 0 to 15 minutes; to 24 hours for a 477. HubSpot's own API sends seconds (docs/hubspot.md
 * §6); dates and epochs are read too. Undefined if there is none, or it cannot be read.
 */
export function readRetryAfterMs(
  header: string | null | undefined,
  { httpStatus, nowMs = Date.now() }: { httpStatus: number | undefined; nowMs?: number },
): number | undefined {
  const askedMs = header == null ? undefined : parse(header, nowMs);
  if (askedMs === undefined) return undefined;
  const longestMs = httpStatus === MIGRATING ? LONGEST_MIGRATION_MS : LONGEST_RETRY_AFTER_MS;
  return Math.min(longestMs, Math.max(0, askedMs));
}
