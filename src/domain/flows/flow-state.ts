import type { Pool } from "pg";
import { IDLE_SHARE } from "#domain/directory/user-list.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * Why the copy of a portal's workflows is not whole. `SCOPE_MISSING`: the account has not granted the permission;
 * `REFUSED`: HubSpot refused for another reason; `UNAVAILABLE`: it did not answer; `CUT`: its list continues in a form
 * that we do not know, or beyond what we read; `UNREADABLE`: nothing of it was in a form that we know.
 */
export const FLOW_PROBLEMS = ["SCOPE_MISSING", "REFUSED", "UNAVAILABLE", "CUT", "UNREADABLE"] as const;
export type FlowProblem = (typeof FLOW_PROBLEMS)[number];

/** What a reading could not use. */
export interface FlowsReport {
  /** HubSpot's words, of a refusal or an outage. */
  readonly message?: string | undefined;
  /** Workflows and steps that were left out, because their form is not known. */
  readonly leftOut: number;
}

/** How current a portal's copy is; instants by the database's clock. */
export interface FlowsState {
  readonly requestedAt: Date | null;
  readonly readAt: Date | null;
  readonly now: Date;
}

export interface FlowsStateRow {
  flows_requested_at: Date | null;
  flows_read_at: Date | null;
  now: Date;
}

/** SQL: the columns of a FlowsStateRow, of `portals p`, besides `now`. */
export const FLOWS_STATE = "p.flows_requested_at, p.flows_read_at";

export function toFlowsState(row: FlowsStateRow): FlowsState {
  return { requestedAt: row.flows_requested_at, readAt: row.flows_read_at, now: row.now };
}

/** At this age, the copy is renewed. */
const OLD_MS = 3_600_000;
/** A request this far in the future is not ours: a clock was ahead. */
const FARTHEST_REQUEST_MS = 2 * 3_600_000;

/** Whether the copy is to be renewed now: it was requested, or is an hour old; not while a failed attempt rests. */
export function areFlowsDue(state: FlowsState | undefined): boolean {
  if (state === undefined) return false;
  const { requestedAt, readAt, now } = state;
  const untilRequestMs = requestedAt === null ? 0 : requestedAt.getTime() - now.getTime();
  if (untilRequestMs > 0 && untilRequestMs <= FARTHEST_REQUEST_MS) return false;
  if (readAt === null || (requestedAt !== null && requestedAt > readAt)) return true;
  const ageMs = now.getTime() - readAt.getTime();
  return ageMs > OLD_MS || ageMs < 0;
}

export async function readFlowsState(pool: Pool, portalId: PortalId): Promise<FlowsState | undefined> {
  const { rows } = await pool.query<FlowsStateRow>({
    name: "flows-state",
    text: `SELECT ${FLOWS_STATE}, now() AS now FROM portals p WHERE portal_id = $1`,
    values: [portalId],
  });
  return rows[0] && toFlowsState(rows[0]);
}

/** SQL: the portals whose copy is asked for, of `portals p`. */
export const ARE_FLOWS_ASKED =
  "(p.flows_requested_at <= now() AND p.flows_requested_at > coalesce(p.flows_read_at, '-infinity'))";

/**
 * Requests a new copy, unless one was requested or made within `minAgeMs`. An attempt that rests after a failure is
 * then made at once.
 *
 * @returns whether it was requested now: then the portal has to be woken.
 */
export async function requestFlows(
  pool: Pool,
  portalId: PortalId,
  { minAgeMs }: { minAgeMs: number },
): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: "request-flows",
    text: `
      UPDATE portals p SET flows_requested_at = now()
       WHERE portal_id = $1 AND status = 'CONNECTED' AND NOT coalesce(${ARE_FLOWS_ASKED}, false)
         AND coalesce(flows_read_at, '-infinity') <= now() - $2 * interval '1 millisecond'`,
    values: [portalId, minAgeMs],
  });
  return rowCount === 1;
}

/**
 * The same for all accounts whose copy is an hour old, also idle ones: the longest waiting first, and enough at a time
 * that all are read within half an hour.
 *
 * @returns the portals to wake.
 */
export async function requestOldFlows(pool: Pool): Promise<PortalId[]> {
  const { rows } = await pool.query<{ portal_id: string }>({
    name: "request-old-flows",
    text: `
      UPDATE portals SET flows_requested_at = now() WHERE portal_id IN (
        SELECT portal_id FROM portals p
         WHERE p.status = 'CONNECTED' AND coalesce(p.flows_read_at, '-infinity') < now() - $1 * interval '1 millisecond'
           AND (p.flows_requested_at IS NULL OR p.flows_requested_at <= coalesce(p.flows_read_at, '-infinity'))
         ORDER BY coalesce(p.flows_read_at, '-infinity') LIMIT ${IDLE_SHARE} FOR UPDATE SKIP LOCKED
      ) RETURNING portal_id`,
    values: [OLD_MS],
  });
  return rows.map(({ portal_id }) => BigInt(portal_id));
}
