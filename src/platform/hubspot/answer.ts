import { AppError } from "../../errors.js";
import { readStorableJson } from "#platform/text/storable-json.js";
import {
  AppMisconfigured,
  GrantRevoked,
  HubSpotAnsweredWithPage,
  HubSpotError,
  HubSpotRejected,
  HubSpotThrottled,
  HubSpotUnavailable,
  TokenNotAtHand,
  isPassingStatus,
} from "./errors.js";
import { readErrorBody, type ErrorBody } from "./wire/error-body.js";
import { hideSecrets } from "#platform/observability/secret-shapes.js";
import { readText } from "./read-text.js";
import type { RequestBudget, RequestSlot } from "./pace/request-budget.js";
import { readRetryAfterMs } from "./wire/retry-after.js";
import { cutText } from "#platform/text/storable-text.js";

/** The phase before a byte of the request is sent: a failure here certainly had no effect. */
const BEFORE_SENDING = new Set(["getaddrinfo", "connect"]);

/**
 * Whether a network fault came before the request was sent. The code alone does not show it: a connection in use may
 * lose its route (EHOSTUNREACH on read) long after HubSpot has the request.
 */
function wasBeforeSending(cause: unknown): boolean {
  const { code, syscall, errors } = (cause ?? {}) as { code?: unknown; syscall?: unknown; errors?: unknown };
  // A name with several addresses: each was tried.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(wasBeforeSending);
  return code === "UND_ERR_CONNECT_TIMEOUT" || (typeof syscall === "string" && BEFORE_SENDING.has(syscall));
}

/**
 * Turns a failed `fetch` into HubSpotUnavailable, and distinguishes "never sent" from "may have been received". If our
 * own side kept the request from being sent, or aborted it, that reason is the fault.
 */
export function classifyNetworkFault(fault: unknown): AppError {
  if (fault instanceof AppError) return fault;
  const cause = fault instanceof Error ? (fault.cause ?? fault) : fault;
  if (cause instanceof AppError) return cause;
  const code = (cause as { code?: unknown } | null)?.code;
  const name = typeof code === "string" ? code : "network fault";
  return new HubSpotUnavailable(`HubSpot did not answer (${name})`, {
    cause: fault,
    wasNotSent: wasBeforeSending(cause),
  });
}

/**
 * What a missing token means to the caller: the grant is gone, our own setup is broken (a sealing key removed too
 * early), or the token endpoint or our storage has a passing problem. Nothing was sent in any case.
 */
export function classifyTokenFault(fault: unknown): HubSpotError {
  if (fault instanceof HubSpotUnavailable) {
    const { message, retryAfterMs: askedMs } = fault;
    return new HubSpotUnavailable(message, { cause: fault, retryAfterMs: askedMs, wasNotSent: true });
  }
  if (fault instanceof HubSpotError) return fault;
  const code = fault instanceof AppError ? fault.code : undefined;
  if (code === "NOT_CONNECTED") return new GrantRevoked("The portal is not connected", { cause: fault });
  if (fault instanceof AppError && !fault.retryable) {
    return new AppMisconfigured(`The portal's token cannot be read (${fault.code})`, { cause: fault });
  }
  const { retryAfterMs } = (fault ?? {}) as { retryAfterMs?: unknown };
  // HubSpot's token endpoint failed for another caller, and nobody asks it for now.
  if (fault instanceof AppError && typeof retryAfterMs === "number")
    return new HubSpotUnavailable("HubSpot's OAuth service failed", {
      cause: fault,
      retryAfterMs,
      wasNotSent: true,
    });
  return new TokenNotAtHand("The portal's token could not be had", { cause: fault });
}

/** The window HubSpot counts a marketplace app's requests in (docs/hubspot.md §6). */
const WINDOW_MS = 10_000;
/** Far above any limit HubSpot publishes. Figures beyond it, or that contradict each other, are not HubSpot's. */
const HIGHEST_MAX = 10_000;

