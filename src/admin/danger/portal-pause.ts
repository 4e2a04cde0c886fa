import type { Pool } from "pg";
import { inTransaction } from "../../db/transaction.js";
import { recordChange } from "../audit/record-change.js";
import type { SessionIdentity } from "../session/session.js";

/** Keeps the portal from enrolling, or lets it again. Does nothing where it is as asked already. */
export async function setPaused(pool: Pool, by: SessionIdentity, isPaused: boolean): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_settings AS s (portal_id, paused_at, version)
       SELECT $1, now(), 1 WHERE $2 OR EXISTS (SELECT FROM portal_settings WHERE portal_id = $1)
       ON CONFLICT (portal_id) DO UPDATE SET paused_at = CASE WHEN $2 THEN now() END,
         version = s.version + 1, updated_at = now()
         WHERE (s.paused_at IS NOT NULL) <> $2`,
      [by.portalId, isPaused],
    );
    if (rowCount === 0) return;
    const action = isPaused ? "PAUSED" : "RESUMED";
    await recordChange(client, { by, subject: "portal", subjectName: "Enrolling", action });
  });
}

/** Asks the workers to erase the portal's history; they do within seconds (jobs/erase-history.ts). */
export async function requestErasure(pool: Pool, by: SessionIdentity): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(
      `INSERT INTO portal_settings (portal_id, erase_requested_at) VALUES ($1, now())
       ON CONFLICT (portal_id) DO UPDATE SET erase_requested_at = now(), updated_at = now()`,
      [by.portalId],
    );
    await recordChange(client, { by, subject: "portal", subjectName: "History", action: "DELETED" });
  });
}

export interface DangerState {
  /** Set while an admin keeps the portal from enrolling. */
  readonly pausedAt: Date | null;
  /** True while the workers are still deleting. */
  readonly isErasing: boolean;
}

export async function readDangerState(pool: Pool, portalId: bigint): Promise<DangerState> {
  const { rows } = await pool.query<{ paused_at: Date | null; erase_requested_at: Date | null }>(
    "SELECT paused_at, erase_requested_at FROM portal_settings WHERE portal_id = $1",
    [portalId],
  );
  const [row] = rows;
  return { pausedAt: row?.paused_at ?? null, isErasing: (row?.erase_requested_at ?? null) !== null };
}
