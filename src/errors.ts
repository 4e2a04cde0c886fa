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
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean = false;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/**
 * The database is gone, going or hung: connection refused or cut, pool exhausted, SQLSTATE classes 08 (connection), 40
 * (rolled back for the sake of others), 53 (disk or memory full), 57 (stopped, cancelled) and 58 (system), and 25006
 * (read-only).
 */
const STORAGE_CODE = /^(08...|40...|53...|57...|58...|25006|ECONNREFUSED|ECONNRESET|EPIPE|P1001|P1017)$/;
const STORAGE_MESSAGE = /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

/** Whether what was thrown is the database's trouble: nobody's doing, and over by itself or not at all. */
export function isStorageDown(fault: unknown): fault is Error {
  if (typeof fault !== "object" || fault === null) return false;
  const { code, message } = fault as { code?: unknown; message?: unknown };
  return (
    (typeof code === "string" && STORAGE_CODE.test(code)) ||
    (typeof message === "string" && STORAGE_MESSAGE.test(message))
  );
}
