import { z } from "zod";
import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import { NAME_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { ownValue } from "#platform/text/own-value.js";
import type { ExecutionKind, RequestContext } from "#domain/contract/execution.js";
import { ERROR_SENTENCES } from "#domain/contract/error-codes.js";
import { parseStorableJson } from "#platform/text/storable-json.js";
import { REPLACEMENT } from "#platform/text/storable-text.js";

/** Ids arrive as numbers or strings; kept as strings of digits, whatever their size. */
const isDigits = (given: unknown): boolean =>
  typeof given === "number"
    ? Number.isSafeInteger(given) && given >= 0
    : typeof given === "string" && /^\d{1,20}$/.test(given);
// One check each instead of a union: that costs an object for every choice that does not match.
const digits = z.custom<string | number>(isDigits).transform(String);
const value = z.custom<string | number | boolean | null>(
  (given) => given === null || ["string", "number", "boolean"].includes(typeof given),
);
const inputs = z.record(z.string(), z.unknown()).nullish();
/** PostgreSQL's integer. */
const MOST_VERSIONS = 2 ** 31 - 1;
/** Who calls: `WORKFLOWS`, or another HubSpot client (docs/hubspot.md §3.4), which defines the other members. */
const context = z.looseObject({ source: z.string().nullish() });

/** The parts of an execution request without which it cannot be answered or stored (docs/hubspot.md §3.4). */
const call = z.object({
  // Otherwise two ids that differ only in characters that cannot be stored would become one execution.
  callbackId: z
    .string()
    .min(1)
    .max(512)
    .refine((id) => !id.includes(REPLACEMENT)),
  origin: z.object({
    portalId: digits,
    actionDefinitionId: digits.optional().catch(undefined),
    actionDefinitionVersion: z.coerce
      .number()
      .int()
      .nonnegative()
      .max(MOST_VERSIONS)
      .optional()
      .catch(undefined),
  }),
  object: z
    .object({
      objectId: digits,
      objectType: z.string().nullish().catch(null),
      properties: z.record(z.string(), value).nullish().catch(null),
    })
    .nullish(),
  context: context.nullish().catch(null),
  inputFields: inputs.catch(null),
  fields: inputs.catch(null),
});

type Envelope = z.output<typeof call>;

/** A call of any of our actions. */
export type Call = Envelope & { readonly object: NonNullable<Envelope["object"]> };

/**
 * The result of reading an execution request. `unreadable`: not a call at all, 400. `contactless`: a call without a
 * contact, as from an agent, or about another record: answered with the message, and not stored, since nothing in it is
 * about a contact. `invalid`: a usable call with a wrong input; it is stored as answered, so that the settings page can
 * show it.
 */
export type ParsedCall =
  ReadableCall | { readonly kind: "unreadable" } | { readonly kind: "contactless"; readonly message: string };

export type ReadableCall = (
  | { readonly kind: "valid"; readonly execution: IncomingExecution }
  | { readonly kind: "invalid"; readonly execution: IncomingExecution; readonly message: string }
) & {
  /** True if the same call read at another time, or after a change of settings, could be answered otherwise. */
  readonly dependsOnTime?: boolean;
};

/** The largest id PostgreSQL's bigint takes; HubSpot's are 64-bit too. */
const MAX_ID = 2n ** 63n - 1n;

/** As HubSpot spells a contact's type: by name, or by id. */
const CONTACT_TYPES: readonly string[] = ["CONTACT", "0-1"];

function readEnvelope(body: Buffer): Envelope | undefined {
  let json: unknown;
  try {
    json = parseStorableJson(body.toString("utf8"));
  } catch {
    return undefined;
  }
  const parsed = call.safeParse(json);
  return parsed.success && BigInt(parsed.data.origin.portalId) <= MAX_ID ? parsed.data : undefined;
}

/** Why the call is not about a contact, in words for whoever configured the step; undefined: it is. */
function missingContact({ object }: Envelope): string | undefined {
  if (object == null) return "The action was called without a contact.";
  const type = object.objectType ?? "CONTACT";
  return CONTACT_TYPES.includes(type.toUpperCase())
    ? undefined
    : "The action was called for a record that is not a contact.";
}

/**
 * Reads the bytes of a verified execution request, and passes it on if it is a call for a contact.
 *
 * @param parse the action's own part.
 */
export function readCall<Parsed extends ParsedCall | Promise<ParsedCall>>(
  body: Buffer,
  parse: (parsed: Call) => Parsed,
): Parsed | Extract<ParsedCall, { kind: "unreadable" | "contactless" }> {
  const envelope = readEnvelope(body);
  if (envelope === undefined) return { kind: "unreadable" };
  const problem = missingContact(envelope);
  const { object } = envelope;
  if (problem !== undefined || object == null)
    return { kind: "contactless", message: `${ERROR_SENTENCES.INVALID_INPUT} ${problem ?? ""}` };
  return parse({ ...envelope, object });
}

/** An input as HubSpot sent it: from `inputFields`, otherwise from its older copy `fields`. Empty text is no value. */
export function readInput(parsed: Call, name: string): string | undefined {
  for (const source of [parsed.inputFields, parsed.fields]) {
    const given = source?.[name];
    if (typeof given === "number" || typeof given === "boolean") return String(given);
    if (typeof given === "string" && given.trim() !== "") return given.trim();
  }
  return undefined;
}

/** The contact's properties as texts; undefined if the call carried none. */
export function readProperties(parsed: Call): Record<string, string | null> | undefined {
  const { properties } = parsed.object;
  if (properties == null) return undefined;
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, property === null ? null : String(property)]),
  );
}

