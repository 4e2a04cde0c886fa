import { AppError } from "../../errors.js";

/** Close did not answer, or not in the form it publishes: we ask again later, and nothing is lost. */
export class CloseUnavailable extends AppError {
  override readonly code = "CLOSE_UNAVAILABLE";
  override readonly status = 502;
  override readonly retryable = true;
  /** How long Close asked us to wait; undefined if it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Close understood and refused (4xx): the key is wrong, or may not read sequences. */
export class CloseRefused extends AppError {
  override readonly code = "CLOSE_REFUSED";
  override readonly status = 502;
  readonly httpStatus: number;

  constructor(httpStatus: number) {
    super(`Close refused with ${httpStatus}`);
    this.httpStatus = httpStatus;
  }
}
