import type { Response } from "express";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** How much of the site one account may have. */
export interface ShareLimits {
  /** Requests processed at a time. */
  readonly inHand: number;
  /** Requests that may wait; any further one is refused at once. */
  readonly waiting: number;
  /** How long each may wait. */
  readonly patienceMs: number;
}

interface Account {
  inHand: number;
  /** Whose turn is next, in order of arrival. */
  readonly waiting: Set<() => void>;
}

/**
 * Keeps one account from using up the site: a number of its requests are processed at a time in this process, some more
 * wait, and the rest are refused.
 */
export class AccountShare {
  readonly #limits: ShareLimits;
  readonly #accounts = new Map<PortalId, Account>();

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for the account's turn.
   *
   * @param signal ends the wait when nobody waits for the answer anymore.
   * @returns a function that frees the place, to be called once; undefined: there is none.
   */
  async enter(portalId: PortalId, signal: AbortSignal): Promise<(() => void) | undefined> {
    const account = this.#accounts.get(portalId) ?? { inHand: 0, waiting: new Set() };
    this.#accounts.set(portalId, account);
    const leave = (): void => {
      this.#leave(portalId, account);
    };
    if (account.inHand < this.#limits.inHand) {
      account.inHand += 1;
      return leave;
    }
    return (await this.#turnOf(account, signal)) ? leave : undefined;
  }

  async #turnOf({ waiting }: Account, signal: AbortSignal): Promise<boolean> {
    if (waiting.size >= this.#limits.waiting || signal.aborted) return false;
    return new Promise((resolve) => {
      const settle = (isTurn: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        waiting.delete(take);
        resolve(isTurn);
      };
      const take = (): void => {
        settle(true);
      };
      const giveUp = (): void => {
        settle(false);
      };
      const timer = setTimeout(giveUp, this.#limits.patienceMs);
      signal.addEventListener("abort", giveUp, { once: true });
      waiting.add(take);
    });
  }

  /** Hands the place on to whoever waits. */
  #leave(portalId: PortalId, account: Account): void {
    const [next] = account.waiting;
    if (next !== undefined) return next();
    account.inHand -= 1;
    if (account.inHand === 0) this.#accounts.delete(portalId);
  }
}

/** By default each signal would make an exception of its own, with its stack, for answers that all end. */
const ANSWER_IS_OVER = "the answer is over";

/** Aborts once the answer was sent, or nobody waits for it anymore. */
export function endOf(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    controller.abort(ANSWER_IS_OVER);
  });
  if (response.closed) controller.abort(ANSWER_IS_OVER);
  return controller.signal;
}
