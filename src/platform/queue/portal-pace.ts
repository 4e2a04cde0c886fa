import type { Pool } from "pg";

const NOTE_EVERY_MS = 2_000;

/**
 * Records for the settings site how many requests of a portal's owner HubSpot counts, every other second until it is
 * stopped. The work does not depend on it: a record that cannot be stored is left out.
 *
 * @param counted the owner's requests in HubSpot's window now.
 * @returns a function that stops.
 */
export function notePace(pool: Pool, portalId: bigint, counted: () => number): () => void {
  const timer = setInterval(() => {
    pool
      .query({
        name: "note-portal-pace",
        text: `
          INSERT INTO portal_paces (portal_id, requests_counted, noted_at) VALUES ($1, $2, now())
          ON CONFLICT (portal_id) DO UPDATE SET requests_counted = excluded.requests_counted, noted_at = excluded.noted_at`,
        values: [portalId, counted()],
      })
      .catch(() => undefined);
  }, NOTE_EVERY_MS);
  return () => {
    clearInterval(timer);
  };
}
