import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import formats from "ajv-formats";

/** A request as it was sent; a form body as a record of its fields. */
export interface ObservedRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[]>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

/** An answer together with the request it belongs to. */
export interface ObservedAnswer {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly responseBody: unknown;
}

/** What is wrong, one sentence each; empty when the specification is kept. */
export type Problems = string[];

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: { readonly type?: string; readonly enum?: readonly string[] };
}

interface Content {
  readonly [mediaType: string]: { readonly schema?: object };
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Content }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses?: Readonly<Record<string, { readonly content?: Content }>> };
}

interface Found {
  /** Id of the document the operation's `$ref`s point into. */
  readonly documentId: string;
  readonly document: Document;
  readonly template: string;
  readonly operation: Operation;
}

/**
 * Where HubSpot's OpenAPI files are: `HUBSPOT_SPEC_DIR`, or `../shared/hubspot-spec` beside the repository.
 * Undefined if there are none.
 *
 * @throws Error when there are none although `CI=true`: a pipeline must not skip the contract silently.
 */
export function specDirectory(): string | undefined {
  const directory =
    process.env["HUBSPOT_SPEC_DIR"] ?? path.resolve(import.meta.dirname, "../../../shared/hubspot-spec");
  if (existsSync(directory)) return directory;
  if (process.env["CI"] === "true") {
    throw new Error(
      `HubSpot's OpenAPI files are required in CI, and ${directory} does not exist: set HUBSPOT_SPEC_DIR`,
    );
  }
  return undefined;
}

/** Checks requests against the files in `directory`; beyond the schema, unknown parameters and fields are problems. */
export function requestValidator(directory: string): (request: ObservedRequest) => Problems {
  const library = new Library(directory);
  return (request) => {
    const found = library.find(request.method, request.path);
    if (found === undefined) return [`${request.method} ${request.path} is in no specification`];
    return [...queryProblems(found, request), ...bodyProblems(library, found, request)];
  };
}

/**
 * Checks answers against the files in `directory`. Success answers may hold no field the schema does not name; errors
 * may (HubSpot's own carry `status`). A success status the file does not type is not judged, and neither is 429, which
 * comes from in front of the APIs and has a body of its own (docs/hubspot.md §6).
 */
export function responseValidator(directory: string): (answer: ObservedAnswer) => Problems {
  const library = new Library(directory);
  return (answer) => {
    const found = library.find(answer.method, answer.path);
    if (found === undefined) return [`${answer.method} ${answer.path} is in no specification`];
    const content = contentFor(found, answer.status);
    if (content === undefined || answer.status === 429) return [];
    const schema = (content["application/json"] ?? content["*/*"])?.schema;
    if (schema === undefined)
      return answer.responseBody === undefined ? [] : ["has a body where none is specified"];
    const validate = library.compile(found, schema, { strict: answer.status < 300 });
    return validate(answer.responseBody) ? [] : describe("body", validate.errors);
  };
}

function contentFor({ document, operation }: Found, status: number): Content | undefined {
  const isSuccess = status < 300;
  // HubSpot's batch endpoints answer 207 where some ids were not found, with the schema of the 200.
  const response =
    operation.responses[status] ?? (isSuccess ? operation.responses["200"] : operation.responses["default"]);
  if (response === undefined || (status === 204 && operation.responses["204"] === undefined))
    return undefined;
  if (response.$ref === undefined) return response.content ?? {};
  return document.components.responses?.[response.$ref.split("/").at(-1) ?? ""]?.content;
}

function queryProblems(
  { template, operation }: Found,
  { path: actual, query = {} }: ObservedRequest,
): Problems {
  const parameters = operation.parameters ?? [];
  const declared = parameters.filter((parameter) => parameter.in === "query");
  const missing = declared.filter(({ name, required }) => required === true && query[name] === undefined);
  const unknown = Object.keys(query).filter((name) => !declared.some((parameter) => parameter.name === name));
  const inPath = pathValues(template, actual);
  return [
    ...missing.map(({ name }) => `query parameter ${name} is missing`),
    ...unknown.map((name) => `query parameter ${name} is not specified`),
    ...declared.flatMap((parameter) =>
      [query[parameter.name] ?? []].flat().flatMap((value) => valueProblems(parameter, value)),
    ),
    ...parameters
      .filter((parameter) => parameter.in === "path")
      .flatMap((parameter) => valueProblems(parameter, inPath[parameter.name] ?? "")),
  ];
}

function valueProblems({ name, schema }: Parameter, value: string): Problems {
  const isRight =
    schema.type === "integer"
      ? /^-?\d+$/.test(value)
      : schema.type === "boolean"
        ? /^(true|false)$/.test(value)
        : value !== "";
  if (!isRight) return [`parameter ${name} is no ${schema.type ?? "value"}: ${JSON.stringify(value)}`];
  return schema.enum === undefined || schema.enum.includes(value)
    ? []
    : [`parameter ${name} is none of ${schema.enum.join(", ")}`];
}

