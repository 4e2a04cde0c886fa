/** Noon in New York. */
export const SATURDAY_MS = Date.parse("2026-11-28T17:00:00Z");
