import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { IfAlreadyEnrolled, SenderMode } from "./actions/enroll-contract.js";

/**
 * States of an execution, and every legal move between them. The rows in PostgreSQL are the truth. Each statement
 * that sets the state declares its moves beside it ({@link Moves}): the compiler compares them with this table, and
 * test/integration/executions/moves.test.ts with what the statement does to executions in every state.
 *
 *   QUEUED      accepted, or to be tried again; waits for `due_at`
 *   ATTEMPTING  intent stored: the enroll request may be under way. Found by a new owner, it may or may not have been sent
 *   WATCHING    waits for the contact's sequence to end, by itself or because we unenroll it; looked at a hundred contacts a request
 *   UNCERTAIN   the last attempt ended without an answer: HubSpot is read before anything is sent again
 *   DECIDED     the outcome is known; HubSpot is owed the completion
 *   COMPLETED   HubSpot acknowledged the completion, or the outcome was the answer to the call itself; or an answer was lost
 *               and HubSpot then refused the completion: taken, or let go. Only that one is owed again if it is delivered again
 *   COMPLETION_REFUSED    HubSpot still does not hold this callback a minute after: final, unless it delivers the call again
 *   COMPLETION_ABANDONED  the completion could not be handed over before the deadline
 */
export const MOVES = {
  QUEUED: ["ATTEMPTING", "DECIDED"],
  ATTEMPTING: ["QUEUED", "UNCERTAIN", "WATCHING", "DECIDED"],
  UNCERTAIN: ["UNCERTAIN", "QUEUED", "DECIDED"],
  WATCHING: ["WATCHING", "QUEUED", "DECIDED"],
  DECIDED: ["DECIDED", "COMPLETED", "COMPLETION_REFUSED", "COMPLETION_ABANDONED"],
  COMPLETED: ["DECIDED"],
  COMPLETION_REFUSED: ["DECIDED"],
  COMPLETION_ABANDONED: [],
} as const satisfies Record<string, readonly string[]>;

export type ExecutionState = keyof typeof MOVES;

/** Moves that one statement makes: some of the table's. */
export type Moves = {
  readonly [From in ExecutionState]?: readonly (typeof MOVES)[From][number][];
};

/** States from which something is still to be done. */
export const OPEN_STATES = [
  "QUEUED",
  "ATTEMPTING",
  "UNCERTAIN",
  "WATCHING",
  "DECIDED",
] as const satisfies readonly ExecutionState[];

/** Whether the table allows the move. */
export function isLegalMove(from: ExecutionState, to: ExecutionState): boolean {
  return (MOVES[from] as readonly string[]).includes(to);
}

/** Replaces the id of a contact whose data HubSpot told us to erase. No HubSpot id looks like it. */
export const ERASED_CONTACT = "erased";

/** Stands for the id of a contact of whom the caller knew the email address alone, until the worker has found it. */
export const UNKNOWN_CONTACT = "unknown";

/** The action that was called. */
export const EXECUTION_KINDS = ["ENROLL", "CHECK_ENROLLMENT", "WAIT_FOR_SEQUENCE_END", "UNENROLL"] as const;
export type ExecutionKind = (typeof EXECUTION_KINDS)[number];

/** Who asked for an execution; stored as `source`. */
export const SOURCES = ["workflow", "agent", "api", "import", "flow", "retry"] as const;
export type Source = (typeof SOURCES)[number];

/**
 * The lanes that share a portal's budget; stored as `lane`. `workflow`: HubSpot's calls, which hold a contact, and
 * what admins try again. `call`: single calls of the API. `batch`: batches and imports.
 */
export const LANES = { workflow: 0, call: 1, batch: 2 } as const;
export type Lane = (typeof LANES)[keyof typeof LANES];

/** HubSpot's number of one of our actions, and the version of it that called. */
export interface ActionDefinition {
  readonly id: string;
  readonly version: number;
}

/** Who called if it was not a workflow: HubSpot wants this back with the completion (docs/hubspot.md §3.6). */
export interface RequestContext {
  /** `AGENTS`, `COPILOT`, `STANDALONE`, `TEST`. */
  readonly source: string;
  readonly [member: string]: unknown;
}

/** What a call of the wait action asks for, as stored with the execution. */
export interface WaitRequest {
  /** Counted from the acceptance; after it the outcome is TIMED_OUT. May be a fraction. */
  readonly maxWaitDays: number;
}

/** What a call of the enroll action asks for, as stored with the execution. */
export interface EnrollRequest {
  readonly requestContext?: RequestContext;
  readonly senderMode: SenderMode;
  readonly senderUserId?: string;
  readonly rotationId?: string;
  readonly senderAlias?: string;
  /** Decides what the step leaves out; undefined: the portal's default preset does. */
  readonly presetId?: string;
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled;
  readonly cooldownDays?: number;
  /** Not to be enrolled before; ISO 8601 with its offset. */
  readonly notBefore?: string;
  /** The same date, kept here if an admin had the contact tried before it. */
  readonly waivedNotBefore?: string;
  /** Contact properties as HubSpot sent them; undefined if it sent none. */
  readonly properties?: Readonly<Record<string, string | null>>;
  /** The span of the call (W3C's traceparent), if traces are kept: what is done for it later belongs to it. */
  readonly traceparent?: string;
  /** For a retry: the first call's properties that describe the contact's sequences (DOUBT_PROPERTIES). */
  readonly sequencesBefore?: Readonly<Record<string, string | null>>;
}

/**
 * An execution an owner has claimed. `sequenceId` and `request` are the enroll action's; other actions have neither.
 */
export interface ClaimedExecution {
  readonly id: ExecutionId;
  readonly kind: ExecutionKind;
  readonly state: "ATTEMPTING" | "UNCERTAIN";
  readonly callbackId: string;
  readonly contactId: string;
  /** As it was accepted; null: the caller gave none. */
  readonly contactEmail: string | null;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  /** From `request`, as it was found: present even if nothing else of a damaged request can be read. */
  readonly traceparent?: string | undefined;
  /** Attempts including the one this claim begins. */
  readonly attempts: number;
  /** Waits so far since it was accepted; sets the length of the next. */
  readonly retries: number;
  /** How often a worker died or threw while working on it. */
  readonly crashes: number;
  /** When the first attempt began, as a moment of this process's monotonic clock. */
  readonly firstAttemptMs: number;
  /**
   * HubSpot's time just before the first request was sent: an enrollment at or after it may be ours. Undefined if it
   * was not recorded.
   */
  readonly firstSentAt: Date | undefined;
  /**
   * HubSpot's time when we gave up waiting for the answer to the last unanswered request. Undefined: there was none, or
   * the time is not known. 1970: a retry of executions of which none was ever in doubt.
   */
  readonly doubtedAt: Date | undefined;
  /** By the database's clock. */
  readonly acceptedAt: Date;
  /** Since when it was to be attempted, or read, by the database's clock. */
  readonly dueAt: Date;
  /** From the acceptance to this claim, both by the database's clock: below zero if that was set back in between. */
  readonly ageMs: number;
  /** Since it was accepted it was postponed for more than a moment, or held up with its whole portal. */
  readonly hasWaited: boolean;
  /** When the deadline passes, as a moment of this process's monotonic clock (time-left.ts). */
  readonly deadlineMs: number;
}