function observeRate(response: Response, slot: RequestSlot): void {
  const max = Number(response.headers.get("x-hubspot-ratelimit-max"));
  const remaining = Number(response.headers.get("x-hubspot-ratelimit-remaining"));
  // For an interval other than ours the figures say nothing about our window.
  const isOurWindow =
    Number(response.headers.get("x-hubspot-ratelimit-interval-milliseconds") ?? WINDOW_MS) === WINDOW_MS;
  const isGiven =
    response.headers.has("x-hubspot-ratelimit-max") && response.headers.has("x-hubspot-ratelimit-remaining");
  const isWhole = Number.isInteger(max) && Number.isInteger(remaining);
  const isSane = isWhole && max > 0 && max <= HIGHEST_MAX && remaining >= 0 && remaining <= max;
  if (isOurWindow && isGiven && isSane) slot.observe({ max, remaining });
}

async function readBody(response: Response): Promise<string> {
  try {
    return await readText(response);
  } catch (error) {
    throw classifyNetworkFault(error);
  }
}

const LONGEST_BUDGET_WAIT_MS = 30_000;

/** A daily limit is tried again after this; when HubSpot resets it is not published (docs/hubspot.md §5.5). */
const DAILY_LIMIT_MS = 3_600_000;

/** A locked record needs at least this long before the next try (docs/hubspot.md §6). */
const LOCKED_MS = 2_000;

const NO_REASON = "no reason given";
/** Maximum length of HubSpot's message, in characters. */
const LONGEST_WORDS = 500;
/** Of a longer message so much is looked at: a secret across the cut is recognized by its beginning. */
const LONGEST_READ = 4 * LONGEST_WORDS;
const HIDDEN = "[redacted]";

/**
 * Words that an admin may read. Whatever stands between us and HubSpot may repeat a request in its error, credentials and
 * all.
 */
function readable(words: string): string {
  return cutText(hideSecrets(cutText(words, LONGEST_READ)), LONGEST_WORDS);
}

/**
 * The message an admin reads as HubSpot's. HTML pages from a proxy and JSON without a sentence are not readable: then
 * the error name has to do.
 */
function wordsOf(
  { message, details, codes }: ErrorBody,
  { text, body }: { text: string; body: unknown },
): string {
  const words = message ?? details[0] ?? codes[0];
  if (words !== undefined) return words;
  const isReadable = text !== "" && !text.trimStart().startsWith("<") && typeof body !== "object";
  return isReadable ? text : NO_REASON;
}

/**
 * Whether a refusal is HubSpot's own: those are JSON objects (docs/hubspot.md §5.6), or lists of such that name an
 * error. HTML pages come from a proxy in front of it and say nothing about the request. For a 401 a new token decides,
 * and an empty 404 is one way to say "none".
 */
function isHubSpotsWord(httpStatus: number, { text, body }: { text: string; body: unknown }): boolean {
  if (httpStatus === 401 || (httpStatus === 404 && text === "")) return true;
  if (Array.isArray(body)) return saysSomething(readErrorBody(body));
  return typeof body === "object" && body !== null;
}

function saysSomething({ message, category, codes, details }: ErrorBody): boolean {
  return message !== undefined || category !== undefined || codes.length > 0 || details.length > 0;
}

/** A success status whose body is only an error. */
function isErrorAllTheSame(body: unknown): boolean {
  if (typeof body !== "object" || body === null || !("status" in body)) return false;
  const { status } = body;
  const isError = typeof status === "string" && status.toLowerCase() === "error";
  return isError && !("results" in body) && !("id" in body) && saysSomething(readErrorBody(body));
}

/** Error names that mean the same as a status, by status. */
const NAMES_OF_STATUSES: readonly (readonly [RegExp, number])[] = [
  [/^(?:INVALID|EXPIRED)_AUTHENTICATION$/i, 401],
  [/^(?:OBJECT|RESOURCE)_NOT_FOUND$/i, 404],
  [/^(?:INTERNAL(?:_SERVER)?_ERROR|SERVICE_UNAVAILABLE|GATEWAY_TIMEOUT)$/i, 503],
];
const NAMES_A_LIMIT = /^(?:RATE_?LIMITS?|TOO_MANY_REQUESTS)$/i;

