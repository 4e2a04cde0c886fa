import pg from "pg";
import { prepareSession } from "../session.js";

/** A session that holds a lock another waits for. Never includes its statement, which may contain personal data. */
export interface LockHolder {
  readonly pid: number;
  readonly application: string;
  /** As in pg_stat_activity: `idle in transaction`, `active`; null if the server does not let us see it. */
  readonly activity: string | null;
  /** How long its transaction has been open. */
  readonly ageSeconds: number | null;
}

const HOLDERS = `
  SELECT pid, application_name AS application, state AS activity, round(extract(epoch FROM clock_timestamp() - xact_start))::int AS "ageSeconds"
    FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1)) ORDER BY xact_start`;

const TIMEOUT_MS = 2_000;

/** Who blocks the session with this process id now; empty if that cannot be found out. */
export function lockHolders(url: string, waitingPid: number): Promise<LockHolder[]> {
  return ask<LockHolder>(url, HOLDERS, waitingPid);
}

/** Ends what the session with this process id is at, with an error; the session stays. Never fails. */
export async function cancelStatement(url: string, pid: number): Promise<void> {
  await ask(url, "SELECT pg_cancel_backend($1)", pid);
}

/** Asks beside the session that it is about; empty if no answer can be had. */
async function ask<Row extends pg.QueryResultRow>(url: string, sql: string, pid: number): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "sequence-enroller migrations",
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await prepareSession(client, { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS });
    return (await client.query<Row>(sql, [pid])).rows;
  } catch {
    return [];
  } finally {
    await client.end().catch(() => undefined);
  }
}
