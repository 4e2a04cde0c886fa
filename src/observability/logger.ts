import { pino, type Logger, type DestinationStream } from "pino";
import { redactSecrets, redactText } from "./redact.js";

export type { Logger };

/**
 * Makes the process logger: JSON lines on stdout, secrets removed by field name and by shape.
 *
 * @param options.destination where lines go; tests hand in a stream to read them back.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: redactSecrets },
    // The record is copied clean above. The finished line is gone through again for the ways around that copy: the
    // message, its prefix and format arguments, a bare error's message, and the fields of child loggers.
    hooks: { streamWrite: redactText },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
