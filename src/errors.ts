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
 * (read-only); of Prisma's: no connection, or a transaction that took too long and was rolled back.
 */
const STORAGE_CODE =
  /^(08...|40...|53...|57...|58...|25006|25P03|55P03|ECONNREFUSED|ECONNRESET|EPIPE|P1001|P1017|P2024|P2028)$/;
const STORAGE_MESSAGE = /connection terminated|timeout exceeded when trying to connect|query read timeout/i;

/** Whether what was thrown is the database's trouble: nobody's doing, and over by itself or not at all. */
export function isStorageDown(fault: unknown): fault is Error {
  if (!isObject(fault)) return false;
  const { code, message } = fault as { code?: unknown; message?: unknown };
  return (
    [code, driverCodeOf(fault)].some((name) => typeof name === "string" && STORAGE_CODE.test(name)) ||
    (typeof message === "string" && STORAGE_MESSAGE.test(message))
  );
}

/**
 * What the server said of a query that went through Prisma: under a code of Prisma's in `meta`, or bare where Prisma has
 * none. No other `cause` is looked at: a call to HubSpot is refused a connection by the same names.
 */
function driverCodeOf(fault: Fields): unknown {
  const wrapped = isObject(fault["meta"]) ? fault["meta"]["driverAdapterError"] : fault;
  if (!isObject(wrapped) || wrapped["name"] !== "DriverAdapterError" || !isObject(wrapped["cause"]))
    return undefined;
  return wrapped["cause"]["originalCode"];
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
