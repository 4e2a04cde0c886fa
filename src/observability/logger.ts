import { pino, type Logger, type DestinationStream } from "pino";
import { redactSecrets, redactText } from "./redact.js";

export type { Logger };

/**
 * Makes the process logger: JSON lines on stdout, secrets removed by field name and by shape.
 *
 * @param destination where lines go; tests hand in a stream to read them back.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }), log: redactSecrets },
    hooks: {
      // The message text is free form: a token pasted into it must not get through either.
      logMethod(this: Logger, args: Parameters<Logger["info"]>, method: Logger["info"]): void {
        method.apply(this, args.map((part: unknown) => (typeof part === "string" ? redactText(part) : part)) as typeof args);
      },
    },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
}
