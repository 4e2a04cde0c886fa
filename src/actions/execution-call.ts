import { z } from "zod";
import type { IncomingExecution } from "../executions/accept.js";
import { ENROLL_INPUTS, type EnrollInput } from "../executions/enroll-contract.js";
import { parseStorableJson } from "../storable-json.js";
import { findInputProblem, readChoices, type GivenInputs } from "./enroll-inputs.js";
import { withWrongInput, type ReadableCall } from "./parsed-call.js";
import { askedHold } from "./requested-hold.js";

/** Ids arrive as numbers or strings; kept as strings of digits, whatever their size. */
const digits = z.union([z.string().regex(/^\d{1,20}$/), z.number().int().nonnegative()]).transform(String);
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const inputs = z.record(z.string(), z.unknown()).nullish();

/** The parts of an execution request without which it cannot be answered or stored (dossier §3.4). */
const call = z.object({
  callbackId: z.string().min(1).max(512),
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

/** An input as HubSpot sent it: from `inputFields`, else from its older copy `fields`. Empty text is no value. */
function readInput(parsed: Call, name: EnrollInput): string | undefined {
  for (const source of [parsed.inputFields, parsed.fields]) {
    const given = source?.[name];
    if (typeof given === "number" || typeof given === "boolean") return String(given);
    if (typeof given === "string" && given.trim() !== "") return given.trim();
  }
  return undefined;
}

function toExecution(parsed: Call, given: GivenInputs): IncomingExecution {
  const properties = parsed.object.properties;
  return {
    portalId: BigInt(parsed.origin.portalId),
    kind: "ENROLL",
    callbackId: parsed.callbackId,
    contactId: parsed.object.objectId,
    workflowId: parsed.context?.workflowId ?? undefined,
    sequenceId: given.sequence_id?.slice(0, 64),
    request: {
      ...readChoices(given),
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
export function parseExecutionCall(body: Buffer): ReadableCall | { readonly kind: "unreadable" } {
  let json: unknown;
  try {
    json = parseStorableJson(body.toString("utf8"));
  } catch {
    return { kind: "unreadable" };
  }
  const parsed = call.safeParse(json);
  if (!parsed.success || BigInt(parsed.data.origin.portalId) > MAX_ID) return { kind: "unreadable" };
  const given = Object.fromEntries(
    ENROLL_INPUTS.map((name) => [name, readInput(parsed.data, name)]),
  ) as GivenInputs;
  const execution = toExecution(parsed.data, given);
  const problem = findInputProblem(given);
  if (problem !== undefined) return withWrongInput(execution, problem);
  return { kind: "valid", execution, hold: askedHold(given) };
}
