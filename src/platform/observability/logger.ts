import { pino, type Logger, type DestinationStream } from "pino";
import { hideSecrets } from "./secret-shapes.js";
import { traceIdOf } from "./tracing/tracing.js";
import { redactSecrets, redactText } from "./redact.js";

export type { Logger };

/** Maximum length of a line in bytes; collectors cut longer ones at any point. */
const MAX_LINE_BYTES = 16_384;

/** How much of a longer line is kept, in UTF-16 units: even if each is escaped and takes three bytes, it fits. */
const SHOWN_OF_LONG_LINE = 4_000;

/** Level and time, with which every line begins. */
const LINE_START = /^\{"level":"[a-z]{1,8}","time":"[\d:.TZ-]{20,30}"/;

/**
 * Every finished line passes here. Its record was already copied without secrets and cut; the message's prefix and
 * format arguments, and the fields of child loggers, were not.
 */
function finishLine(line: string): string {
  if (Buffer.byteLength(line) <= MAX_LINE_BYTES) return hideSecrets(line);
  const start = LINE_START.exec(line.slice(0, 64))?.[0] ?? '{"level":"error"';
  const shown = redactText(line.slice(start.length), SHOWN_OF_LONG_LINE);
  const fields = JSON.stringify({ msg: "a log line was too long", bytes: Buffer.byteLength(line), shown });
  return `${start},${fields.slice(1)}\n`;
}

function cutText(argument: unknown): unknown {
  return typeof argument === "string" ? redactText(argument) : argument;
}

/**
 * The arguments of a log call with their texts cut. pino uses an error's message if none is given, so that is cut too.
 */
function cutTexts([first, ...rest]: unknown[]): unknown[] {
  if (typeof first !== "object" || first === null || rest.length > 0)
    return [cutText(first), ...rest.map(cutText)];
  const { err } = first as { err?: unknown };
  const error = first instanceof Error ? first : err;
  return error instanceof Error ? [first, redactText(error.message)] : [first];
}

/**
 * In place of pino's own, which would take the record's copy of an error for another error, and call its type "Object".
 * What is still an error here is a child logger's, whose fields are not copied.
 */
function serializeError(err: unknown): unknown {
  return err instanceof Error ? redactSecrets({ err })["err"] : err;
}

/** Shorter ones, as in development, would be found in words that have nothing to do with them. */
const SHORTEST_SECRET = 8;

/** Puts `[redacted]` for the given texts, also as JSON and addresses write them. */
function hiderOf(secrets: readonly string[]): (line: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const hidden = [...new Set(forms)].sort((one, other) => other.length - one.length);
  return (line) => hidden.reduce((shown, form) => shown.replaceAll(form, "[redacted]"), line);
}

/**
 * Creates the process logger: JSON lines on stdout, secrets removed by field name and by shape, texts and lines cut.
 *
 * @param options.traceparent the trace that runs now; its id is in each line. Undefined: no traces are kept.
 * @param options.destination where lines go; tests hand in a stream to read them back.
 * @param options.secrets the operator's own (compose/own-secrets.ts), which may have no shape: removed wherever they
 *   are.
 */
export function createLogger(options: {
  level: string;
  destination?: DestinationStream;
  secrets?: readonly string[];
  traceparent?: () => string | undefined;
}): Logger {
  const hideOwn = hiderOf(options.secrets ?? []);
  const { traceparent } = options;
  const settings = {
    ...(traceparent && { mixin: () => traceIdOf(traceparent()) }),
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: redactSecrets },
    serializers: { err: serializeError },
    hooks: {
      logMethod(this: Logger, given: unknown[], log: (...given: unknown[]) => void) {
        log.apply(this, cutTexts(given));
      },
      streamWrite: (line: string) => hideOwn(finishLine(line)),
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
