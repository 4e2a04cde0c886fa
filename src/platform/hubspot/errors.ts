import { AppError } from "../../errors.js";

/** Any failure of HubSpot, or of the way to it. */
export abstract class HubSpotError extends AppError {
  override readonly status: number = 502;
}

/**
 * HubSpot did not answer, or answered with an outage (5xx, 423, 477, 52x; docs/hubspot.md §6). A write may or may not have
 * happened: read before sending it again.
 */
export class HubSpotUnavailable extends HubSpotError {
  override readonly code: string = "HUBSPOT_UNAVAILABLE";
  override readonly retryable = true;
  /** How long HubSpot asked us to wait, in ms; undefined if it did not say. */
  readonly retryAfterMs: number | undefined;
  /** True if the request certainly never reached HubSpot (connection refused, name not found). */
  readonly wasNotSent: boolean;

  constructor(
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined; wasNotSent?: boolean } = {},
  ) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
    this.wasNotSent = options.wasNotSent ?? false;
  }
}

/** We did not ask: of what an account allows, the site and the API may use a part, and that is used up for now. */
export class TooManyQuestions extends HubSpotUnavailable {
  override readonly code = "TOO_MANY_QUESTIONS";

  constructor() {
    super("too many questions at once", { wasNotSent: true });
  }
}

/**
 * An answer in another form than HubSpot's. After a write it is ambiguous; after a read nothing is known about the
 * record.
 */
export class HubSpotAnsweredOddly extends HubSpotUnavailable {}

/** The request was sent, and its answer did not arrive in time. */
export class HubSpotTimedOut extends HubSpotUnavailable {
  constructor(timeoutMs: number) {
    super(`HubSpot did not answer within ${Math.round(timeoutMs / 1_000)} s`);
  }
}

/**
 * A refusal that is not HubSpot's own: an HTML page, or another form than its answers have. It may come from a proxy in
 * between.
 */
export class HubSpotAnsweredWithPage extends HubSpotUnavailable {
  readonly httpStatus: number;

  constructor(message: string, options: { httpStatus: number; retryAfterMs: number | undefined }) {
    super(message, options);
    this.httpStatus = options.httpStatus;
  }
}

/**
 * HubSpot was not asked, because the portal's circuit opened while the request waited for its turn. It says nothing new
 * about HubSpot, and does not count as a failure of the execution, which continues once the circuit closes.
 */
export class PortalSpared extends HubSpotUnavailable {
  override readonly code = "PORTAL_SPARED";

  constructor() {
    super("HubSpot does not answer for this account at the moment", { wasNotSent: true });
  }
}

/** 429: the request was refused before it did anything, so nothing is ambiguous. `policyName` as in docs/hubspot.md §6. */
export class HubSpotThrottled extends HubSpotUnavailable {
  override readonly code = "HUBSPOT_THROTTLED";
  readonly policyName: string;

  constructor(message: string, options: { policyName: string; retryAfterMs?: number | undefined }) {
    super(message, { retryAfterMs: options.retryAfterMs, wasNotSent: true });
    this.policyName = options.policyName;
  }
}

/**
 * No token for a reason of our own: our storage failed, or another process is refreshing it. HubSpot was not asked, so
 * this says nothing about HubSpot.
 */
export class TokenNotAtHand extends HubSpotUnavailable {
  override readonly code = "TOKEN_NOT_AT_HAND";

  constructor(message: string, options: { cause: unknown }) {
    super(message, { ...options, wasNotSent: true });
  }
}

/** HubSpot understood and refused (4xx). The error envelope of docs/hubspot.md §5.6, every part optional there. */
export class HubSpotRejected extends HubSpotError {
  override readonly code = "HUBSPOT_REJECTED";
  readonly httpStatus: number;
  readonly category: string | undefined;
  /** Error names in the answer, wherever they were. */
  readonly codes: readonly string[];
  readonly hubspotMessage: string;
  /** Messages of the individual errors below the main message. */
  readonly details: readonly string[];

  constructor(answer: {
    httpStatus: number;
    message: string;
    category?: string | undefined;
    codes?: readonly string[];
    details?: readonly string[];
  }) {
    const { category = "", codes = [], details = [] } = answer;
    super(`HubSpot refused with ${answer.httpStatus} ${category} ${codes[0] ?? ""}: ${answer.message}`);
    this.httpStatus = answer.httpStatus;
    this.category = answer.category;
    this.codes = codes;
    this.hubspotMessage = answer.message;
    this.details = details;
  }
}

/** The portal's grant is dead (uninstalled, revoked): stop calling and mark the portal disconnected (docs/hubspot.md §2.6). */
export class GrantRevoked extends HubSpotError {
  override readonly code = "GRANT_REVOKED";
}

/**
 * A fault of our own setup, which waiting does not fix: HubSpot does not accept the app's credentials, or a grant does
 * not open. Alert the operator, never disconnect portals (docs/hubspot.md §2.6).
 */
export class AppMisconfigured extends HubSpotError {
  override readonly code = "APP_MISCONFIGURED";

  /** What the operator has to fix: the code of the underlying fault (a missing sealing key), or its own code. */
  get reason(): string {
    return this.cause instanceof AppError ? this.cause.code : this.code;
  }
}

/** Timed out, locked, too early. */
const PASSING: readonly number[] = [408, 423, 425];
/** Beyond it HTTP defines no refusal but 451. */
const LAST_REFUSAL = 431;

/**
 * 423 locked, 477 region migration, and every 5xx are passing (docs/hubspot.md §6). A status below 400 that is not a
 * success is not a refusal. Nor is one that HTTP does not define: what stands in front of HubSpot gives it (499, 460) when it
 * has lost sight of the request.
 */
export function isPassingStatus(httpStatus: number): boolean {
  const isRefusal = httpStatus >= 400 && (httpStatus <= LAST_REFUSAL || httpStatus === 451);
  return !isRefusal || PASSING.includes(httpStatus);
}

/** How long HubSpot asked to be left alone, in ms; 0 if it did not say. */
export function askedWaitMs(fault: unknown): number {
  return fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
}
