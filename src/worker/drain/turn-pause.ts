import { setTimeout as sleep } from "node:timers/promises";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";

/** The result of a check for work. */
export type Claim = "claimed" | "claimed-last" | "nothing-due" | "no-slot" | "no-room";

/**
 * While requests are in flight: how soon to check for work that arrived meanwhile; less often after each check in vain.
 */
const IDLE_LOOK_MS = { first: 50, most: 200 };
/** After a claim: places that free up meanwhile are filled by one statement. */
const CLAIM_GATHER_MS = 15;
/** Bounds of the wait for a slot: not so short that claims become single rows, not so long that a free one is wasted. */
const SLOT_LOOK_MS = { least: 10, most: 250 };

/** What a pause may end with, besides its time. */
export interface UnderWay {
  attempts: ReadonlySet<Promise<void>>;
  /** Completions and side work; undefined if nothing is under way. */
  besides: readonly (Promise<void> | undefined)[];
}

/** The pauses of a turn between two checks for work. */
export class TurnPause {
  readonly #budget: RequestBudget;
  #looksInVain = 0;
  #onEnd: () => void = () => undefined;

  constructor(budget: RequestBudget) {
    this.#budget = budget;
  }

  /** To be called when an attempt has ended: its place is free. */
  attemptEnded(): void {
    this.#onEnd();
  }

  /**
   * Waits until a slot is free, the last request has ended or new work may be there; only shortly while there is more
   * to claim.
   */
  async after(claim: Claim, { attempts, besides }: UnderWay): Promise<void> {
    if (claim !== "nothing-due") this.#looksInVain = 0;
    switch (claim) {
      case "claimed":
        await sleep(CLAIM_GATHER_MS);
        return;
      case "no-slot":
        await sleepOrAny(
          Math.min(SLOT_LOOK_MS.most, Math.max(SLOT_LOOK_MS.least, this.#budget.msUntilAvailable())),
          besides,
        );
        return;
      case "no-room":
        await sleep(SLOT_LOOK_MS.least);
        await Promise.race([sleepOrAny(SLOT_LOOK_MS.most, besides), this.#nextEnd()]);
        return;
      case "claimed-last":
      case "nothing-due": {
        const pauseMs = Math.min(IDLE_LOOK_MS.most, IDLE_LOOK_MS.first * 2 ** this.#looksInVain);
        this.#looksInVain += 1;
        const pause = sleepOrAny(pauseMs, besides);
        await Promise.race([pause, attempts.size === 0 ? pause : Promise.allSettled(attempts)]);
      }
    }
  }

  /** Until the next attempt ends. */
  #nextEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnd = resolve;
    });
  }
}

async function sleepOrAny(ms: number, others: UnderWay["besides"]): Promise<void> {
  const timer = sleep(ms);
  await Promise.race([timer, ...others.map((other) => other ?? timer)]);
}
