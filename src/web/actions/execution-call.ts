import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import {
  ENROLL_INPUTS,
  LEFT_TO_PRESET,
  MAY_LEAVE_TO_PRESET,
  type EnrollInput,
} from "#domain/contract/actions/enroll-contract.js";
import {
  readCall,
  readInput,
  readProperties,
  toIncoming,
  toInvalid,
  type Call,
  type ParsedCall,
} from "./call-envelope.js";
import { findInputProblem, readChoices, type GivenInputs } from "./enroll-inputs.js";
import type { HoldSettings } from "#domain/contract/hold.js";
import { requestedHold, withHold } from "./requested-hold.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { cutText } from "#platform/text/storable-text.js";

function toExecution(parsed: Call, given: GivenInputs): IncomingExecution {
  const incoming = toIncoming(parsed, "ENROLL", readProperties(parsed));
  return {
    ...incoming,
    sequenceId: given.sequence_id === undefined ? undefined : cutText(given.sequence_id, 64),
    request: { ...incoming.request, ...readChoices(given) },
  };
}

export interface EnrollCallOptions {
  /** Asked only for calls whose step wants a longer hold than every call gets. */
  readHoldSettings: (portalId: PortalId) => Promise<HoldSettings>;
}

/** Reads the bytes of a verified call of the enroll action. Unknown inputs are ignored; values may come as text or numbers. */
export function parseEnrollCall(body: Buffer, options: EnrollCallOptions): ParsedCall | Promise<ParsedCall> {
  return readCall<ParsedCall | Promise<ParsedCall>>(body, (call) => parseInputs(call, options));
}

function parseInputs(call: Call, options: EnrollCallOptions): ParsedCall | Promise<ParsedCall> {
  const given = readGiven(call);
  const execution = toExecution(call, given);
  const problem = findInputProblem(given);
  if (problem !== undefined) return toInvalid(execution, problem);
  const hold = requestedHold(given);
  if (hold === undefined) return { kind: "valid", execution };
  return options.readHoldSettings(execution.portalId).then((settings) => withHold(execution, hold, settings));
}

/** What the step decides; a list whose first entry leaves it to the preset is like one that is left empty. */
function readGiven(call: Call): GivenInputs {
  const inputs: Partial<Record<EnrollInput, string>> = {};
  for (const name of ENROLL_INPUTS) {
    const given = readInput(call, name);
    const isLeft = given === LEFT_TO_PRESET && MAY_LEAVE_TO_PRESET.includes(name);
    if (given !== undefined && !isLeft) inputs[name] = given;
  }
  return inputs;
}
