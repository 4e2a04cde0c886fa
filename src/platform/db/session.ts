import pg from "pg";

/** How long a session's statements may run, and wait for another session's lock. 0: no limit. */
export interface SessionLimits {
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
}

/** Between two statements of a transaction nothing here takes longer, unless the process stopped or vanished. */
const IDLE_IN_TRANSACTION_MS = 5_000;

/**
 * A machine that vanishes sends nothing, and its sessions keep their locks: the server probes the other end itself. It
 * ends the session 25 s after the last sign of life, or 20 s after an unacknowledged answer.
 */
const PEER_CHECKS = {
  tcp_keepalives_idle: "10s",
  tcp_keepalives_interval: "5s",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "20s",
};

/** The same from this end of the connection. */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * Settings the app's statements rely on. The operator may have changed their defaults for the server, the database or
 * the role. Settings that only affect plans or permissions stay the operator's, and so does read-only (writable.ts).
 */
const TAKEN_FOR_GRANTED = {
  // Prisma reads and writes times without their zone, and both drivers read only this style.
  TimeZone: "UTC",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  bytea_output: "hex",
  standard_conforming_strings: "on",
  extra_float_digits: "1",
  array_nulls: "on",
  transform_null_equals: "off",
  // Statements that wait for each other's rows expect to see the new version, not to fail.
  default_transaction_isolation: "read committed",
  // Connections are idle in a pool, and one only listens.
  idle_session_timeout: "0",
};

/**
 * Settings that depend on the current value. Accepted calls must survive a crash; a stronger setting than "on" is kept.
 */
const CONDITIONAL = [
  `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
  // Unknown before PostgreSQL 17.
  `SELECT set_config('transaction_timeout', '0', false) WHERE current_setting('transaction_timeout', true) IS NOT NULL`,
  // A path that leads nowhere is replaced; any other is a choice of where the tables are.
  `SELECT set_config('search_path', 'public', false) WHERE current_schema() IS NULL`,
];

/** One round trip. Statements, since a pooler such as PgBouncer refuses settings in the start-up packet. */
function settingsSql({ statementTimeoutMs, lockTimeoutMs }: SessionLimits): string {
  const settings = {
    ...TAKEN_FOR_GRANTED,
    statement_timeout: `${statementTimeoutMs}ms`,
    lock_timeout: `${lockTimeoutMs}ms`,
    idle_in_transaction_session_timeout: `${IDLE_IN_TRANSACTION_MS}ms`,
    ...PEER_CHECKS,
  };
  const lines = Object.entries(settings).map(([name, value]) => `SET ${name} = '${value}'`);
  return [...lines, ...CONDITIONAL].join("; ");
}

/** Makes a new connection safe for others: whatever happens to this process, its locks are released within seconds. */
export async function prepareSession(client: pg.ClientBase, limits: SessionLimits): Promise<void> {
  await client.query(settingsSql(limits));
}

/** Called with each failure of a statement or a connection. Must not throw. */
export type OnDatabaseFault = (fault: unknown) => void;

/** All faults of all statements pass through here, whoever sent them and whatever happens to them afterward. */
function clientThatTells(onFault: OnDatabaseFault): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config);
      this.connection.on("errorMessage", onFault);
      this.connection.on("error", onFault);
    }
  };
}

/**
 * Options of a pg.Pool whose connections are all prepared before their first query. One that cannot be prepared is
 * closed, and its caller gets the fault. `onFault` is called with every fault.
 */
export function preparedSessions(
  limits: SessionLimits,
  onFault: OnDatabaseFault = () => undefined,
): Pick<pg.PoolConfig, "Client"> & { onConnect: (client: pg.ClientBase) => Promise<void> } {
  return { onConnect: (client) => prepareSession(client, limits), Client: clientThatTells(onFault) };
}
