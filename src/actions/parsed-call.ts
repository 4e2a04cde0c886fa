import type { IncomingExecution } from "../executions/accept.js";
import { ERROR_SENTENCES } from "../executions/error-codes.js";

/** A step's wish to hold the contact for longer than other calls. */
export interface AskedHold {
  readonly notBefore: string | undefined;
  /** It waits for the contact's current sequence to end, however long that may take. */
  readonly untilSequenceEnds: boolean;
}

/**
 * What an execution request that is a call turned out to be. `invalid`: usable, but with a wrong input; it is stored as
 * answered, so that the settings page can tell of it.
 */
export type ReadableCall =
  | {
      readonly kind: "valid";
      readonly execution: IncomingExecution;
      /** Set where the step asks for more time than every call gets: the portal's settings have a say (requested-hold.ts). */
      readonly hold: AskedHold | undefined;
    }
  | { readonly kind: "invalid"; readonly execution: IncomingExecution; readonly message: string };

/** The call as it is stored where it is answered at once, for the wrong value in it. */
export function withWrongInput(execution: IncomingExecution, problem: string): ReadableCall {
  const message = `${ERROR_SENTENCES.INVALID_INPUT} ${problem}`;
  const answer = {
    execution_state: "FAIL_CONTINUE",
    enrollment_status: "FAILED",
    error_code: "INVALID_INPUT",
    error_message: message,
  };
  return { kind: "invalid", execution: { ...execution, answer }, message };
}
