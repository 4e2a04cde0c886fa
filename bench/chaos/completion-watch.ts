import type { CallbackRecord } from "../../src/simulator/portal/callbacks.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import type { Disturbance } from "./disturbances.js";

/** Why a completion that HubSpot had accepted was sent again. */
export type ResendReason = "answer lost" | "crash" | "none";

/** An answer is in our database this long after HubSpot gave it, when nothing is wrong. */
const WRITTEN_WITHIN_MS = 3_000;

/** Remembers which completions HubSpot took and then lost the answer to. */
export class CompletionWatch {
  readonly #lostAnswers = new Set<string>();
  #isLosing = false;

  constructor(simulator: Simulator) {
    simulator.signals.on("fault", ({ endpoint, fault }) => {
      if (endpoint !== "callbacks" || (fault !== "errorAfter" && fault !== "resetAfter")) return;
      // The simulator announces the fault, does the work and announces that, all in one go.
      this.#isLosing = true;
      queueMicrotask(() => {
        this.#isLosing = false;
      });
    });
    simulator.signals.on("completed", ({ callbackId }) => {
      if (this.#isLosing) this.#lostAnswers.add(callbackId);
    });
  }

  /** Why each completion after the accepted one was sent; empty for a callback completed once. */
  resendsOf(record: CallbackRecord, disturbances: readonly Disturbance[]): ResendReason[] {
    const { accepted } = record;
    if (accepted === undefined) return [];
    const again = record.received.slice(record.received.indexOf(accepted) + 1);
    const acceptedAtMs = accepted.receivedAtMs;
    const isAnswerLost = this.#lostAnswers.has(record.callbackId);
    const isCrash = disturbances.some(
      ({ kind, beganAtMs, endedAtMs }) =>
        kind !== "kill web" &&
        beganAtMs <= acceptedAtMs + WRITTEN_WITHIN_MS &&
        (endedAtMs ?? Number.POSITIVE_INFINITY) >= acceptedAtMs - WRITTEN_WITHIN_MS,
    );
    return again.map(() => (isAnswerLost ? "answer lost" : isCrash ? "crash" : "none"));
  }
}
