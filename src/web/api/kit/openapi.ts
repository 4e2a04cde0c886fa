import { z } from "zod";
import type { AnyEndpoint, AnswerDoc } from "./endpoint.js";
import { meaningOf, PROBLEM_CODES, usualStatus, type ProblemCode } from "./problem.js";

type Json = Readonly<Record<string, unknown>>;

/** Refusals that any endpoint may answer, whatever it does. */
const OF_EVERY_ENDPOINT: readonly ProblemCode[] = [
  "INVALID_REQUEST",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_CONNECTED",
  "RATE_LIMITED",
  "UNAVAILABLE",
];
const OF_EVERY_BODY: readonly ProblemCode[] = [
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "IDEMPOTENCY_KEY_REUSED",
  "IDEMPOTENCY_KEY_IN_USE",
];

const PROBLEM = { $ref: "#/components/schemas/Problem" };

/** A message that is posted to a customer's program. */
export interface MessageDoc {
  /** The `type` in its body. */
  readonly type: string;
  /** When it is sent. */
  readonly summary: string;
  readonly body: z.ZodType;
}

/** What the API is made of. */
export interface ApiParts {
  readonly endpoints: readonly AnyEndpoint[];
  readonly messages: readonly MessageDoc[];
  /** The app's own address. */
  readonly publicUrl: string;
}

/** The OpenAPI 3.1 document of the endpoints, from the schemas that check their requests, and of the messages. */
export function describeApi({ endpoints, messages, publicUrl }: ApiParts): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints)
    (paths[endpoint.path] ??= {})[endpoint.method] = describeEndpoint(endpoint);
  return {
    openapi: "3.1.0",
    info: {
      title: "Sequence Enroller",
      version: "1",
      description: "Enroll contacts of HubSpot in sequences.",
    },
    servers: [{ url: `${publicUrl}/api/v1` }],
    security: [{ apiKey: [] }],
    paths,
    webhooks: Object.fromEntries(
      messages.map((message) => [message.type, { post: describeMessage(message) }]),
    ),
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problemSchema() },
    },
  };
}

function describeEndpoint(endpoint: AnyEndpoint): Json {
  const { operationId, tag, summary, description, scope } = endpoint;
  return {
    operationId,
    tags: [tag],
    summary,
    security: [{ apiKey: [scope] }],
    description: [description, `Needs a key with the scope \`${scope}\`.`].filter(Boolean).join("\n\n"),
    parameters: [
      ...parameters("path", endpoint.params),
      ...parameters("query", endpoint.query),
      ...(endpoint.method === "post" ? [IDEMPOTENCY_KEY] : []),
    ],
    ...requestBody(endpoint),
    responses: { ...mapValues(endpoint.answers, describeAnswer), ...problems(endpoint) },
  };
}

const IDEMPOTENCY_KEY: Json = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "For a day the same request with the same key is answered as the first time, and does nothing more.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
};

/** Headers of the Standard Webhooks specification. */
const SIGNATURE_HEADERS: Readonly<Record<string, string>> = {
  "webhook-id": "The same for every try of one message: by it you recognize one that you had before.",
  "webhook-timestamp": "When it was sent, in seconds since 1970. Refuse messages older than five minutes.",
  "webhook-signature":
    "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; two of them, separated by a space, while the secret is being replaced.",
};

function describeMessage({ type, summary, body }: MessageDoc): Json {
  return {
    operationId: type,
    summary,
    security: [],
    parameters: Object.entries(SIGNATURE_HEADERS).map(([name, description]) => ({
      name,
      in: "header",
      required: true,
      description,
      schema: { type: "string" },
    })),
    requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } },
    responses: {
      "2XX": {
        description: "It was taken. Any other answer, or none within 15 seconds, and it is sent again.",
      },
      410: { description: "No more messages are wanted: the subscription is switched off." },
    },
  };
}

/** A schema as JSON Schema, as requests and answers are documented. */
export function schemaOf(schema: z.ZodType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

function parameters(place: "path" | "query", schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, of]) => {
    const { description, ...rest } = of;
    const isRequired = required.includes(name) || place === "path";
    return { name, in: place, required: isRequired, ...(description ? { description } : {}), schema: rest };
  });
}

function requestBody({ body, streams = {} }: AnyEndpoint): Json {
  const content = {
    ...(body && { "application/json": { schema: schemaOf(body) } }),
    ...mapValues(streams, (description) => ({ schema: { type: "string", description } })),
  };
  return Object.keys(content).length === 0 ? {} : { requestBody: { required: true, content } };
}

function describeAnswer({ description, schema, mediaType }: AnswerDoc): Json {
  if (schema !== undefined)
    return { description, content: { [mediaType ?? "application/json"]: { schema: schemaOf(schema) } } };
  return mediaType === undefined ? { description } : { description, content: { [mediaType]: {} } };
}

/** By status, each with the codes it may have. What is wrong with a body is 422, with anything else 400. */
function problems({ method, body, problems: own = [] }: AnyEndpoint): Json {
  const codes = [...OF_EVERY_ENDPOINT, ...(method === "get" ? [] : OF_EVERY_BODY), ...own];
  const byStatus = new Map<number, Set<ProblemCode>>();
  const add = (status: number, code: ProblemCode) =>
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  for (const code of codes) add(usualStatus(code), code);
  if (body !== undefined) add(422, "INVALID_REQUEST");
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      {
        description: [...ofStatus].map((code) => `\`${code}\`: ${meaningOf(code)}`).join("\n\n"),
        content: { "application/problem+json": { schema: PROBLEM } },
      },
    ]),
  );
}

function problemSchema(): Json {
  const text = z.string();
  const field = z.object({ pointer: text.optional(), parameter: text.optional(), detail: text });
  return schemaOf(
    z.object({
      type: z.url().describe("Address of the code in the docs."),
      title: text,
      status: z.int(),
      detail: text,
      code: z.enum(PROBLEM_CODES as [ProblemCode, ...ProblemCode[]]),
      requestId: text,
      errors: z.array(field).optional().describe("Everything that is wrong, each with its place."),
    }),
  );
}

function mapValues<Value>(from: Readonly<Record<string, Value>>, to: (value: Value) => Json): Json {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));
}
