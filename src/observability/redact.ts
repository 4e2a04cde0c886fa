/** Parts of a field's name that make its value a secret, whatever it looks like. */
const SECRET_NAME =
  "token|secret|authorization|cookie|password|ciphertext|signature|encryption|api_?key|credential";

/** `code` and `state` are OAuth's; an error's own `code` is kept apart, in redactError. */
const SECRET_FIELD = new RegExp(`${SECRET_NAME}|^code$|^state$`, "i");

/** A JSON string under a secret name, inside text that is JSON itself or quotes some. */
const SECRET_JSON = new RegExp(
  `(\\\\*"[\\w.-]*(?:${SECRET_NAME})[\\w.-]*\\\\*"\\s*:\\s*\\\\*")[^"\\\\]*`,
  "gi",
);

/**
 * Shapes of what must never be printed. No pattern reaches over a quote or a backslash, so text that is JSON stays JSON.
 */
const SECRET_TEXT: readonly [RegExp, string][] = [
  [SECRET_JSON, "$1[redacted]"],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, "$1 [redacted]"],
  // HubSpot's refresh tokens and private-app tokens carry the hublet: na1-…, pat-eu1-…
  [/\b(?:na|eu|ap)\d+-[0-9a-f]{4,}-[\w-]+/gi, "[redacted]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "[redacted]"],
  [/\b(access_token|refresh_token|id_token|client_secret|code|state|token)=[^&\s"'\\]+/gi, "$1=[redacted]"],
  // The password in any URL, a database's above all.
  [/\b([a-z][a-z0-9+.-]*:\/\/[^:/@\s"'\\]*):[^@\s"'\\]+@/gi, "$1:[redacted]@"],
  // HubSpot's access tokens have no fixed start: any long word of mixed capitals and digits.
  [/(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{40,}/g, "[redacted]"],
];

/** Removes everything that looks like a secret from free text; JSON stays valid JSON. */
export function redactText(text: string): string {
  return SECRET_TEXT.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** How deep a logged value is copied; what lies deeper is dropped rather than printed unchecked. */
const MAX_DEPTH = 6;

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  // A function could be a toJSON that hands out the original.
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  return redactObject(value, depth);
}

function redactObject(value: object, depth: number): unknown {
  if (value instanceof Date) return value;
  if (value instanceof URL) return redactText(value.href);
  // Bytes are keys or bodies: neither belongs in a log.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactFields(value, depth);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code: redactValue(code, depth + 1) }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
    ...(error instanceof AggregateError ? { errors: redactValue(error.errors, depth + 1) } : {}),
  };
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      redactText(name),
      SECRET_FIELD.test(name) ? "[redacted]" : redactValue(value, depth + 1),
    ]),
  );
}

/**
 * Copies a log record without its secrets: by field name (`*token*`, `authorization`, …) and by the shape of any text
 * in it. The second net behind never putting a secret on a loggable field.
 */
export function redactSecrets(record: Record<string, unknown>): Record<string, unknown> {
  return redactFields(record, 0);
}
