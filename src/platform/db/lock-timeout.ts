/**
 * SQLSTATE lock_not_available: a statement waited for another session's lock as long as its session may (session.ts).
 */
const LOCK_NOT_AVAILABLE = "55P03";

/** Whether a statement failed because others hold rows or tables it needs: nothing is wrong with it. */
export function isLockTimeout(fault: unknown): fault is Error {
  return fault instanceof Error && (fault as { code?: unknown }).code === LOCK_NOT_AVAILABLE;
}
