const SECRET_FIELD = /token|secret|authorization|cookie|password|ciphertext|^code$|^state$|signature|encryption/i;

/** Shapes of what must never be printed: bearer headers, HubSpot tokens, JWTs, URL query secrets, database passwords. */
const SECRET_TEXT: readonly [RegExp, string][] = [
  [/\bBearer\s+[\w.~+/=-]+/gi, "Bearer [redacted]"],
  [/\b(?:na|eu|ap)\d+-[0-9a-f]{4,}-[\w-]+/gi, "[redacted]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "[redacted]"],
  [/\b(access_token|refresh_token|client_secret|code|state|token)=[^&\s"']+/gi, "$1=[redacted]"],
  [/(postgres(?:ql)?:\/\/[^:/@\s]+):[^@\s]+@/gi, "$1:[redacted]@"],
];

/** Removes everything that looks like a secret from free text. */
export function redactText(text: string): string {
  return SECRET_TEXT.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** How deep a logged value is copied; what lies deeper is dropped rather than printed unchecked. */
const MAX_DEPTH = 6;

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Date) return value;
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
  };
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
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