/** The context that a caller other than a workflow wants back with the completion (docs/hubspot.md §3.6). */
function contextToReturn({ context }: Call): RequestContext | undefined {
  const source = context?.source;
  return source == null || source === "WORKFLOWS" ? undefined : { ...context, source };
}

function workflowOf({ context }: Call): string | undefined {
  const id = context?.["workflowId"];
  return isDigits(id) ? String(id) : undefined;
}

/** HubSpot's number of the action, if the call names it in a form that we know. */
function definitionOf({ origin }: Call): Pick<IncomingExecution, "definition"> {
  const { actionDefinitionId: id, actionDefinitionVersion: version } = origin;
  return id === undefined || version === undefined ? {} : { definition: { id, version } };
}

const IDENTITY = ["email", ...NAME_PROPERTIES] as const;

/** Who the contact is, as people know it: the settings site calls it so, whichever action was called. */
function identityOf(parsed: Call): Record<string, string> | undefined {
  const { properties } = parsed.object;
  if (properties == null) return undefined;
  const identity: Record<string, string> = {};
  for (const name of IDENTITY) {
    const value = ownValue(properties, name);
    if (value !== undefined && value !== null) identity[name] = String(value);
  }
  return Object.keys(identity).length === 0 ? undefined : identity;
}

/**
 * What is stored about every call; the action adds its own part.
 *
 * @param properties of the contact, as far as they are stored; by default what people know the contact by
 */
export function toIncoming(
  parsed: Call,
  kind: ExecutionKind,
  properties: Record<string, string | null> | undefined = identityOf(parsed),
): IncomingExecution {
  const requestContext = contextToReturn(parsed);
  return {
    portalId: BigInt(parsed.origin.portalId),
    kind,
    callbackId: parsed.callbackId,
    contactId: parsed.object.objectId,
    workflowId: workflowOf(parsed),
    sequenceId: undefined,
    ...definitionOf(parsed),
    request: {
      ...(requestContext === undefined ? {} : { requestContext }),
      ...(properties === undefined ? {} : { properties }),
    },
  };
}

/** A call that is answered at once because of a wrong input; `problem` is in the words of the workflow editor. */
export function toInvalid(
  execution: IncomingExecution,
  problem: string,
): Extract<ReadableCall, { kind: "invalid" }> {
  const message = `${ERROR_SENTENCES.INVALID_INPUT} ${problem}`;
  const answer = {
    execution_state: "FAIL_CONTINUE",
    enrollment_status: execution.kind === "ENROLL" ? "FAILED" : null,
    error_code: "INVALID_INPUT",
    error_message: message,
  };
  return { kind: "invalid", execution: { ...execution, answer }, message };
}
