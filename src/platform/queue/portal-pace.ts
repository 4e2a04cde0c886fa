import type { Pool } from "pg";

const NOTE_EVERY_MS = 2_000;

/**
 * Notes for the settings site how many requests of a portal's owner HubSpot counts, every other second until it is told
 * to stop. Of no consequence for the work: a note that cannot be stored is left out.
 *
 * @param counted the owner's requests in HubSpot's window now.
 * @returns ends the noting.
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
