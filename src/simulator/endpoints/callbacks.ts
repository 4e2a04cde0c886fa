import { invalid, refuse, NO_CONTENT, notFound, type Answer } from "../wire/answer.js";
import { isRecord, textOf, type JsonRecord } from "../wire/body.js";
import type { Completion, CompletionOutcome } from "../portal/callbacks.js";
import type { OpenQuestions } from "../world/open-questions.js";
import type { ApiCall, ApiRoute } from "./call.js";

const BASE = "/automation/actions/callbacks/2026-09";
const SCOPES = ["automation"];

/** Completing held executions (docs/hubspot.md §3.6). */
export const CALLBACK_ROUTES: readonly ApiRoute[] = [
  { method: "POST", path: `${BASE}/complete`, endpoint: "callbacks", scopes: SCOPES, answer: completeBatch },
  {
    method: "POST",
    path: `${BASE}/{callbackId}/complete`,
    endpoint: "callbacks",
    scopes: SCOPES,
    answer: completeOne,
  },
];

interface CompletionCall {
  readonly callbackId: string;
  readonly completion: Completion;
}

function completeOne(call: ApiCall): Answer {
  if (!isRecord(call.body)) return invalid("Invalid input JSON");
  const given = readCompletion(call, call.params["callbackId"], { record: call.body, batchSize: 1 });
  if (given === undefined) return invalid("outputFields.hs_execution_state must be SUCCESS or FAIL_CONTINUE");
  call.portal.callbacks.note(given.callbackId, given.completion);
  const refusal = refusalFor(call, given.callbackId);
  if (refusal !== undefined) return refusal;
  carryOut(call, given);
  return NO_CONTENT;
}

function completeBatch(call: ApiCall): Answer {
  const inputs = isRecord(call.body) ? call.body["inputs"] : undefined;
  if (!Array.isArray(inputs)) return invalid("Some required fields were not set: [inputs]");
  if (inputs.length > 100) return invalid("A batch may hold at most 100 inputs");
  const records = inputs.filter(isRecord);
  const given = records.map((record) =>
    readCompletion(call, textOf(record, "callbackId"), { record, batchSize: inputs.length }),
  );
  const readable = given.filter((one) => one !== undefined);
  if (readable.length < inputs.length)
    return invalid("An input lacks its callbackId or a valid hs_execution_state");
  for (const { callbackId, completion } of readable) call.portal.callbacks.note(callbackId, completion);
  const bad = readable.filter(({ callbackId }) => refusalFor(call, callbackId) !== undefined);
  const { badIdInBatch } = call.world.settings.openQuestions;
  if (bad.length > 0 && badIdInBatch === "refuse-all") {
    const message = `Callbacks cannot be completed: ${bad.map(({ callbackId }) => callbackId).join(", ")}`;
    const status = bad.map(({ callbackId }) => refusalFor(call, callbackId)?.status ?? 400)[0] ?? 400;
    // For a batch HubSpot cannot say that it is not found.
    return refuse(status === 404 ? 400 : status, { category: "VALIDATION_ERROR", message });
  }
  const leftOut = badIdInBatch === "leaves-one-out" && readable.length > 1 ? readable.at(-1) : undefined;
  for (const one of readable) if (!bad.includes(one) && one !== leftOut) carryOut(call, one);
  if (leftOut !== undefined) return { status: 207, body: { status: "COMPLETE", results: [], numErrors: 1 } };
  return bad.length > 0 && badIdInBatch === "multi-status" ? partlyTaken(call, bad) : NO_CONTENT;
}

/** As HubSpot's other batch endpoints answer: an error for each id that was refused, its id in the context. */
function partlyTaken(call: ApiCall, bad: readonly CompletionCall[]): Answer {
  const at = new Date(call.nowMs).toISOString();
  const errors = bad.map(({ callbackId }) => {
    const { status, body } = refusalFor(call, callbackId) ?? NO_CONTENT;
    const problem = isRecord(body) ? { category: body["category"], message: body["message"] } : {};
    return { status: String(status), ...problem, context: { callbackId: [callbackId] } };
  });
  const body = {
    status: "COMPLETE",
    results: [],
    numErrors: bad.length,
    errors,
    startedAt: at,
    completedAt: at,
  };
  return { status: 207, body };
}

function readCompletion(
  { world }: ApiCall,
  callbackId: string | undefined,
  { record, batchSize }: { record: JsonRecord; batchSize: number },
): CompletionCall | undefined {
  const outputs = record["outputFields"];
  if (callbackId === undefined || !isRecord(outputs)) return undefined;
  const state = outputs["hs_execution_state"];
  if (state !== "SUCCESS" && state !== "FAIL_CONTINUE") return undefined;
  const outputFields = Object.fromEntries(
    Object.keys(outputs).map((name) => [name, textOf(outputs, name) ?? ""]),
  );
  const hasTypedOutputs = isRecord(record["typedOutputs"]);
  const { requestContext } = record;
  const receivedAtMs = world.machineNow();
  const completion = { receivedAtMs, batchSize, outputFields, hasTypedOutputs, requestContext };
  return { callbackId, completion };
}

/** Which status each hopeless id gets is an open question (docs/hubspot.md §13.2), so the settings decide. */
function refusalFor({ world, portal, nowMs }: ApiCall, callbackId: string): Answer | undefined {
  const { unknownCallback, repeatedCallback } = world.settings.openQuestions;
  const statusFor: Record<CompletionOutcome, OpenQuestions["unknownCallback"]> = {
    accepted: 204,
    unknown: unknownCallback,
    repeated: repeatedCallback,
    expired: 404,
  };
  const outcome = portal.callbacks.judge(callbackId, nowMs);
  const status = statusFor[outcome];
  if (status === 204) return undefined;
  const message = `Callback ${callbackId} is ${outcome === "repeated" ? "already completed" : outcome}`;
  if (status === 404) return notFound(message);
  return refuse(status, { category: "VALIDATION_ERROR", message });
}

function carryOut({ portal, world, nowMs }: ApiCall, { callbackId, completion }: CompletionCall): void {
  if (portal.callbacks.judge(callbackId, nowMs) !== "accepted") return;
  portal.callbacks.accept(callbackId, completion);
  const count = portal.callbacks.get(callbackId)?.received.length ?? 1;
  world.signals.announce("completed", { portalId: portal.portalId, callbackId, count });
}
