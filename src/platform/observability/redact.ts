import { hideAddresses, hideSecrets, isSecretField } from "./secret-shapes.js";

/** Longer texts are cut: a sender must not decide how long we work on a log line. In UTF-16 units. */
const MAX_TEXT = 2_000;

/** How far to read beyond the cut, so that a secret across the cut is recognized. */
const LOOK_AHEAD = 1_000;

/**
 * Limit for all texts of a record together. The longest line is a little longer, or more if much of it has to be
 * escaped.
 */
const MAX_RECORD = 12_000;

/** How deep a logged value is copied; anything deeper is dropped rather than printed unchecked. */
const MAX_DEPTH = 6;

/** The first `length` units of a text, one less where a surrogate pair would be torn apart. */
function firstOf(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  const isTorn = length < text.length && last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isTorn ? length - 1 : length);
}

/**
 * Removes everything that looks like a secret or an email address from free text; complete JSON stays valid JSON.
 *
 * A longer text than `limit` ends in "…". The last LOOK_AHEAD units that were read are never shown: a secret that ends
 * before them is recognized, and one that begins in them is dropped.
 */
export function redactText(text: string, limit = MAX_TEXT): string {
  const read = text.slice(0, limit + LOOK_AHEAD);
  const clean = hideAddresses(hideSecrets(read));
  const shown = read.length < text.length ? Math.min(limit, clean.length - LOOK_AHEAD) : limit;
  return clean.length <= shown ? clean : `${firstOf(clean, Math.max(0, shown))}…`;
}

/** A copy in progress, and how much text its rest may still have. */
class Copy {
  left = MAX_RECORD;

  text(text: string): string {
    const clean = redactText(text, Math.min(MAX_TEXT, Math.max(0, this.left)));
    this.left -= clean.length;
    return clean;
  }

  value(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value === "bigint") return value.toString();
    // A function could be a toJSON that returns the original.
    if (typeof value === "function") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (depth >= MAX_DEPTH) return "[deep]";
    return this.object(value, depth);
  }

  private object(value: object, depth: number): unknown {
    if (value instanceof Date) return value;
    if (value instanceof URL) return this.text(value.href);
    // Bytes are keys or bodies: neither belongs in a log.
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Error) return this.error(value, depth);
    if (Array.isArray(value)) return this.list(value, depth);
    return this.fields(value, depth);
  }

  private error(error: Error, depth: number): Record<string, unknown> {
    const { code } = error as { code?: unknown };
    return {
      type: this.text(error.name),
      message: this.text(error.message),
      ...(code === undefined ? {} : { code: this.value(code, depth + 1) }),
      ...(error.stack === undefined ? {} : { stack: this.text(error.stack) }),
      ...(error.cause === undefined ? {} : { cause: this.value(error.cause, depth + 1) }),
      ...(error instanceof AggregateError ? { errors: this.value(error.errors, depth + 1) } : {}),
    };
  }

  private list(items: readonly unknown[], depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const item of items) {
      if (this.isFull()) return [...copies, `[${items.length} in all]`];
      copies.push(this.value(item, depth + 1));
    }
    return copies;
  }

  fields(fields: object, depth: number): Record<string, unknown> {
    const copies: [string, unknown][] = [];
    const all = Object.entries(fields);
    for (const [name, value] of all) {
      if (this.isFull()) {
        copies.push(["…", `[${all.length} fields in all]`]);
        break;
      }
      const copy = isSecretField(name, value) ? "[redacted]" : this.value(value, depth + 1);
      copies.push([this.text(name), copy]);
    }
    return Object.fromEntries(copies);
  }

  /** Called before each entry; subtracts its punctuation. */
  private isFull(): boolean {
    this.left -= 4;
    return this.left <= 0;
  }
}

/**
 * Copies a log record without its secrets and email addresses: by field name (`*token*`, `authorization`, …) and by the shape of any text
 * in it, with each text and the whole cut to what a log line may hold. This is the second safety net; the first is
 * never to put a secret on a loggable field.
 */
export function redactSecrets(record: Record<string, unknown>): Record<string, unknown> {
  return new Copy().fields(record, 0);
}
