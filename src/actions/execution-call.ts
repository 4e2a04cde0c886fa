import { z } from "zod";
import type { IncomingExecution } from "../executions/accept.js";
import { IF_ALREADY_ENROLLED, SENDER_MODES, type EnrollInput } from "../executions/enroll-contract.js";
import { ERROR_SENTENCES } from "../executions/error-codes.js";
import { parseStorableJson, REPLACEMENT } from "../storable-json.js";

/** Ids arrive as numbers or strings; kept as strings of digits, whatever their size. */
const digits = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().nonnegative()]).transform(String);
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const inputs = z.record(z.string(), z.unknown()).nullish();

/** The parts of an execution request without which it cannot be answered or stored (dossier §3.4). */
const call = z.object({
  // Two ids that differ only in what cannot be stored would become one execution.
  callbackId: z
    .string()
    .min(1)
    .max(512)
    .refine((id) => !id.includes(REPLACEMENT)),
  origin: z.object({ portalId: digits }),
  object: z.object({
    objectId: digits,
    properties: z.record(z.string(), value).nullish().catch(null),
  }),
  context: z.object({ workflowId: digits.nullish() }).nullish().catch(null),
  inputFields: inputs.catch(null),
  fields: inputs.catch(null),
});

type Call = z.output<typeof call>;

/** The largest id PostgreSQL's bigint takes; HubSpot's are 64-bit too. */
const MAX_ID = 2n ** 63n - 1n;

/**
 * What an execution request turned out to be. `unreadable`: not a call at all, 400. `invalid`: a usable call with a
 * wrong input; it is stored as answered, so that the settings page can tell of it.
 */
export type ParsedCall =
  | { readonly kind: "valid"; readonly execution: IncomingExecution }
  | { readonly kind: "invalid"; readonly execution: IncomingExecution; readonly message: string }
  | { readonly kind: "unreadable" };

/** An input as HubSpot sent it: from `inputFields`, else from its older copy `fields`. Empty text is no value. */
function readInput(parsed: Call, name: EnrollInput): string | undefined {
  for (const source of [parsed.inputFields, parsed.fields]) {
    const given = source?.[name];
    if (typeof given === "number" || typeof given === "boolean") return String(given);
    if (typeof given === "string" && given.trim() !== "") return given.trim();
  }
  return undefined;
}

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
  const properties = parsed.object.properties;
  const senderMode = oneOf(SENDER_MODES, given.sender_mode);
  return {
    portalId: BigInt(parsed.origin.portalId),
    kind: "ENROLL",
    callbackId: parsed.callbackId,
    contactId: parsed.object.objectId,
    workflowId: parsed.context?.workflowId ?? undefined,
    sequenceId: given.sequence_id?.slice(0, 64),
    request: {
      ...(senderMode === undefined ? {} : { senderMode }),
      ...(given.sender_user_id === undefined ? {} : { senderUserId: given.sender_user_id.slice(0, 64) }),
      ...(given.sender_alias === undefined ? {} : { senderAlias: given.sender_alias.slice(0, 320) }),
      ifAlreadyEnrolled: oneOf(IF_ALREADY_ENROLLED, given.if_already_enrolled) ?? "skip",
      ...(properties == null
        ? {}
        : {
            properties: Object.fromEntries(
              Object.entries(properties).map(([name, property]) => [
                name,
                property === null ? null : String(property),
              ]),
            ),
          }),
    },
  };
}

/** Reads the bytes of a verified execution request. Unknown inputs are ignored; values may come as text or numbers. */
export function parseExecutionCall(body: Buffer): ParsedCall {
  let json: unknown;
  try {
    json = parseStorableJson(body.toString("utf8"));
  } catch {
    return { kind: "unreadable" };
  }
  const parsed = call.safeParse(json);
  if (!parsed.success || BigInt(parsed.data.origin.portalId) > MAX_ID) return { kind: "unreadable" };
  const given: Record<EnrollInput, string | undefined> = {
    sequence_id: readInput(parsed.data, "sequence_id"),
    sender_mode: readInput(parsed.data, "sender_mode"),
    sender_user_id: readInput(parsed.data, "sender_user_id"),
    rotation_id: readInput(parsed.data, "rotation_id"),
    sender_alias: readInput(parsed.data, "sender_alias"),
    preset_id: readInput(parsed.data, "preset_id"),
    if_already_enrolled: readInput(parsed.data, "if_already_enrolled"),
    cooldown_days: readInput(parsed.data, "cooldown_days"),
    not_before: readInput(parsed.data, "not_before"),
  };
  const execution = toExecution(parsed.data, given);
  const problem = findProblem(given);
  if (problem === undefined) return { kind: "valid", execution };
  const message = `${ERROR_SENTENCES.INVALID_INPUT} ${problem}`;
  const answer = {
    execution_state: "FAIL_CONTINUE",
    enrollment_status: "FAILED",
    error_code: "INVALID_INPUT",
    error_message: message,
  };
  return { kind: "invalid", execution: { ...execution, answer }, message };
}
