import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** How an account is doing, for whoever runs the service. */
export interface PortalHealth {
  readonly portalId: PortalId;
  readonly hubDomain: string | null;
  /** CONNECTED or DISCONNECTED. */
  readonly status: string;
  /** Why it does not work, as a code: DISCONNECTED, PAUSED, HUBSPOT, or the code of our own fault. Null: it works. */
  readonly trouble: string | null;
  /** A worker has it now. */
  readonly isAtWork: boolean;
  /** Contacts that wait to be enrolled or looked up, counted to {@link MOST_WAITING_COUNTED}. */
  readonly waiting: number;
  /** Outcomes not yet reported to HubSpot, counted the same way. */
  readonly unreported: number;
  /** Since when the first of either is due; null: nothing is. */
  readonly dueSince: Date | null;
  readonly installedAt: Date;
}

/** More are not counted: the list stays quick beside any backlog. */
export const MOST_WAITING_COUNTED = 10_000;

interface Row {
  portal_id: string;
  hub_domain: string | null;
  status: string;
  trouble: string | null;
  is_at_work: boolean;
  waiting: number;
  unreported: number;
  due_since: Date | null;
  installed_at: Date;
}

const counted = (state: string): string => `(SELECT count(*)::int FROM (
  SELECT FROM executions e WHERE e.portal_id = p.portal_id AND e.state = '${state}' LIMIT ${MOST_WAITING_COUNTED}) AS open)`;
const firstDue = (state: string): string =>
  `(SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = '${state}')`;

/** Every account, or the one requested: those with a problem first, then those with the longest overdue work. */
export async function listPortalHealth(pool: Pool, portalId?: PortalId): Promise<PortalHealth[]> {
  const { rows } = await pool.query<Row>(
    `SELECT * FROM (
     SELECT p.portal_id, p.hub_domain, p.status, p.installed_at,
            CASE WHEN p.status <> 'CONNECTED' THEN 'DISCONNECTED' WHEN s.paused_at IS NOT NULL THEN 'PAUSED'
                 WHEN d.circuit_trips > 0 THEN coalesce(d.circuit_cause, 'HUBSPOT') END AS trouble,
            NOT coalesce(d.is_released, true) AS is_at_work,
            ${counted("QUEUED")} + ${counted("UNCERTAIN")} AS waiting, ${counted("DECIDED")} AS unreported,
            CASE WHEN due.since <= now() THEN due.since END AS due_since
       FROM portals p LEFT JOIN portal_drains d USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)
      CROSS JOIN LATERAL (SELECT least(${firstDue("QUEUED")}, ${firstDue("UNCERTAIN")}, ${firstDue("DECIDED")}) AS since) AS due
      WHERE $1::bigint IS NULL OR p.portal_id = $1
     ) AS health
      ORDER BY trouble IS NULL, due_since NULLS LAST, portal_id`,
    [portalId ?? null],
  );
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    hubDomain: row.hub_domain,
    status: row.status,
    trouble: row.trouble,
    isAtWork: row.is_at_work,
    waiting: row.waiting,
    unreported: row.unreported,
    dueSince: row.due_since,
    installedAt: row.installed_at,
  }));
}

/** Results of the last day by status or error code, most first. */
export async function countOutcomesOfADay(
  pool: Pool,
  portalId: PortalId,
): Promise<{ readonly outcome: string; readonly executions: number }[]> {
  const { rows } = await pool.query<{ outcome: string; executions: number }>(
    `SELECT coalesce(error_code, enrollment_status, execution_state) AS outcome, count(*)::int AS executions
       FROM executions WHERE portal_id = $1 AND decided_at > now() - interval '1 day'
      GROUP BY 1 ORDER BY 2 DESC, 1`,
    [portalId],
  );
  return rows;
}
