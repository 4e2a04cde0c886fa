/**
 * Moments until which something may still be done (a deadline, the end of a hold), on this process's monotonic clock.
 *
 * The database says how much time is left when the row is read; from then on the monotonic clock counts. This machine's
 * wall clock plays no part: even days off, it neither fails a contact early nor keeps one past its time.
 */

/** SQL: the milliseconds left until the column's instant, by the database's clock; below zero if it has passed. */
export function sqlTimeLeftMs(column: string): string {
  return `(extract(epoch FROM ${column} - now()) * 1000)::float8`;
}

/** The moment that is `leftMs` milliseconds away. */
export function momentIn(leftMs: number): number {
  return performance.now() + leftMs;
}

/** Milliseconds left until the moment; zero or less: it has passed. */
export function timeLeftMs(moment: number): number {
  return moment - performance.now();
}

/** Whether the moment is over. */
export function hasPassed(moment: number): boolean {
  return timeLeftMs(moment) <= 0;
}
