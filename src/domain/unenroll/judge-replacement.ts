import type { CurrentSequence } from "#domain/contract/sequence-facts.js";
import { MINUTE_MS } from "#platform/time/units.js";
import { whyUnusable } from "./problem-sentences.js";
import type { UnenrollSetup } from "./setup.js";

/** What happens to a contact in a sequence whose step says to replace that sequence by its own. */
export type Replacement =
  /** It is in the very sequence: nothing is to be replaced. */
  | { readonly kind: "keep" }
  /** It stays where it is; `detail` says why, and what to do. */
  | { readonly kind: "refuse"; readonly detail: string }
  | { readonly kind: "replace" };

/** From the beginning to the enrollment in the next sequence, at the longest: nothing begins that cannot be ended. */
export const REPLACING_TAKES_MS = 20 * MINUTE_MS;

/** A contact that is put into another sequence as often as it is taken out of one is left alone after this many rounds. */
export const MOST_ROUNDS = 3;

const WAS_TO_LEAVE = "It was to be taken out of it first.";

/** For the step, and for the dry run of one. @param leftMs until the deadline. */
export function judgeReplacement(asked: {
  readonly sequenceId: string;
  readonly current: CurrentSequence;
  readonly setup: UnenrollSetup | undefined;
  readonly leftMs: number;
}): Replacement {
  if (asked.current.sequenceId === asked.sequenceId) return { kind: "keep" };
  const reason = whyUnusable(asked.setup);
  if (reason !== undefined) return { kind: "refuse", detail: `${WAS_TO_LEAVE} ${reason}` };
  if (asked.leftMs < REPLACING_TAKES_MS)
    return { kind: "refuse", detail: `${WAS_TO_LEAVE} Too little time was left for that.` };
  return { kind: "replace" };
}
