import type { Request, RequestHandler, Response } from "express";
import type { AcceptResult } from "#domain/executions/accept/accept.js";
import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import { ERROR_SENTENCES, type ErrorCode } from "#domain/contract/error-codes.js";
import type { ActionDefinition, ExecutionKind } from "#domain/contract/execution.js";
import { HOLD_DAYS, holdDuration } from "#domain/contract/hold.js";
import { toOutputFields } from "#domain/contract/outcome.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { FirstAnswer } from "#domain/executions/accept/first-answer.js";
import type { ParsedCall, ReadableCall } from "./call-envelope.js";
import { bodyBytes } from "./read-body.js";
import { requestIdOf } from "#web/kit/request-id.js";
import { withinAnswerTime } from "./answer-time.js";

export interface AcceptCallOptions {
  accept: (execution: IncomingExecution) => Promise<AcceptResult>;
  /** Used only for repeated calls that could get another answer now than the first time. */
  readFirstAnswer: (call: IncomingExecution) => Promise<FirstAnswer | undefined>;
  /** Told of every readable call: by which number HubSpot knows the action. Returns at once and never fails. */
  onActionType: (portalId: PortalId, kind: ExecutionKind, definition: ActionDefinition) => void;
  /** Done around every call, from its verified body to its answer: for traces. */
  around?: (
    call: { readonly kind: ExecutionKind; readonly requestId: string },
    work: () => Promise<void>,
  ) => Promise<void>;
  logger: Logger;
}

/** The part that differs by action: its calls, and how their inputs are read. */
export interface Action {
  readonly kind: ExecutionKind;
  /** May look something up in our storage; a fault is answered like any other storage fault. */
  readonly parse: (body: Buffer) => ParsedCall | Promise<ParsedCall>;
}

interface PreparedAnswer {
  readonly body: string;
  readonly headers: Readonly<Record<string, string | number>>;
}

/**
 * Holds the contact until we complete the callback: longer than our own deadline, so our deadline always comes first.
 */
function prepareBlock(holdDays: number): PreparedAnswer {
  const body = JSON.stringify({
    outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: holdDuration(holdDays) },
  });
  return {
    body,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
    },
  };
}

const ORDINARY_BLOCK = prepareBlock(HOLD_DAYS);

function sendBlock(response: Response, holdDays: number): void {
  const { body, headers } = holdDays === HOLD_DAYS ? ORDINARY_BLOCK : prepareBlock(holdDays);
  response.writeHead(200, headers).end(body);
}

interface Failure {
  readonly code: ErrorCode;
  readonly message?: string;
}

/** All outputs of the action, as in a completion: a later step of the workflow may read any of them. */
function sendFailure(
  response: Response,
  { kind, sequenceId }: Pick<IncomingExecution, "kind"> & { sequenceId?: string | undefined },
  { code, message }: Failure,
): void {
  response.json({
    outputFields: toOutputFields({
      kind,
      execution_state: "FAIL_CONTINUE",
      enrollment_status: kind === "ENROLL" ? "FAILED" : null,
      error_code: code,
      error_message: message ?? ERROR_SENTENCES[code],
      sequence_id: sequenceId,
    }),
  });
}

function sendUnstored(response: Response, { kind }: Action, call: Unstored): void {
  if (call.kind === "contactless") {
    sendFailure(response, { kind }, { code: "INVALID_INPUT", message: call.message });
  } else {
    response.status(400).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
  }
}

/** A call with its result. */
interface Accepted {
  readonly execution: IncomingExecution;
  readonly result: AcceptResult;
  /** Set if the call was not to be processed, for the message. */
  readonly wrongInput: string | undefined;
  readonly holdDays: number;
}

/** What a log line can name of a call once it has been read. */
type Seen = { portalId?: PortalId; callbackId?: string };

/** Answers for calls that are not stored. */
type Unstored = Exclude<ParsedCall, ReadableCall>;

function answerTo(
  call: ReadableCall,
  first: FirstAnswer | undefined,
): Pick<Accepted, "wrongInput" | "holdDays"> {
  if (first?.kind === "answered") return { wrongInput: first.errorMessage, holdDays: HOLD_DAYS };
  if (first?.kind === "held") return { wrongInput: undefined, holdDays: first.holdDays };
  return {
    wrongInput: call.kind === "invalid" ? call.message : undefined,
    holdDays: call.execution.holdDays ?? HOLD_DAYS,
  };
}

/**
 * A route of an action: stores the call and answers BLOCK, the same for a fresh and a repeated one. Nothing here waits
 * for HubSpot; the portal's drain does the work.
 */
export function acceptCall(action: Action, options: AcceptCallOptions): RequestHandler {
  async function store(body: Buffer, seen: Seen): Promise<Accepted | Unstored> {
    const parsed = await action.parse(body);
    if (parsed.kind === "unreadable" || parsed.kind === "contactless") return parsed;
    seen.portalId = parsed.execution.portalId;
    seen.callbackId = parsed.execution.callbackId;
    const result = await options.accept(parsed.execution);
    const { portalId, definition } = parsed.execution;
    if (definition !== undefined) options.onActionType(portalId, action.kind, definition);
    const isOpen = result === "duplicate" && parsed.dependsOnTime === true;
    const first = isOpen ? await options.readFirstAnswer(parsed.execution) : undefined;
    return { execution: parsed.execution, result, ...answerTo(parsed, first) };
  }

  const handle = async (request: Request, response: Response): Promise<void> => {
    let accepted: Accepted | Unstored;
    const seen: Seen = {};
    try {
      accepted = await withinAnswerTime(store(bodyBytes(request), seen));
    } catch (error) {
      options.logger.error(
        { err: error, action: action.kind, requestId: requestIdOf(response), ...seen },
        "a call could not be stored; HubSpot will send it again",
      );
      response.status(503).json({ code: "STORAGE_UNAVAILABLE", requestId: requestIdOf(response) });
      return;
    }
    if ("kind" in accepted) {
      sendUnstored(response, action, accepted);
      return;
    }
    const { execution, result, wrongInput, holdDays } = accepted;
    if (result === "overloaded") {
      // HubSpot reads Retry-After as milliseconds (docs/hubspot.md §3.5); ten thousand is harmless read as seconds too.
      response
        .status(429)
        .set("Retry-After", "10000")
        .json({ code: "OVERLOADED", requestId: requestIdOf(response) });
    } else if (result === "not_connected") {
      sendFailure(response, execution, { code: "NOT_CONNECTED" });
    } else if (wrongInput !== undefined) {
      sendFailure(response, execution, { code: "INVALID_INPUT", message: wrongInput });
    } else {
      sendBlock(response, holdDays);
    }
  };

  const { around } = options;
  if (around === undefined) return handle;
  return (request, response) =>
    around({ kind: action.kind, requestId: requestIdOf(response) }, () => handle(request, response));
}