/** The status an error means: a rate limit is one under any name except an outage's, and a success is not an error. */
function meantStatus(httpStatus: number, { policyName, category = "", codes }: ErrorBody): number {
  if (httpStatus >= 500) return httpStatus;
  const isNamed = (pattern: RegExp): boolean => [category, ...codes].some((name) => pattern.test(name));
  if (policyName !== undefined || isNamed(NAMES_A_LIMIT)) return 429;
  if (httpStatus >= 300) return httpStatus;
  return NAMES_OF_STATUSES.find(([pattern]) => isNamed(pattern))?.[1] ?? 400;
}

/** Which of HubSpot's limits was reached: by name, otherwise by its message. */
function policyOf({ policyName, message = "" }: ErrorBody): string {
  const told = policyName ?? /\byour (daily|secondly|ten_secondly_rolling) limit/i.exec(message)?.[1];
  return told?.toUpperCase() ?? "TEN_SECONDLY_ROLLING";
}

/** How long a throttled portal rests when HubSpot names no time: by policy, as HubSpot's own client does (docs/hubspot.md §6). */
function throttledMs(policyName: string): number {
  if (policyName === "DAILY") return DAILY_LIMIT_MS;
  return policyName === "SECONDLY" ? 1_000 : 10_000;
}

/**
 * Reads an answer: the parsed body of a success, otherwise a typed fault, also for a success status with an error body.
 * Rate headers go to the request's slot. No fault repeats `token`, with which the request was made.
 *
 * @throws HubSpotThrottled on 429 and on whatever else names a rate limit, HubSpotUnavailable on outages and on
 *   whatever is not in HubSpot's own form, HubSpotRejected on other 4xx.
 */
export async function classifyAnswer(
  response: Response,
  { budget, slot, token }: { budget: RequestBudget; slot: RequestSlot; token: string },
): Promise<unknown> {
  observeRate(response, slot);
  const text = await readBody(response);
  if (response.ok) {
    if (text === "") return undefined;
    const body = readStorableJson(text);
    // A success we cannot read may still have written something: ambiguous, not refused.
    if (body === undefined)
      throw new HubSpotUnavailable(`HubSpot answered ${response.status} with an unreadable body`);
    if (!isErrorAllTheSame(body)) return body;
  }
  throw faultOf(response, text.replaceAll(token, HIDDEN), budget);
}

/** What an error means; if it is a limit, the portal pauses. */
function faultOf({ status, headers }: Response, text: string, budget: RequestBudget): HubSpotError {
  const body = readStorableJson(text);
  const error = readErrorBody(body);
  const message = readable(wordsOf(error, { text, body }));
  const httpStatus = meantStatus(status, error);
  const askedMs = readRetryAfterMs(headers.get("retry-after"), { httpStatus });
  if (httpStatus === 429) {
    const policyName = policyOf(error);
    const waitMs = askedMs ?? throttledMs(policyName);
    // A long wait is up to the circuit: a turn must not hold the portal for an hour.
    budget.exhaust(Math.min(waitMs, LONGEST_BUDGET_WAIT_MS));
    return new HubSpotThrottled(message, { policyName, retryAfterMs: waitMs });
  }
  const problem = `HubSpot answered ${status}: ${message}`;
  if (isPassingStatus(httpStatus)) {
    const waitMs = askedMs ?? (httpStatus === 423 ? LOCKED_MS : undefined);
    return new HubSpotUnavailable(problem, { retryAfterMs: waitMs });
  }
  if (!isHubSpotsWord(httpStatus, { text, body }))
    return new HubSpotAnsweredWithPage(problem, { httpStatus, retryAfterMs: askedMs });
  return new HubSpotRejected({
    httpStatus,
    message,
    category: error.category,
    codes: error.codes.map(readable),
    details: error.details.map(readable),
  });
}
