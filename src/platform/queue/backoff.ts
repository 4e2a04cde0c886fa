/**
 * Capped exponential backoff with full jitter: ms to wait after the `tries`-th failure (1-based). Jitter keeps all
 * portals from returning at once when HubSpot recovers.
 */
export function backoffMs(
  tries: number,
  options: { baseMs: number; capMs: number; random?: () => number },
): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(tries - 1, 30));
  const random = options.random ?? Math.random;
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
