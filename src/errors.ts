/**
 * Base of every fault this app raises on purpose. Expected outcomes are values; a fault is something the caller could
 * not have asked about first: a lost database, a HubSpot outage, a revoked grant.
 *
 * `code` is stable and may be shown; `message` is for the log and may not. Nothing secret may sit on an enumerable field.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** HTTP status to answer with when the fault reaches a route. */
  readonly status: number = 500;
  /** Whether the same call may succeed later without anyone changing anything. */
  readonly retryable: boolean = false;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}
