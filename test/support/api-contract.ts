import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { ApiDocument, PlacedOperation } from "#web/api/docs/operations.js";
import { operationsByTag } from "#web/api/docs/operations.js";
import { exampleOf } from "#web/api/docs/schema-example.js";
import type { ApiAnswer, ApiRequestOptions } from "./api-client.js";

/** An operation of the OpenAPI document, with the scope that its key needs. */
export interface ContractOperation extends PlacedOperation {
  readonly security: readonly [{ readonly apiKey: readonly [string] }];
}

export const operationsOf = (document: ApiDocument): ContractOperation[] =>
  [...operationsByTag(document).values()].flat() as ContractOperation[];

/**
 * Compiles every schema of a document, and says what is wrong with an answer: a status, a type or a field that the
 * document does not name, or a value that does not fit.
 *
 * @throws Error if a schema is not JSON Schema 2020-12, as OpenAPI 3.1 wants it, or refers to nothing
 */
export function createContract(
  document: ApiDocument,
): (operation: ContractOperation, answer: ApiAnswer) => string[] {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  formats.default(ajv);
  ajv.addKeyword("components");
  const compile = (schema: object) =>
    ajv.compile({ ...schema, components: (document as { components?: unknown }).components } as AnySchema);
  const validators = new Map<string, ReturnType<typeof compile> | undefined>();
  for (const { operationId, parameters, requestBody, responses } of operationsOf(document)) {
    for (const { schema } of parameters) compile(schema);
    for (const { schema } of Object.values(requestBody?.content ?? {})) compile(schema ?? {});
    for (const [status, { content }] of Object.entries(responses)) {
      validators.set(`${operationId} ${status}`, undefined);
      for (const [type, { schema }] of Object.entries(content ?? {}))
        validators.set(`${operationId} ${status} ${type}`, schema && compile(closed(schema) as object));
    }
  }
  return ({ operationId }, { status, headers, text, body }) => {
    const type = headers.get("content-type")?.split(";")[0];
    const key = [operationId, status, ...(text === "" ? [] : [type])].join(" ");
    if (!validators.has(key)) return [`${key} is not documented: ${text.slice(0, 200)}`];
    const validate = validators.get(key);
    if (validate === undefined) return [];
    return valuesOf(type, { text, body }).flatMap((value) => {
      if (validate(value)) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) => `${key}: ${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    });
  };
}

/** The type and an example of the body that an operation takes; nothing if it takes none. */
export function exampleRequest({ requestBody }: ContractOperation): ApiRequestOptions {
  const [first] = Object.entries(requestBody?.content ?? {});
  if (first === undefined) return {};
  const [type, { schema = {} }] = first;
  const body = type === "application/json" ? exampleOf(schema, true) : "email\nada@lead.example\n";
  return { body, headers: { "Content-Type": type } };
}

/** Says what is wrong with the body of a message to a customer's program, by the schema of its type in a document. */
export function createMessageContract({ webhooks }: ApiDocument): (body: { type: string }) => string[] {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  formats.default(ajv);
  return (body) => {
    const schema = webhooks[body.type]?.post.requestBody.content["application/json"]?.schema;
    if (schema === undefined) return [`${body.type} is not documented`];
    const validate = ajv.compile(closed(schema) as AnySchema);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${body.type}: ${instancePath} ${message}`,
    );
  };
}

/** What the schema of a type describes: the whole body, or each of its lines. */
function valuesOf(type: string | undefined, { text, body }: Pick<ApiAnswer, "text" | "body">): unknown[] {
  if (type !== "application/x-ndjson") return [body];
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

/** The same schema with its objects closed: we promise to send no field that is not named. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const inner: Record<string, unknown> = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, closed(value)]),
  );
  const isOpen = typeof inner["properties"] === "object" && inner["additionalProperties"] === undefined;
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}
