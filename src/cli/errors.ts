import { EXIT, type ExitCode } from "./exit-codes.js";

/** Base of what ends a command early. `message` is written for the person at the terminal. */
export abstract class CommandError extends Error {
  abstract readonly exitCode: ExitCode;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The command was typed wrong; its help is worth a look. */
export class WrongUse extends CommandError {
  readonly exitCode = EXIT.wrongUse;
}

/** The app is there, but this key may not do this. */
export class NotPermitted extends CommandError {
  readonly exitCode = EXIT.notPermitted;
}

/**
 * The app could not be reached, was too busy for too long, or something else answers at its address.
 *
 * `mayHaveArrived`: whether the request may have been done anyway, since only its answer is missing.
 */
export class NotReachable extends CommandError {
  readonly exitCode = EXIT.notReachable;
  readonly mayHaveArrived: boolean;

  constructor(message: string, options: { cause?: unknown; mayHaveArrived?: boolean } = {}) {
    super(message, options);
    this.mayHaveArrived = options.mayHaveArrived ?? false;
  }
}

/** The app answered with a problem. `code` is one of docs/errors.md. */
export class Refused extends CommandError {
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    // What the app cannot read at all was typed wrong; anything else is about what was asked for.
    this.exitCode = code === "INVALID_REQUEST" ? EXIT.wrongUse : EXIT.failed;
  }
}

/** Somebody pressed Ctrl-C. `message` says what was left how, and how to go on. */
export class Interrupted extends CommandError {
  readonly exitCode = EXIT.interrupted;
}
