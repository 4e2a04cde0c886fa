import { AppError } from "../../errors.js";

/** Anything HubSpot, or the way to it, did not do. */
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
  /** How long HubSpot asked us to wait, in ms; undefined where it did not say. */
  readonly retryAfterMs: number | undefined;
  /** True where the request certainly never reached HubSpot (connection refused, name not found). */
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

/**
 * An answer of another shape than HubSpot's. After a write it is ambiguous, and after a read nothing is known of what was
 * asked about; of anything else it says nothing.
 */
export class HubSpotAnsweredOddly extends HubSpotUnavailable {}

/** The request left, and its answer was not in by the time it had. */
export class HubSpotTimedOut extends HubSpotUnavailable {
  constructor(timeoutMs: number) {
    super(`HubSpot did not answer within ${Math.round(timeoutMs / 1_000)} s`);
  }
}

/** A refusal that is not HubSpot's own: a page, or another form than its answers have. It may come from what is in between. */
export class HubSpotAnsweredWithPage extends HubSpotUnavailable {
  readonly httpStatus: number;

  constructor(message: string, options: { httpStatus: number; retryAfterMs: number | undefined }) {
    super(message, options);
    this.httpStatus = options.httpStatus;
  }
}

/**
 * HubSpot was not asked, because the portal's circuit opened while the request waited for its turn. Says nothing new about
 * HubSpot, and is nothing that happened to the execution: it goes on once the circuit closes.
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
 * No token for a reason of our own: our storage failed, or another process is at refreshing it. HubSpot was not asked, so
 * this says nothing about it.
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
  /** Names of errors that the answer carries, wherever they stood. */
  readonly codes: readonly string[];
  readonly hubspotMessage: string;
  /** Sentences of single errors below the message. */
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
 * A fault of our own set-up, which waiting does not mend: HubSpot does not accept the app's credentials, or a grant does
 * not open. Tell the operator, never disconnect portals (docs/hubspot.md §2.6).
 */
export class AppMisconfigured extends HubSpotError {
  override readonly code = "APP_MISCONFIGURED";

  /** What the operator has to set right: the code of the fault behind it (a sealing key that is missing), or its own. */
  get reason(): string {
    return this.cause instanceof AppError ? this.cause.code : this.code;
  }
}
