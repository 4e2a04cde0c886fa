import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Contacts that came in today and how it went for them; `waiting` are all that wait now, whenever they came in. */
export interface Today {
  since: Date;
  enrolled: number;
  alreadyEnrolled: number;
  skipped: number;
  failed: number;
  waiting: number;
  /** True if there were more than are counted. */
  isPartial: boolean;
}

/** Newest executions looked at: the tab is opened for a glance, not for a report. */
const COUNT_LIMIT = 50_000;

type Row = Omit<Today, "since" | "isPartial"> & { seen: number };

/** Reads the newest executions by the primary key and the open ones by their partial indexes, never the whole history. */
export async function readToday(pool: Pool, portalId: PortalId, since: Date): Promise<Today> {
  const { rows } = await pool.query<Row>(
    `WITH newest AS (
       SELECT kind, enrollment_status, accepted_at FROM executions WHERE portal_id = $1 ORDER BY id DESC LIMIT $3
     ), today AS (
       SELECT enrollment_status AS status FROM newest WHERE accepted_at >= $2 AND kind = 'ENROLL'
     ), open AS (
       (SELECT kind FROM executions WHERE portal_id = $1 AND state = 'QUEUED' ORDER BY due_at, id LIMIT $3)
       UNION ALL
       (SELECT kind FROM executions WHERE portal_id = $1 AND state = 'UNCERTAIN' ORDER BY due_at, id LIMIT $3)
       UNION ALL
       (SELECT kind FROM executions
         WHERE portal_id = $1 AND state = 'ATTEMPTING' AND epoch IS NOT NULL ORDER BY epoch LIMIT $3)
       UNION ALL
       (SELECT kind FROM executions
         WHERE portal_id = $1 AND state = 'WATCHING' ORDER BY due_at, id LIMIT $3)
     )
     SELECT count(*) FILTER (WHERE status = 'ENROLLED')::int AS enrolled,
       count(*) FILTER (WHERE status = 'ALREADY_ENROLLED')::int AS "alreadyEnrolled",
       count(*) FILTER (WHERE status = 'SKIPPED')::int AS skipped,
       count(*) FILTER (WHERE status = 'FAILED')::int AS failed,
       count(*)::int AS seen,
       (SELECT count(*)::int FROM open WHERE kind = 'ENROLL') AS waiting
     FROM today`,
    [portalId, since, COUNT_LIMIT],
  );
  const { seen = 0, ...counts } = rows[0] ?? EMPTY;
  return { since, ...counts, isPartial: seen >= COUNT_LIMIT || counts.waiting >= COUNT_LIMIT };
}

const EMPTY: Row = { enrolled: 0, alreadyEnrolled: 0, skipped: 0, failed: 0, waiting: 0, seen: 0 };
