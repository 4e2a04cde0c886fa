import type { PgBoss } from "pg-boss";

/** A claimed drain job. `retryCount` names the attempt, which renewing and handing back are fenced on. */
export interface FetchedPortal {
  readonly id: string;
  readonly retryCount: number;
  readonly portalId: bigint;
}

/**
 * pg-boss's own fetch leaves out the keys that were active when its statistics were taken, up to a minute ago: a portal
 * whose owner died would be passed over for that long. Without them it asks for jobs of active keys too, and the unique
 * index then refuses the whole batch, other portals' jobs included. This one asks who is active now.
 *
 * What it writes is what pg-boss 12.35 writes (plans.js, fetchNextJob); the version is pinned.
 */
const FETCH = `
  WITH next AS (
    SELECT j.id, j.singleton_key, j.state, j.created_on
      FROM pgboss.job j
     WHERE j.name = $1 AND j.state < 'active' AND NOT j.blocked AND j.start_after <= now()
       AND NOT EXISTS (
         SELECT FROM pgboss.job a WHERE a.name = j.name AND a.singleton_key = j.singleton_key AND a.state = 'active')
     ORDER BY j.priority DESC, j.created_on
     LIMIT $2 FOR UPDATE OF j SKIP LOCKED
  ), ranked AS (
    SELECT id, row_number() OVER (PARTITION BY singleton_key ORDER BY state DESC, created_on) AS place FROM next
  )
  UPDATE pgboss.job j
     SET state = 'active', started_on = now(), heartbeat_on = now(),
         retry_count = CASE WHEN j.started_on IS NOT NULL THEN j.retry_count + 1 ELSE j.retry_count END
    FROM ranked
   WHERE j.name = $1 AND j.id = ranked.id AND ranked.place = 1
  RETURNING j.id, j.retry_count, j.singleton_key`;

// https://www.postgresql.org/docs/18/errcodes-appendix.html
const UNIQUE_VIOLATION = "23505";

interface FetchedRow {
  id: string;
  retry_count: number;
  singleton_key: string;
}

/**
 * Claims up to `limit` portals that nobody owns.
 *
 * @returns "again" where another process claimed one of them in the same moment: nothing was claimed here.
 */
export async function fetchPortals(
  db: ReturnType<PgBoss["getDb"]>,
  queue: string,
  limit: number,
): Promise<readonly FetchedPortal[] | "again"> {
  try {
    const { rows }: { rows: FetchedRow[] } = await db.executeSql(FETCH, [queue, limit]);
    return rows.map((row) => ({
      id: row.id,
      retryCount: row.retry_count,
      portalId: BigInt(row.singleton_key),
    }));
  } catch (fault) {
    if ((fault as { code?: unknown }).code === UNIQUE_VIOLATION) return "again";
    throw fault;
  }
}
