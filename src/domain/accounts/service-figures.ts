import type { Pool } from "pg";
import { OPEN_STATES } from "#domain/contract/execution.js";

/** How much of something there is, and for how long the oldest has been due, in seconds; 0: nothing is due. */
export interface Depth {
  readonly count: number;
  readonly oldestDueSeconds: number;
}

/** What is waiting in all accounts together, for whoever runs the service. Nothing here names an account. */
export interface ServiceFigures {
  /**
   * Open executions by state. What is due in accounts that nobody may work on now (disconnected, paused, stopped by a
   * fault) counts, but does not age.
   */
  readonly executions: ReadonlyMap<string, Depth>;
  /** Accounts by status. */
  readonly portals: ReadonlyMap<string, number>;
  readonly pausedPortals: number;
  /** Accounts whose work has been due for minutes without a worker taking it. */
  readonly unattendedPortals: number;
  /**
   * Messages that customers' programs have not accepted yet. Those to endpoints that fail do not age: they get one try
   * at a time.
   */
  readonly webhooks: Depth;
  /** Imports that someone waits for, by state. */
  readonly imports: ReadonlyMap<string, number>;
  readonly databaseBytes: number;
}

const IS_AT_WORK = `(SELECT p.portal_id FROM portals p LEFT JOIN portal_drains d USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)
  WHERE p.status = 'CONNECTED' AND s.paused_at IS NULL AND coalesce(d.circuit_trips, 0) = 0)`;

/** By the partial index of the state: a condition that the planner can match with the index's own. */
const INDEX_CONDITIONS: Readonly<Record<(typeof OPEN_STATES)[number], string>> = {
  QUEUED: `state = 'QUEUED'`,
  ATTEMPTING: `state IN ('ATTEMPTING', 'UNCERTAIN') AND epoch IS NOT NULL AND state = 'ATTEMPTING'`,
  UNCERTAIN: `state = 'UNCERTAIN'`,
  WATCHING: `state = 'WATCHING'`,
  DECIDED: `state = 'DECIDED'`,
};

/** Groups by account first: ages need to know whose rows they are, and an account has one row then. */
const EXECUTIONS = OPEN_STATES.map(
  (state) => `
  SELECT '${state}' AS state, coalesce(sum(open.count), 0)::int AS count,
         coalesce(greatest(extract(epoch FROM now() - min(open.first_due) FILTER (WHERE open.portal_id IN ${IS_AT_WORK})), 0), 0)::float8 AS age
    FROM (SELECT portal_id, count(*) AS count, min(due_at) AS first_due FROM executions
           WHERE ${INDEX_CONDITIONS[state]} GROUP BY portal_id) AS open`,
).join("\n  UNION ALL");

/** Longer than any turn waits for a place while workers are busy, and longer than a dead owner is waited for. */
const UNATTENDED_AFTER = "5 minutes";

const PORTALS = `
  SELECT p.status, count(*)::int AS portals,
         count(*) FILTER (WHERE p.status = 'CONNECTED' AND s.paused_at IS NOT NULL)::int AS paused,
         count(*) FILTER (WHERE p.status = 'CONNECTED' AND s.paused_at IS NULL AND coalesce(d.circuit_trips, 0) = 0
           AND coalesce(d.acquired_at, '-infinity') < now() - interval '${UNATTENDED_AFTER}'
           AND least((SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'QUEUED'),
                     (SELECT min(e.due_at) FROM executions e WHERE e.portal_id = p.portal_id AND e.state = 'DECIDED'))
               < now() - interval '${UNATTENDED_AFTER}')::int AS unattended
    FROM portals p LEFT JOIN portal_drains d USING (portal_id) LEFT JOIN portal_settings s USING (portal_id)
   GROUP BY p.status`;

const OTHERS = `
  SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'PENDING')::int AS webhooks,
         (SELECT coalesce(greatest(extract(epoch FROM now() - min(w.due_at)), 0), 0)::float8
            FROM webhook_deliveries w JOIN webhook_subscriptions s ON s.portal_id = w.portal_id AND s.id = w.subscription_id
           WHERE w.state = 'PENDING' AND s.status = 'ACTIVE' AND s.failing_since IS NULL) AS webhook_age,
         pg_database_size(current_database())::float8 AS database_bytes`;

const IMPORT_STATES = ["READING", "CHECKING", "RUNNING"];
const IMPORTS = `
  SELECT state, count(*)::int AS imports FROM imports
   WHERE state IN ('READING', 'CHECKING', 'RUNNING') GROUP BY state`;

/** Takes as long as it takes to read the indexes of what is open. */
export async function readServiceFigures(pool: Pool): Promise<ServiceFigures> {
  const executions = await pool.query<{ state: string; count: number; age: number }>({
    name: "count-open-executions",
    text: EXECUTIONS,
  });
  const portals = await pool.query<{ status: string; portals: number; paused: number; unattended: number }>({
    name: "count-portals",
    text: PORTALS,
  });
  const imports = await pool.query<{ state: string; imports: number }>({
    name: "count-imports",
    text: IMPORTS,
  });
  const others = await pool.query<{ webhooks: number; webhook_age: number; database_bytes: number }>({
    name: "count-other-figures",
    text: OTHERS,
  });
  const [other] = others.rows;
  const sum = (of: (row: (typeof portals.rows)[number]) => number) =>
    portals.rows.reduce((total, row) => total + of(row), 0);
  return {
    executions: new Map(
      executions.rows.map(({ state, count, age }) => [state, { count, oldestDueSeconds: age }]),
    ),
    portals: new Map([
      ["CONNECTED", 0],
      ["DISCONNECTED", 0],
      ...portals.rows.map((row) => [row.status, row.portals] as const),
    ]),
    pausedPortals: sum(({ paused }) => paused),
    unattendedPortals: sum(({ unattended }) => unattended),
    webhooks: { count: other?.webhooks ?? 0, oldestDueSeconds: other?.webhook_age ?? 0 },
    imports: new Map([
      ...IMPORT_STATES.map((state) => [state, 0] as const),
      ...imports.rows.map((row) => [row.state, row.imports] as const),
    ]),
    databaseBytes: other?.database_bytes ?? 0,
  };
}
