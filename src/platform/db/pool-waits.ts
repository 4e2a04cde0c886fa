import type { Pool, PoolClient } from "pg";

type Connected = (error: Error | undefined, client: PoolClient | undefined, done: () => void) => void;

/**
 * Tells how long queries waited for a connection. Only those that have to wait are timed: while one is free or may be
 * opened, this adds a comparison.
 *
 * @param onWait called with the wait in ms, also if it was in vain.
 */
export function watchPoolWaits(pool: Pool, most: number, onWait: (waitedMs: number) => void): void {
  const connect = pool.connect.bind(pool) as {
    (): Promise<PoolClient>;
    (connected: Connected): void;
  };
  const hasRoom = (): boolean => pool.waitingCount === 0 && (pool.idleCount > 0 || pool.totalCount < most);
  const watched = (connected?: Connected): Promise<PoolClient> | void => {
    if (hasRoom()) return connected === undefined ? connect() : connect(connected);
    const begunMs = performance.now();
    const tell = () => onWait(performance.now() - begunMs);
    if (connected === undefined) return connect().finally(tell);
    return connect((error, client, done) => {
      tell();
      connected(error, client, done);
    });
  };
  pool.connect = watched as Pool["connect"];
}
