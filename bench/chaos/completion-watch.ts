import { LOST_ANSWERS } from "../../src/simulator/world/faults.js";
import type { CallbackRecord } from "../../src/simulator/portal/callbacks.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import type { Disturbance } from "./disturbances.js";

/** Why a completion that HubSpot had accepted was sent again. */
export type ResendReason = "answer lost" | "crash" | "none";

/** A worker that was told to go on, or a database that came back, is as before after this long at the latest. */
const WRITTEN_WITHIN_MS = 3_000;

/** Remembers which completions HubSpot took and then lost the answer to. */
export class CompletionWatch {
  readonly #lostAnswers = new Set<string>();
  #isLosing = false;

  constructor(simulator: Simulator) {
    simulator.signals.on("fault", ({ endpoint, fault }) => {
      if (endpoint !== "callbacks" || !LOST_ANSWERS.has(fault)) return;
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
    // A worker or the database went between the answer and the second sending: the answer was not stored.
    const isCrash = (sentAgainAtMs: number): boolean =>
      disturbances.some(
        ({ kind, beganAtMs, endedAtMs }) =>
          kind !== "kill web" &&
          beganAtMs <= sentAgainAtMs &&
          (endedAtMs ?? Number.POSITIVE_INFINITY) >= acceptedAtMs - WRITTEN_WITHIN_MS,
      );
    return again.map(({ receivedAtMs }) =>
      isAnswerLost ? "answer lost" : isCrash(receivedAtMs) ? "crash" : "none",
    );
  }
}