function bodyProblems(library: Library, found: Found, { headers = {}, body }: ObservedRequest): Problems {
  const specified = found.operation.requestBody;
  if (specified === undefined) return body === undefined ? [] : ["has a body where none is specified"];
  if (body === undefined) return ["lacks its body"];
  const mediaType = (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  const schema = specified.content[mediaType]?.schema;
  if (schema === undefined)
    return [`content type ${mediaType} is none of ${Object.keys(specified.content).join(", ")}`];
  const validate = library.compile(found, schema, { strict: true });
  return validate(body) ? [] : describe("body", validate.errors);
}

function describe(what: string, errors: ErrorObject[] | null | undefined): Problems {
  return (errors ?? []).map(
    ({ instancePath, message, params }) => `${what}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** Extracts of files that the directory does not have. */
export const SPEC_EXTRACTS = path.resolve(import.meta.dirname, "hubspot-spec");

function filesOf(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return names.map((name) => path.join(directory, name));
}

/** Every document of a directory, and our extracts of others, compiled as their schemas are asked for. */
class Library {
  readonly #loose = new Ajv({ strict: false, allErrors: true });
  readonly #strict = new Ajv({ strict: false, allErrors: true });
  readonly #documents = new Map<string, Document>();
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(directory: string) {
    formats.default(this.#loose);
    formats.default(this.#strict);
    for (const place of [...filesOf(SPEC_EXTRACTS), ...filesOf(directory)]) {
      const file = path.basename(place);
      if (this.#documents.has(file)) continue;
      const document = withoutQuirks(JSON.parse(readFileSync(place, "utf8"))) as Document;
      this.#documents.set(file, document);
      this.#loose.addSchema(document, file);
      this.#strict.addSchema(closed(document) as object, file);
    }
  }

  /** A path spelled out wins over one with a parameter in the same place. */
  find(method: string, actual: string): Found | undefined {
    const candidates: Found[] = [];
    for (const [documentId, document] of this.#documents) {
      for (const [template, operations] of Object.entries(document.paths)) {
        const operation = operations[method.toLowerCase()];
        if (operation !== undefined && matches(template, actual))
          candidates.push({ documentId, document, template, operation });
      }
    }
    return candidates.sort((a, b) => a.template.split("{").length - b.template.split("{").length)[0];
  }

  compile({ documentId }: Found, schema: object, { strict }: { strict: boolean }): ValidateFunction {
    const local = JSON.stringify(strict ? closed(schema) : schema).replaceAll('"#/', `"${documentId}#/`);
    const key = `${strict} ${local}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const validate = (strict ? this.#strict : this.#loose).compile(JSON.parse(local));
    this.#compiled.set(key, validate);
    return validate;
  }
}

function matches(template: string, actual: string): boolean {
  const [wanted, given] = [template.split("/"), actual.split("/")];
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith("{") || part === given[index])
  );
}

function pathValues(template: string, actual: string): Record<string, string> {
  const given = actual.split("/");
  const names = template.split("/").map((part, index) => [part, given[index] ?? ""] as const);
  return Object.fromEntries(
    names.filter(([part]) => part.startsWith("{")).map(([part, value]) => [part.slice(1, -1), value]),
  );
}

/**
 * Two quirks of the files: `example: null` beside types that do not allow null, and maps whose values are Java's
 * `Object`, written as an object without properties although HubSpot sends strings there (docs/hubspot.md §10, `fields`).
 */
function withoutQuirks(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutQuirks);
  if (typeof node !== "object" || node === null) return node;
  const members = Object.entries(node).filter(([name, value]) => name !== "example" || isSchema(value));
  return Object.fromEntries(
    members.map(([name, value]) => [
      name,
      name === "additionalProperties" && isAnything(value) ? true : withoutQuirks(value),
    ]),
  );
}

/** A property may itself be called "example". */
function isSchema(value: unknown): boolean {
  return typeof value === "object" && value !== null && ("type" in value || "$ref" in value);
}

function isAnything(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || !("properties" in schema)) return false;
  return Object.keys(schema.properties ?? {}).length === 0 && !("additionalProperties" in schema);
}

/** The same schema with objects closed to fields they do not name; `…IF` are bases whose heirs have more. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== "object" || node === null) return node;
  const inner: Record<string, unknown> = Object.fromEntries(
    Object.entries(node).map(([name, value]) => [name, name.endsWith("IF") ? value : closed(value)]),
  );
  const isObject = "properties" in inner && inner["type"] === "object" && !("additionalProperties" in inner);
  return isObject ? { ...inner, additionalProperties: false } : inner;
}
