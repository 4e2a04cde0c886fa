import type { Pool } from "pg";
import type { Ownership } from "#domain/executions/claim.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import {
  ENTRY_DEADLINE_HOURS,
  type DueEntry,
  type FlowEntryOutcome,
  type FlowEntryState,
} from "./flow-entry.js";

interface DueRow {
  id: string;
  flow_id: string;
  contact_id: string | null;
  email: string | null;
  state: DueEntry["state"];
  stamp: string | null;
  tries: number;
  is_too_late: boolean;
}

/** Up to `limit` that are due, the longest waiting first. */
export async function readDueEntries(
  { pool, portalId }: { readonly pool: Pool; readonly portalId: PortalId },
  limit: number,
): Promise<DueEntry[]> {
  const { rows } = await pool.query<DueRow>({
    name: "read-due-flow-entries",
    text: `SELECT id, flow_id, contact_id, email, state, stamp, tries,
                  created_at < now() - interval '${ENTRY_DEADLINE_HOURS} hours' AS is_too_late
             FROM flow_entries WHERE portal_id = $1 AND state <> 'DONE' AND due_at <= now() ORDER BY due_at, id LIMIT $2`,
    values: [portalId, limit],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    flowId: row.flow_id,
    contactId: row.contact_id ?? undefined,
    email: row.email ?? undefined,
    state: row.state,
    stamp: row.stamp ?? undefined,
    tries: row.tries,
    isTooLate: row.is_too_late,
  }));
}

/** What happens to an entry; what is left out stays as it was. */
export interface EntryMove {
  readonly of: Pick<DueEntry, "id" | "state">;
  readonly to: FlowEntryState;
  /** When the next step is due, in ms from now; DONE: now. */
  readonly dueInMs?: number;
  readonly contactId?: string;
  readonly email?: string;
  /** Stored before it is written. */
  readonly stamp?: string;
  readonly outcome?: FlowEntryOutcome;
  readonly message?: string | undefined;
  /** Failed requests since the last that succeeded. */
  readonly tries?: number;
}

/**
 * Moves entries on under the lease, in one statement. Of two that want to stamp the same contact the later one has to
 * wait. The address goes once it is done, unless it is all that the entry names.
 *
 * @returns those that were moved; none of one that someone else moved, nor once the lease is lost.
 */
export async function writeEntries(
  owner: Ownership,
  moves: readonly EntryMove[],
): Promise<ReadonlySet<bigint>> {
  if (moves.length === 0) return new Set();
  const column = (value: (move: EntryMove) => unknown) => moves.map((move) => value(move) ?? null);
  const { rows } = await owner.pool.query<{ id: string }>({
    name: "write-flow-entries",
    text: `
      WITH ${owner.leaseCte}, move AS (
        SELECT * FROM unnest($3::bigint[], $4::text[], $5::text[], $6::float8[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[])
          AS row (id, from_state, to_state, due_in_ms, contact_id, email, stamp, outcome, message, tries)
      )
      UPDATE flow_entries w
         SET state = m.to_state, due_at = now() + coalesce(m.due_in_ms, 0) * interval '1 millisecond',
             contact_id = coalesce(m.contact_id, w.contact_id),
             email = CASE WHEN m.to_state = 'DONE' AND coalesce(m.contact_id, w.contact_id) IS NOT NULL THEN NULL
                          ELSE coalesce(m.email, w.email) END,
             stamp = coalesce(m.stamp, w.stamp), outcome = coalesce(m.outcome, w.outcome), message = m.message,
             tries = coalesce(m.tries, 0), ended_at = CASE WHEN m.to_state = 'DONE' THEN now() END
        FROM move m, lease
       WHERE w.portal_id = lease.portal_id AND w.id = m.id AND w.state = m.from_state
         AND (m.to_state <> 'STAMPING' OR m.from_state = 'STAMPING' OR NOT EXISTS (
           SELECT FROM flow_entries o
            WHERE o.portal_id = w.portal_id AND o.contact_id = coalesce(m.contact_id, w.contact_id) AND o.id <> w.id
              AND o.state IN ('STAMPING', 'STAMPED', 'CLEARING')))
      RETURNING w.id`,
    values: [
      owner.portalId,
      owner.epoch,
      column(({ of }) => of.id),
      column(({ of }) => of.state),
      column(({ to }) => to),
      column(({ dueInMs }) => dueInMs),
      column(({ contactId }) => contactId),
      column(({ email }) => email),
      column(({ stamp }) => stamp),
      column(({ outcome }) => outcome),
      column(({ message }) => message),
      column(({ tries }) => tries),
    ],
  });
  return new Set(rows.map(({ id }) => BigInt(id)));
}
