import type { Pool } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";

/**
 * Pauses or resumes the portal. Does nothing if it is already in that state. The settings' version stays the same: no
 * form of the site contains the pause, so no form being filled in becomes out of date.
 */
export async function setPaused(pool: Pool, actor: Actor, isPaused: boolean): Promise<void> {
  requireRight(actor, isPaused ? "pausePortal" : "resumePortal");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_settings AS s (portal_id, paused_at)
       SELECT $1, now() WHERE $2 OR EXISTS (SELECT FROM portal_settings WHERE portal_id = $1)
       ON CONFLICT (portal_id) DO UPDATE SET paused_at = CASE WHEN $2 THEN now() END, updated_at = now()
         WHERE (s.paused_at IS NOT NULL) <> $2`,
      [actor.portalId, isPaused],
    );
    if (rowCount === 0) return;
    if (!isPaused)
      await client.query("UPDATE portal_drains SET resumed_at = now() WHERE portal_id = $1", [
        actor.portalId,
      ]);
    const [underWay, paused] = [{ enrolling: "under_way" }, { enrolling: "paused" }];
    await recordChange(client, actor, {
      subject: "portal",
      subjectName: "Enrolling",
      action: isPaused ? "PAUSED" : "RESUMED",
      before: isPaused ? underWay : paused,
      after: isPaused ? paused : underWay,
    });
  });
}

/**
 * Asks the workers to erase the portal's history; they do within seconds (worker/sweeps/erase-history.ts). One erasure
 * at a time: a request during one adds nothing.
 */
export async function requestErasure(pool: Pool, actor: Actor): Promise<void> {
  requireRight(actor, "requestErasure");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_settings AS s (portal_id, erase_requested_at) VALUES ($1, now())
       ON CONFLICT (portal_id) DO UPDATE SET erase_requested_at = now(), updated_at = now()
         WHERE s.erase_requested_at IS NULL`,
      [actor.portalId],
    );
    if (rowCount === 0) return;
    await recordChange(client, actor, {
      subject: "portal",
      subjectName: "History",
      action: "DELETED",
      before: { history: "kept" },
      after: { history: "deleted" },
    });
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
