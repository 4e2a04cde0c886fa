import type { RequestHandler, Response } from "express";
import type { AcceptResult, IncomingExecution } from "../executions/accept.js";
import { ERROR_SENTENCES, type ErrorCode } from "../executions/error-codes.js";
import { HOLD_DAYS, holdDuration } from "../executions/hold.js";
import type { Logger } from "../observability/logger.js";
import type { FirstAnswer } from "../executions/first-answer.js";
import { parseExecutionCall } from "./execution-call.js";
import type { ReadableCall } from "./parsed-call.js";
import { bodyBytes } from "./read-body.js";
import { withHold, type HoldSettings } from "./requested-hold.js";
import { requestIdOf } from "../http/request-id.js";

export interface EnrollActionOptions {
  accept: (execution: IncomingExecution) => Promise<AcceptResult>;
  /** Asked only for calls whose step wants a longer hold. */
  readHoldSettings: (portalId: bigint) => Promise<HoldSettings>;
  readFirstAnswer: (call: IncomingExecution) => Promise<FirstAnswer | undefined>;
  nowMs: () => number;
  logger: Logger;
}

/** Holds the contact until we complete the callback: longer than our own deadline, so we always come first. */
function block(holdDays: number): string {
  return JSON.stringify({
    outputFields: { hs_execution_state: "BLOCK", hs_expiration_duration: holdDuration(holdDays) },
  });
}

const BLOCK = block(HOLD_DAYS);
const BLOCK_HEADERS = {
  "Content-Type": "application/json; charset=utf-8",
  "Content-Length": Buffer.byteLength(BLOCK),
};

function sendFailure(response: Response, code: ErrorCode, message: string = ERROR_SENTENCES[code]): void {
  response.json({
    outputFields: {
      hs_execution_state: "FAIL_CONTINUE",
      enrollment_status: "FAILED",
      error_code: code,
      error_message: message,
    },
  });
}

/** Answers, and answers within a second, whatever the database does: HubSpot retries a 503 (dossier §3.5). */
const ACCEPT_TIMEOUT_MS = 900;

function withinTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the call was not stored within ${ACCEPT_TIMEOUT_MS} ms`));
    }, ACCEPT_TIMEOUT_MS);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

/** What is answered once the call's fate is durable. */
interface Accepted {
  readonly result: AcceptResult;
  /** Set where the call was not to be worked on, for the message. */
  readonly wrongInput: string | undefined;
  readonly holdDays: number;
}

/** Stores the call, with the hold its step asks for. A repeated one is answered as it was the first time. */
async function acceptCall(parsed: ReadableCall, options: EnrollActionOptions): Promise<Accepted> {
  let call = parsed;
  if (call.kind === "valid" && call.hold !== undefined) {
    const settings = await options.readHoldSettings(call.execution.portalId);
    call = withHold(call.execution, call.hold, { settings, now: new Date(options.nowMs()) });
  }
  const result = await options.accept(call.execution);
  const wrongInput = call.kind === "invalid" ? call.message : undefined;
  const accepted = { result, wrongInput, holdDays: call.execution.holdDays ?? HOLD_DAYS };
  const mayDiffer = parsed.kind === "valid" && parsed.hold !== undefined;
  if (result !== "duplicate" || !mayDiffer) return accepted;
  const first = await options.readFirstAnswer(call.execution);
  if (first === undefined) return accepted;
  return first.kind === "answered"
    ? { ...accepted, wrongInput: first.errorMessage }
    : { ...accepted, wrongInput: undefined, holdDays: first.holdDays };
}

/**
 * `POST /hubspot/actions/enroll`: stores the call and answers BLOCK, the same for a fresh and a repeated one. Nothing
 * here waits for HubSpot; the portal's drain does the work.
 */
export function enrollAction(options: EnrollActionOptions): RequestHandler {
  return async (request, response) => {
    const parsed = parseExecutionCall(bodyBytes(request));
    if (parsed.kind === "unreadable") {
      response.status(400).json({ code: "BODY_UNREADABLE", requestId: requestIdOf(response) });
      return;
    }
    let accepted: Accepted;
    try {
      accepted = await withinTime(acceptCall(parsed, options));
    } catch (fault) {
      options.logger.error(
        { fault, portalId: parsed.execution.portalId },
        "a call could not be stored; HubSpot will send it again",
      );
      response.status(503).json({ code: "STORAGE_UNAVAILABLE", requestId: requestIdOf(response) });
      return;
    }
    const { result, wrongInput, holdDays } = accepted;
    if (result === "overloaded") {
      // HubSpot reads Retry-After as milliseconds (dossier §3.5); ten thousand is harmless read as seconds too.
      response
        .status(429)
        .set("Retry-After", "10000")
        .json({ code: "OVERLOADED", requestId: requestIdOf(response) });
    } else if (result === "not_connected") {
      sendFailure(response, "NOT_CONNECTED");
    } else if (wrongInput !== undefined) {
      sendFailure(response, "INVALID_INPUT", wrongInput);
    } else if (holdDays !== HOLD_DAYS) {
      response.type("json").send(block(holdDays));
    } else {
      response.writeHead(200, BLOCK_HEADERS).end(BLOCK);
    }
  };
}
