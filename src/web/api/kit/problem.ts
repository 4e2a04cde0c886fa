import { AppError } from "../../../errors.js";
import { ERROR_CODES, sentenceOf, type ErrorCode } from "#domain/contract/error-codes.js";

/** Codes of the API itself, each with the status it usually comes with and what it means. */
export const API_PROBLEMS = {
  UNAUTHENTICATED: [401, "The request has no API key, or one that is unknown, revoked or expired."],
  FORBIDDEN: [403, "The API key does not have the scope that this request needs."],
  NOT_FOUND: [404, "Not found. Check the address."],
  INVALID_REQUEST: [400, "The request is not understood. Each of its problems is named."],
  UNSUPPORTED_MEDIA_TYPE: [415, "The body is of a type that is not read here."],
  PAYLOAD_TOO_LARGE: [413, "The body is larger than may be sent at once."],
  IDEMPOTENCY_KEY_REUSED: [422, "This Idempotency-Key came with another request before."],
  IDEMPOTENCY_KEY_IN_USE: [409, "The first request with this Idempotency-Key is still under way."],
  CONFLICT: [409, "The state of what the request is about does not allow it."],
  NOT_SUPPORTED: [409, "The account has not set this up."],
  RATE_LIMITED: [429, "More requests than may be sent in this time. Wait as long as Retry-After says."],
  UNAVAILABLE: [503, "The service could not answer. Nothing was done; send the request again later."],
} as const satisfies Record<string, readonly [status: number, meaning: string]>;

/** A stable code of a refusal: one of the API's, or why a contact is not enrolled. */
export type ProblemCode = keyof typeof API_PROBLEMS | ErrorCode;

export const PROBLEM_CODES: readonly ProblemCode[] = [
  ...(Object.keys(API_PROBLEMS) as (keyof typeof API_PROBLEMS)[]),
  ...ERROR_CODES,
];

/** What is wrong in one place of a body (`pointer`, RFC 6901) or with one parameter. */
export interface FieldProblem {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

/** A request that is answered with a problem (RFC 9457): an expected outcome of an endpoint. */
export interface RefusedRequest {
  readonly kind: "refusal";
  readonly status: number;
  readonly code: ProblemCode;
  /** A sentence about this occurrence. */
  readonly detail: string;
  readonly errors?: readonly FieldProblem[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * Refuses a call.
 *
 * @param given.status by default the one that the code usually has: 422 for the reasons why a contact is not enrolled
 * @param given.detail by default what the code means
 */
export function refusal(
  code: ProblemCode,
  given: Partial<Pick<RefusedRequest, "status" | "detail" | "errors" | "headers">> = {},
): RefusedRequest {
  const { status = usualStatus(code), detail = meaningOf(code), errors, headers } = given;
  return { kind: "refusal", status, code, detail, errors, headers };
}

function isApiCode(code: string): code is keyof typeof API_PROBLEMS {
  return Object.hasOwn(API_PROBLEMS, code);
}

/** The status a code usually comes with. */
export function usualStatus(code: ProblemCode): number {
  if (isApiCode(code)) return API_PROBLEMS[code][0];
  return code === "NOT_CONNECTED" ? 409 : 422;
}

/** What a code means, whatever the occurrence. */
export function meaningOf(code: ProblemCode): string {
  return isApiCode(code) ? API_PROBLEMS[code][1] : (sentenceOf(code) ?? code);
}

/** The code as words: `NOT_FOUND` is “Not found”. */
export function titleOf(code: ProblemCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A refusal on its way to the answer, past whatever is between: a transaction is rolled back by it. */
export class RefusedCall extends AppError {
  override readonly code: ProblemCode;
  override readonly status: number;
  readonly refusal: RefusedRequest;

  constructor(refused: RefusedRequest) {
    super(`the call was refused: ${refused.code}`);
    this.code = refused.code;
    this.status = refused.status;
    this.refusal = refused;
  }
}
