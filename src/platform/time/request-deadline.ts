import { AsyncLocalStorage } from "node:async_hooks";
import { AppError } from "../../errors.js";

/** The caller has been told by now that the request failed, so nothing may be stored. */
export class RequestOverdue extends AppError {
  override readonly code = "STORAGE_UNAVAILABLE";
  override readonly status = 503;
  override readonly retryable = true;
}

/** Until when a request's work may be committed. Its transactions ask before they commit, and report when they have. */
export class RequestDeadline {
  #isPast = false;
  #commits = 0;
  #waiting: (() => void)[] = [];

  /**
   * From now on nothing more is committed. @param then called at once, or after a commit in progress, whose result
   * cannot be known in advance.
   */
  pass(then: (wasCommitting: boolean) => void): void {
    this.#isPast = true;
    if (this.#commits === 0) then(false);
    else this.#waiting.push(() => then(true));
  }

  /** @throws RequestOverdue, for the transaction to be rolled back. */
  beginCommit(): () => void {
    if (this.#isPast) throw new RequestOverdue("the request was answered before its work could be committed");
    this.#commits += 1;
    return () => {
      this.#commits -= 1;
      if (this.#commits === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    };
  }
}

const current = new AsyncLocalStorage<RequestDeadline | undefined>();

/** Runs `work`, and whatever it starts, as part of a request with this deadline; undefined: without a deadline. */
export function withDeadline<Result>(deadline: RequestDeadline | undefined, work: () => Result): Result {
  return current.run(deadline, work);
}

/**
 * Call it right before a COMMIT, and what it returns right after.
 *
 * @throws RequestOverdue if the request this is part of has been answered by now.
 */
export function beginCommit(): () => void {
  return current.getStore()?.beginCommit() ?? (() => undefined);
}
