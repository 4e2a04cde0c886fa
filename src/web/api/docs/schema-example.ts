/** What of a JSON Schema an example is made from. */
export interface DocumentedSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, DocumentedSchema>>;
  readonly required?: readonly string[];
  readonly items?: DocumentedSchema;
  readonly anyOf?: readonly DocumentedSchema[];
  readonly oneOf?: readonly DocumentedSchema[];
  readonly allOf?: readonly DocumentedSchema[];
}

/** Levels below which an example goes no deeper. */
const DEEPEST = 10;

const OF_FORMAT: Readonly<Record<string, string>> = {
  email: "ada@lead.example",
  "date-time": "2026-11-27T09:30:00.000Z",
  date: "2026-11-27",
  uri: "https://example.com/",
};

/**
 * A value that fits a schema.
 *
 * @param onlyRequired without what may be left out, as for a first try; otherwise with everything
 */
export function exampleOf(schema: DocumentedSchema, onlyRequired = false, depth = 0): unknown {
  if (depth > DEEPEST) return null;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.properties !== undefined) return exampleObject(schema, onlyRequired, depth);
  const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
  if (first !== undefined) return exampleOf(first, onlyRequired, depth + 1);
  return simpleExample(schema, onlyRequired, depth);
}

function exampleObject(schema: DocumentedSchema, onlyRequired: boolean, depth: number): unknown {
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) =>
    isShown(schema, name, onlyRequired),
  );
  return Object.fromEntries(fields.map(([name, of]) => [name, exampleOf(of, onlyRequired, depth + 1)]));
}

/** Of alternatives that exclude each other only the first is shown. */
function isShown(
  { required = [], oneOf = [] }: DocumentedSchema,
  name: string,
  onlyRequired: boolean,
): boolean {
  const [first, ...others] = oneOf.map((choice) => choice.required ?? []);
  if (first?.includes(name)) return true;
  if (others.some((choice) => choice.includes(name))) return false;
  return !onlyRequired || required.includes(name);
}

function simpleExample(schema: DocumentedSchema, onlyRequired: boolean, depth: number): unknown {
  switch ([schema.type].flat()[0]) {
    case "string":
      return OF_FORMAT[schema.format ?? ""] ?? (schema.pattern?.includes("\\d") ? "901" : "text");
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, 1);
    case "boolean":
      return true;
    case "array":
      return schema.items === undefined ? [] : [exampleOf(schema.items, onlyRequired, depth + 1)];
    case "object":
      return {};
    default:
      return null;
  }
}
