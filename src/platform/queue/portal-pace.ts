import type { Pool } from "pg";

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
  readonly #counts = new Map<bigint, () => number>();
  #timer: NodeJS.Timeout | undefined;
  #isStoring = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Begins to record a portal's pace.
   *
   * @param counted the owner's requests in HubSpot's window now.
   * @returns a function that stops.
   */
  begin(portalId: bigint, counted: () => number): () => void {
    this.#counts.set(portalId, counted);
    this.#timer ??= setInterval(() => void this.#store(), NOTE_EVERY_MS);
    return () => {
      if (this.#counts.get(portalId) === counted) this.#counts.delete(portalId);
      if (this.#counts.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  async #store(): Promise<void> {
    if (this.#isStoring) return;
    this.#isStoring = true;
    const counts = [...this.#counts.values()].map((counted) => counted());
    await this.#pool
      .query({ name: "note-portal-paces", text: NOTE, values: [[...this.#counts.keys()], counts] })
      .catch(() => undefined);
    this.#isStoring = false;
  }
}
