import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** An owner's requests in HubSpot's window now, and how many it may have there. */
export interface CountedBudget {
  counted(): number;
  readonly limit: number;
}

const NOTE_EVERY_MS = 2_000;

/** Ordered by the key, so that two processes that record the same portals during a takeover lock the rows in one order. */
const NOTE = `
  INSERT INTO portal_paces (portal_id, requests_counted, noted_at)
  SELECT portal_id, counted, now() FROM unnest($1::bigint[], $2::int[]) AS pace (portal_id, counted) ORDER BY portal_id
  ON CONFLICT (portal_id) DO UPDATE SET requests_counted = excluded.requests_counted, noted_at = excluded.noted_at`;

/**
 * Records for the settings site how many requests of each portal's owner HubSpot counts, every other second: one statement
 * for all portals that this process drains, which can be hundreds. The work does not depend on it: what cannot be stored is
 * left out.
 */
export class PaceNotes {
  readonly #pool: Pool;
  readonly #budgets = new Map<PortalId, CountedBudget>();
  #timer: NodeJS.Timeout | undefined;
  #isStoring = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Begins to record a portal's pace.
   *
   * @returns a function that stops.
   */
  begin(portalId: PortalId, budget: CountedBudget): () => void {
    this.#budgets.set(portalId, budget);
    this.#timer ??= setInterval(() => void this.#store(), NOTE_EVERY_MS);
    return () => {
      if (this.#budgets.get(portalId) === budget) this.#budgets.delete(portalId);
      if (this.#budgets.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** What this process uses of all budgets that it holds now. */
  use(): { readonly portals: number; readonly counted: number; readonly limit: number } {
    const budgets = [...this.#budgets.values()];
    return {
      portals: budgets.length,
      counted: budgets.reduce((sum, budget) => sum + budget.counted(), 0),
      limit: budgets.reduce((sum, { limit }) => sum + limit, 0),
    };
  }

  async #store(): Promise<void> {
    if (this.#isStoring) return;
    this.#isStoring = true;
    const counts = [...this.#budgets.values()].map((budget) => budget.counted());
    await this.#pool
      .query({ name: "note-portal-paces", text: NOTE, values: [[...this.#budgets.keys()], counts] })
      .catch(() => undefined);
    this.#isStoring = false;
  }
}
