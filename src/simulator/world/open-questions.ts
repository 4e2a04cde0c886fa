import { z } from "zod";

/**
 * Answers that HubSpot's documents leave open. Each switch names what is open, the kind answer (the default, except for
 * rotated refresh tokens) and the unkind one. {@link UNKIND_WORLD} turns all of them the unkind way.
 */
export interface OpenQuestions {
  /**
   * Open: the lookup of a contact that was never in a sequence.
   * Kind: 404. Unkind: 200 with `{}`, an enrollment without a single field.
   */
  readonly neverEnrolled: 404 | 200;
  /**
   * Open: the lookup of a contact whose sequence has ended.
   * Kind: "latest", the enrollment that ended. Unkind: 404, or "empty", which is 200 with `{}`: both are also what a
   * contact gets that was never enrolled, so the lookup cannot tell whether a lost request took effect.
   */
  readonly endedEnrollment: "latest" | 404 | "empty";
  /** Open: completing a callback HubSpot does not hold. 204 lets load generators use callback ids of their own. */
  readonly unknownCallback: 404 | 400 | 409 | 410 | 422 | 204;
  /**
   * Open: completing a callback a second time.
   * Kind: 204. Unkind: 404 or 400 (404 is the default), the same answer as for a callback HubSpot never held.
   */
  readonly repeatedCallback: 404 | 400 | 409 | 410 | 422 | 204;
  /**
   * Open: a batch of completions with one bad id.
   * Kind: "take-good", 204 for the rest. Unkind: "refuse-all" (the default), 400 and none is taken; "multi-status", 207
   * with an error for each bad id, the rest is taken: a client that takes any 2xx for success loses the bad ones;
   * "leaves-one-out", 207 with the number of errors alone, for one of each batch that was not taken.
   */
  readonly badIdInBatch: "refuse-all" | "take-good" | "multi-status" | "leaves-one-out";
  /**
   * Open: how an enrollment is refused whose sequence or contact is not there.
   * Kind: "named", the default: a 404 that says which. Unkind: "bare", a 404 that does not; "invalid-id", a 400 by the id;
   * "page", a 404 that is a page of HTML.
   */
  readonly enrollNotFound: "named" | "bare" | "invalid-id" | "page";
  /**
   * Open: where in a refused enrollment's answer the name of the error stands, such as `SequenceError.UNSUBSCRIBED`.
   * Kind: "subCategory", the default. Unkind: any other; "nowhere" leaves only the words, "message-end" no other words.
   */
  readonly refusalName:
    | "subCategory"
    | "errorType"
    | "errors.subCategory"
    | "errors.errorType"
    | "errors.code"
    | "context"
    | "message"
    | "message-end"
    | "nowhere";
  /** Open: HubSpot's words for the reason. Kind: "known", the default. Unkind: "other" ones; "neutral", which tell nothing. */
  readonly refusalWords: "known" | "other" | "neutral";
  /** Open: what the envelope's other members hold. Kind: "documented", the default: left out. Unkind: any of the others. */
  readonly refusalMembers: "documented" | "null" | "object" | "number";
  /**
   * Open: whether the list of users has deactivated ones, who look like any other there.
   * Kind: "left-out", the default. Unkind: "listed".
   */
  readonly deactivatedUsers: "left-out" | "listed";
  /**
   * Open: whether a call's `context.workflowId` is the id that the flows API knows the workflow by, or its old number.
   * Kind: "flow". Unkind: "legacy", the default: the name of the workflow is found only by the mapping of the two.
   */
  readonly workflowIdOfCalls: "flow" | "legacy";
  /** Open: whether an access token outlives the uninstall of its app. Default false. */
  readonly accessTokenSurvivesUninstall: boolean;
  /**
   * Open: whether a refresh answers with a new refresh token and kills the old one. Kind: false. Unkind: true, the
   * default: an app that keeps the old token has lost the account.
   */
  readonly rotateRefreshTokens: boolean;
  /**
   * Open: what `Retry-After` holds when something in front of HubSpot writes it.
   * Kind: "sane", whole seconds on the answers that document it. Unkind: on each throttled, locked or migrating answer
   * and on each 5xx a value that is wrong; "garbled" one of {@link garbledRetryAfters}, "odd" one of
   * {@link oddRetryAfters}, of which some name a wait of months.
   */
  readonly retryAfter: "sane" | "garbled" | "odd";
}

/** Checks what is set while the simulator runs; absent members keep their value. */
export const openQuestionsSchema = z.strictObject({
  neverEnrolled: z.literal([404, 200]),
  endedEnrollment: z.literal(["latest", 404, "empty"]),
  unknownCallback: z.literal([404, 400, 409, 410, 422, 204]),
  repeatedCallback: z.literal([404, 400, 409, 410, 422, 204]),
  badIdInBatch: z.enum(["refuse-all", "take-good", "multi-status", "leaves-one-out"]),
  enrollNotFound: z.enum(["named", "bare", "invalid-id", "page"]),
  refusalName: z.enum([
    "subCategory",
    "errorType",
    "errors.subCategory",
    "errors.errorType",
    "errors.code",
    "context",
    "message",
    "message-end",
    "nowhere",
  ] as const),
  refusalWords: z.enum(["known", "other", "neutral"]),
  refusalMembers: z.enum(["documented", "null", "object", "number"]),
  deactivatedUsers: z.enum(["left-out", "listed"]),
  workflowIdOfCalls: z.enum(["flow", "legacy"]),
  accessTokenSurvivesUninstall: z.boolean(),
  rotateRefreshTokens: z.boolean(),
  retryAfter: z.enum(["sane", "garbled", "odd"]),
}) satisfies z.ZodType<OpenQuestions>;

export const DEFAULT_ANSWERS: OpenQuestions = {
  neverEnrolled: 404,
  endedEnrollment: "latest",
  unknownCallback: 404,
  repeatedCallback: 404,
  badIdInBatch: "refuse-all",
  enrollNotFound: "named",
  refusalName: "subCategory",
  refusalWords: "known",
  refusalMembers: "documented",
  deactivatedUsers: "left-out",
  workflowIdOfCalls: "legacy",
  accessTokenSurvivesUninstall: false,
  rotateRefreshTokens: true,
  retryAfter: "sane",
};

const DAY_MS = 86_400_000;

const dateOf = (ms: number): string => new Date(ms).toUTCString();

/** Values of `Retry-After` that ask for no wait to speak of: an instant in seconds, a past date, below 0, no number. */
export function garbledRetryAfters(nowMs: number): readonly string[] {
  return [String(Math.round(nowMs / 1_000) + 1), dateOf(nowMs - DAY_MS), "-5", "NaN", "", "0.5"];
}

/** The same, and two that nobody should wait for: a date a year ahead, and a number beyond any integer column. */
export function oddRetryAfters(nowMs: number): readonly string[] {
  return [...garbledRetryAfters(nowMs), dateOf(nowMs + 365 * DAY_MS), "999999999999999999"];
}
