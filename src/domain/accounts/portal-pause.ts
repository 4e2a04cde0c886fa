import type { Pool } from "pg";
import { undecidedRows } from "#domain/contract/undecided.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";

/** How long a pause lasts, and what for. */
export interface PauseTerms {
  /** Null: until someone resumes. */
  readonly until: Date | null;
  readonly reason: string | null;
}

const WITHOUT_END: PauseTerms = { until: null, reason: null };

/**
 * Pauses or resumes the portal. Does nothing if it is already in that state. The settings' version stays the same: no
 * form of the site contains the pause, so no form being filled in becomes out of date.
 *
 * @param pause false resumes; true pauses until someone resumes.
 */
export async function setPaused(pool: Pool, actor: Actor, pause: boolean | PauseTerms): Promise<void> {
  const isPaused = pause !== false;
  const { until, reason } = typeof pause === "boolean" ? WITHOUT_END : pause;
  requireRight(actor, isPaused ? "pausePortal" : "resumePortal");
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `INSERT INTO portal_settings AS s (portal_id, paused_at, paused_until, pause_reason)
       SELECT $1, now(), $3, $4 WHERE $2 OR EXISTS (SELECT FROM portal_settings WHERE portal_id = $1)
       ON CONFLICT (portal_id) DO UPDATE SET paused_at = CASE WHEN $2 THEN now() END,
                                             paused_until = CASE WHEN $2 THEN $3::timestamptz END,
                                             pause_reason = CASE WHEN $2 THEN $4 END, updated_at = now()
         WHERE (s.paused_at IS NOT NULL) <> $2`,
      [actor.portalId, isPaused, until, reason],
    );
    if (rowCount === 0) return;
    if (!isPaused)
      await client.query("UPDATE portal_drains SET resumed_at = now() WHERE portal_id = $1", [
        actor.portalId,
      ]);
    const [underWay, paused] = [{ enrolling: "under_way" }, { enrolling: "paused" }];
    const terms = { ...(until && { pausedUntil: until.toISOString() }), ...(reason && { reason }) };
    await recordChange(client, actor, {
      subject: "portal",
      subjectName: "Enrollment",
      action: isPaused ? "PAUSED" : "RESUMED",
      before: isPaused ? underWay : paused,
      after: isPaused ? { ...paused, ...terms } : underWay,
    });
  });
}

/**
 * Portals whose pause should have ended by now. An older release that pauses leaves the end of the previous pause in
 * place, which says nothing about the new one.
 */
export async function findEndedPauses(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "find-ended-pauses",
    text: "SELECT portal_id FROM portal_settings WHERE paused_until <= now() AND paused_at < paused_until",
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
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
  /** Results that an erasure would remove, up to {@link MOST_RECORDS_COUNTED}. */
  readonly records: number;
}

/** Read from an index alone: a few milliseconds. */
export const MOST_RECORDS_COUNTED = 100_000;

export async function readDangerState(pool: Pool, portalId: PortalId): Promise<DangerState> {
  const { rows } = await pool.query<{
    paused_at: Date | null;
    erase_requested_at: Date | null;
    records: number;
  }>(
    `WITH settings AS (SELECT paused_at, erase_requested_at, erased_before FROM portal_settings WHERE portal_id = $1)
     SELECT counted.records, settings.paused_at, settings.erase_requested_at
       FROM (SELECT count(*)::int AS records FROM (
              SELECT FROM executions
               WHERE portal_id = $1 AND decided_at > coalesce((SELECT erased_before FROM settings), '-infinity')
               ORDER BY decided_at DESC LIMIT $2) AS newest) AS counted
       LEFT JOIN settings ON true`,
    [portalId, MOST_RECORDS_COUNTED],
  );
  const { paused_at: pausedAt = null, erase_requested_at = null, records = 0 } = rows[0] ?? {};
  return { pausedAt, isErasing: erase_requested_at !== null, records };
}

/** What every page shows of a pause. */
export interface Pause {
  readonly since: Date;
  /** Address of whoever paused; null if it is not known anymore. */
  readonly by: string | null;
  /** Contacts that wait to be enrolled. */
  readonly waiting: number;
  /** There are more than were counted. */
  readonly isPartial: boolean;
  /** When the first of them is released without being enrolled; null if none waits, or not all were counted. */
  readonly firstDeadlineAt: Date | null;
  /** When it ends by itself; null: when someone resumes. */
  readonly until: Date | null;
  /** As whoever paused typed it. */
  readonly reason: string | null;
}

/** Counted on every page: no more than can be read in a few milliseconds. */
const MOST_WAITING_COUNTED = 5_000;

/** Read only for portals that are paused: one statement. */
export async function readPause(pool: Pool, portalId: PortalId, since: Date): Promise<Pause> {
  const { rows } = await pool.query<{
    user_email: string | null;
    waiting: number;
    first_deadline: Date | null;
    paused_until: Date | null;
    pause_reason: string | null;
  }>({
    name: "read-pause",
    text: `
      SELECT (SELECT user_email FROM audit_entries
               WHERE portal_id = $1 AND subject = 'portal' AND action = 'PAUSED' ORDER BY id DESC LIMIT 1) AS user_email,
             (SELECT paused_until FROM portal_settings WHERE portal_id = $1 AND paused_until > paused_at),
             (SELECT pause_reason FROM portal_settings WHERE portal_id = $1),
             count(*)::int AS waiting, min(deadline_at) AS first_deadline
        FROM (${undecidedRows({ columns: "e.deadline_at", portalId: "$1", limit: "$2" })} LIMIT $2) AS open`,
    values: [portalId, MOST_WAITING_COUNTED],
  });
  const { user_email: by = null, waiting = 0, first_deadline: first = null } = rows[0] ?? {};
  const { paused_until: until = null, pause_reason: reason = null } = rows[0] ?? {};
  const isPartial = waiting >= MOST_WAITING_COUNTED;
  return { since, by, waiting, isPartial, firstDeadlineAt: isPartial ? null : first, until, reason };
}
