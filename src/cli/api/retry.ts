import { setTimeout as pause } from "node:timers/promises";

/** How long a request is tried again while the app says that it is busy. */
export const BUSY_PATIENCE_MS = 300_000;
/** How long one that finds nobody is tried again: a wrong address should be told soon. */
export const SHORT_PATIENCE_MS = 3_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/** What `Retry-After` asks for in ms, by seconds or by a date; undefined without a usable one. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The pause before a further try: twice as long each time, up to a quarter of a minute, and never two clients in step. */
export function pauseBefore(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  return whole / 2 + (random() * whole) / 2;
}

/** Waits; rejects at once with the signal's reason if it fires. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await pause(ms, undefined, { signal }).catch(() => {
    signal.throwIfAborted();
  });
}
