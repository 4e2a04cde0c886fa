import { z } from "zod";
import type { IncomingExecution } from "../executions/accept.js";
import { IF_ALREADY_ENROLLED, SENDER_MODES, type EnrollInput } from "../executions/enroll-contract.js";
import {
  readCall,
  readInput,
  readProperties,
  toIncoming,
  toInvalid,
  type Call,
  type ParsedCall,
} from "./call-envelope.js";

function oneOf<T extends string>(choices: readonly T[], given: string | undefined): T | undefined {
  return choices.find((choice) => choice === given);
}

/** The first thing wrong with the inputs, in the words of the workflow editor; undefined when they are usable. */
function findProblem(given: Record<EnrollInput, string | undefined>): string | undefined {
  if (given.sequence_id === undefined) return "No sequence is chosen.";
  if (!/^\d{1,20}$/.test(given.sequence_id)) return "The sequence is not one of the list.";
  if (oneOf(SENDER_MODES, given.sender_mode) === undefined) return "“Send as” is not one of the list.";
  if (given.sender_mode === "specific_user") {
    if (given.sender_user_id === undefined) return "“A specific user” is chosen, but no user.";
    if (!/^\d{1,18}$/.test(given.sender_user_id)) return "The user to send as is not one of the list.";
  }
  if (given.sender_alias !== undefined && !z.email().safeParse(given.sender_alias).success) {
    return "The sender alias is not an e-mail address.";
  }
  if (
    given.if_already_enrolled !== undefined &&
    oneOf(IF_ALREADY_ENROLLED, given.if_already_enrolled) === undefined
  ) {
    return "“If already enrolled” is not one of the list.";
  }
  return undefined;
}

function toExecution(parsed: Call, given: Record<EnrollInput, string | undefined>): IncomingExecution {
  const incoming = toIncoming(parsed, "ENROLL");
  const properties = readProperties(parsed);
  const senderMode = oneOf(SENDER_MODES, given.sender_mode);
  return {
    ...incoming,
    sequenceId: given.sequence_id?.slice(0, 64),
    request: {
      ...incoming.request,
      ...(senderMode === undefined ? {} : { senderMode }),
      ...(given.sender_user_id === undefined ? {} : { senderUserId: given.sender_user_id.slice(0, 64) }),
      ...(given.sender_alias === undefined ? {} : { senderAlias: given.sender_alias.slice(0, 320) }),
      ifAlreadyEnrolled: oneOf(IF_ALREADY_ENROLLED, given.if_already_enrolled) ?? "skip",
      ...(properties === undefined ? {} : { properties }),
    },
  };
}

/** Reads the bytes of a verified call of the enroll action. Unknown inputs are ignored; values may come as text or numbers. */
export function parseExecutionCall(body: Buffer): ParsedCall {
  const parsed = readCall(body);
  if (parsed === undefined) return { kind: "unreadable" };
  const given: Record<EnrollInput, string | undefined> = {
    sequence_id: readInput(parsed, "sequence_id"),
    sender_mode: readInput(parsed, "sender_mode"),
    sender_user_id: readInput(parsed, "sender_user_id"),
    rotation_id: readInput(parsed, "rotation_id"),
    sender_alias: readInput(parsed, "sender_alias"),
    preset_id: readInput(parsed, "preset_id"),
    if_already_enrolled: readInput(parsed, "if_already_enrolled"),
    cooldown_days: readInput(parsed, "cooldown_days"),
    not_before: readInput(parsed, "not_before"),
  };
  const execution = toExecution(parsed, given);
  const problem = findProblem(given);
  return problem === undefined ? { kind: "valid", execution } : toInvalid(execution, problem);
}
