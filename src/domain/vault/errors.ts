import { AppError } from "../../errors.js";

/** The portal has no grant: never installed, uninstalled, or revoked. Only an admin's install can change that. */
export class NotConnected extends AppError {
  override readonly code = "NOT_CONNECTED";
  override readonly status = 409;
}

/**
 * Another process is refreshing this portal's token and has not finished in the time we wait for it. Same code as a
 * HubSpot outage, since that is what it means to the caller: no token now, try again.
 */
export class RefreshUnderWay extends AppError {
  override readonly code = "HUBSPOT_UNAVAILABLE";
  override readonly status = 503;
  override readonly retryable = true;
}

/**
 * HubSpot's token endpoint failed a moment ago, or asked for a pause; no caller and no process asks it again before
 * that is over. Same code as a HubSpot outage, since that is what it is.
 */
export class RefreshPutOff extends AppError {
  override readonly code = "HUBSPOT_UNAVAILABLE";
  override readonly status = 503;
  override readonly retryable = true;
  /** Ms from now. */
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfterMs }: { retryAfterMs: number }) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A stored token was sealed with a key that is no longer configured: an operator removed it before re-sealing. */
export class SealKeyUnknown extends AppError {
  override readonly code = "VAULT_KEY_UNKNOWN";
}

/** A stored token was altered, cut, or copied from another row. It is never used. */
export class SealBroken extends AppError {
  override readonly code = "VAULT_SEAL_BROKEN";
}

/** A key that stored texts are sealed with is missing, or has other bytes: their accounts' calls could not be worked on. */
export class KeysDoNotOpen extends AppError {
  override readonly code = "VAULT_KEYS_DO_NOT_OPEN";
}
