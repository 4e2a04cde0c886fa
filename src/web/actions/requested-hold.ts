import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import { holdFor, type HoldSettings, type RequestedHold } from "#domain/contract/hold.js";
import { toInvalid, type ParsedCall } from "./call-envelope.js";
import type { GivenInputs } from "./enroll-inputs.js";

export function requestedHold(given: GivenInputs): RequestedHold | undefined {
  const untilSequenceEnds = given.if_already_enrolled === "wait";
  const notBefore = given.not_before;
  return notBefore === undefined && !untilSequenceEnds ? undefined : { notBefore, untilSequenceEnds };
}

/**
 * Adds the hold its step requests to the call. A call that needs a longer hold than the portal allows is answered at
 * once, with the setting that says so.
 */
export function withHold(
  execution: IncomingExecution,
  asked: RequestedHold,
  settings: HoldSettings,
): ParsedCall {
  const hold = holdFor(asked, settings);
  const dated = withNotBefore(execution, hold.notBefore);
  if (hold.kind === "too-long") return { ...toInvalid(dated, hold.reason), dependsOnTime: true };
  const { days, waitHours, waitMs, notBefore } = hold;
  const dueAt = waitMs > 0 && notBefore !== undefined ? { dueAt: notBefore } : {};
  const longer = waitHours === undefined ? {} : { holdDays: days, waitHours };
  return { kind: "valid", execution: { ...dated, ...dueAt, ...longer }, dependsOnTime: true };
}

function withNotBefore(execution: IncomingExecution, notBefore: Date | undefined): IncomingExecution {
  if (notBefore === undefined) return execution;
  return { ...execution, request: { ...execution.request, notBefore: notBefore.toISOString() } };
}
