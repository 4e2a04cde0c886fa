import { claimDue, claimUncertain, type OddPlace, type Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";

/** Executions become uncertain only by this owner, and are not read before a second has passed. */
const UNCERTAIN_LOOK_MS = 1_000;

/** What a turn claims for its free places: executions in doubt and due ones, each with its share. */
export class TurnClaims {
  readonly #owner: Ownership;
  readonly #mayAttempt: () => Promise<boolean>;
  #uncertainLookAtMs = Number.NEGATIVE_INFINITY;
  #isOddOneForDoubts = false;
  #isOddOneForOthers = true;

  constructor({
    owner,
    mayAttempt,
    areDoubtsDue,
  }: {
    owner: Ownership;
    /** False while the portal's admin has paused it: only executions in doubt are claimed then. */
    mayAttempt: () => Promise<boolean>;
    /** False if the portal was just seen to have no execution in doubt that is due: the first look for one comes later. */
    areDoubtsDue: boolean;
  }) {
    this.#owner = owner;
    this.#mayAttempt = mayAttempt;
    if (!areDoubtsDue) this.#uncertainLookAtMs = performance.now() + UNCERTAIN_LOOK_MS;
  }

  /**
   * @returns at most as many as there are places.
   * @throws LeaseLost, and the database's faults. What was claimed before is not begun then: the next turn recovers it.
   */
  async claim(places: number): Promise<ClaimedExecution[]> {
    const claimed = await this.#claimUncertain(this.#shareOfDoubts(places));
    const left = (): number => places - claimed.length;
    if (left() > 0 && (await this.#mayAttempt()))
      claimed.push(...(await claimDue(this.#owner, left(), this.#oddPlace())));
    if (left() > 0) claimed.push(...(await this.#claimUncertain(left())));
    return claimed;
  }

  /** Alternates: with the budget used up, places become free one by one. */
  #oddPlace(): OddPlace {
    this.#isOddOneForOthers = !this.#isOddOneForOthers;
    return this.#isOddOneForOthers ? "others" : "workflows";
  }

  /**
   * Half of the places, with the odd one every other time: with the budget used up, places become free one by one. An
   * admin's bulk retry creates as many uncertain executions as it has contacts, and new ones must not wait for it.
   */
  #shareOfDoubts(places: number): number {
    if (places % 2 === 0) return places / 2;
    this.#isOddOneForDoubts = !this.#isOddOneForDoubts;
    return this.#isOddOneForDoubts ? Math.ceil(places / 2) : Math.floor(places / 2);
  }

  async #claimUncertain(limit: number): Promise<ClaimedExecution[]> {
    const now = performance.now();
    if (limit === 0 || now < this.#uncertainLookAtMs) return [];
    const claimed = await claimUncertain(this.#owner, limit);
    if (claimed.length < limit) this.#uncertainLookAtMs = now + UNCERTAIN_LOOK_MS;
    return [...claimed];
  }
}
