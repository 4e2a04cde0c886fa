import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import type { Logger } from "#platform/observability/logger.js";
import { endedBy } from "./ended-by.js";
import { PrismaClient } from "./generated/client.js";
import { watchPoolWaits } from "./pool-waits.js";
import { KEEP_ALIVE, preparedSessions, type OnDatabaseFault } from "./session.js";

/** A PostgreSQL database: hand-written SQL goes through `pool`, everything else through `prisma`; both share connections. */
export interface Database {
  readonly pool: pg.Pool;
  /** Made when it is first asked for. */
  readonly prisma: PrismaClient;
  /** Holds the password: for connecting elsewhere (the queue), never for printing. */
  readonly url: string;
  /**
   * The same for one answer: when `signal` aborts, statements of its pool that still run are canceled at the server,
   * through another connection, and no new ones begin (AnswerNotWanted).
   */
  until(signal: AbortSignal): Database;
  /** The same, with hand-written SQL through this pool: all of it part of one transaction, for example. */
  through(pool: pg.Pool): Database;
  /** Waits for queries under way, then closes every connection. May be called twice. */
  close(): Promise<void>;
}

/** How long a query may wait for a free connection, or a connection for the server, before it fails: by default. */
const CONNECT_TIMEOUT_MS = 1000;

/** No statement of the work needs longer; one that does is stuck and would hold its connection forever. */
const STATEMENT_TIMEOUT_MS = 15_000;

/**
 * Nothing here holds a lock for longer than a moment, so a holder that takes longer has stopped or vanished: the
 * statement fails and is tried again, instead of keeping its connection and everyone behind it waiting.
 */
const LOCK_TIMEOUT_MS = 2_000;

/**
 * Opens a pool of connections. Connects lazily: an unreachable server shows at the first query, and after a server
 * restart the next query opens new connections.
 *
 * @param options.applicationName how the connections are named in pg_stat_activity.
 * @param options.poolSize most connections at once; a further query fails after a while rather than queueing unseen.
 * @param options.connectTimeoutMs how long it waits for one; by default a second.
 * @param options.statementTimeoutMs after which the server ends a statement; by default 15 s.
 * @param options.lockTimeoutMs after which it ends one that waits for another session's lock; by default 2 s.
 * @param options.onFault called with every fault of its connections and statements.
 * @param options.onPoolWait called with how long a query waited for a connection, if it had to.
 * @param options.logger logs idle connections that the server dropped.
 */
export function openDatabase(options: {
  url: string;
  applicationName: string;
  poolSize: number;
  connectTimeoutMs?: number;
  statementTimeoutMs?: number;
  lockTimeoutMs?: number;
  onFault?: OnDatabaseFault;
  onPoolWait?: (waitedMs: number) => void;
  logger?: Logger;
}): Database {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, statementTimeoutMs = STATEMENT_TIMEOUT_MS } = options;
  const { lockTimeoutMs = LOCK_TIMEOUT_MS } = options;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    // The server ends what runs too long; if the server itself hangs, the client gives the connection up.
    ...preparedSessions({ statementTimeoutMs, lockTimeoutMs }, options.onFault),
    query_timeout: statementTimeoutMs + 1000,
    ...KEEP_ALIVE,
  });
  // Without a listener the loss of an idle connection would end the process. The pool has already dropped it.
  pool.on("error", (error) =>
    options.logger?.warn({ err: error }, "the database dropped an idle connection"),
  );
  // The same for a checked-out connection that is idle inside a transaction: its holder learns of the loss from the
  // next query.
  pool.on("connect", (client) => client.on("error", () => undefined));
  if (options.onPoolWait !== undefined) watchPoolWaits(pool, options.poolSize, options.onPoolWait);
  let prisma: PrismaClient | undefined;
  const canceller = openCanceller(options);
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    await prisma?.$disconnect();
    await Promise.all([pool.end(), canceller.end()]);
  };
  const through = (given: pg.Pool): Database => ({
    pool: given,
    // It takes 7 MB, and whoever takes calls and batches alone never needs it.
    get prisma() {
      return (prisma ??= new PrismaClient({ adapter: new PrismaPg(pool) }));
    },
    url: options.url,
    until,
    through,
    close: () => (closing ??= closeAll()),
  });
  const until = (signal: AbortSignal): Database =>
    through(
      endedBy(pool, signal, (processId) => canceller.query(CANCEL, [processId, options.applicationName])),
    );
  return through(pool);
}

/** For our own sessions only: behind a pooler the number is not the server's, and may be another client's. */
const CANCEL = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
  WHERE pid = $1 AND application_name = $2 AND datname = current_database() AND state = 'active'`;

/**
 * One connection, opened on first use and closed when idle: the pool may be full of the statements that are to be
 * ended.
 */
function openCanceller({ url, applicationName }: { url: string; applicationName: string }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `${applicationName}-cancel`,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...preparedSessions({ statementTimeoutMs: CONNECT_TIMEOUT_MS, lockTimeoutMs: CONNECT_TIMEOUT_MS }),
    query_timeout: CONNECT_TIMEOUT_MS + 1000,
    ...KEEP_ALIVE,
  });
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}
