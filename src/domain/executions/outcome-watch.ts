import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";

interface Watched {
  readonly portalId: PortalId;
  readonly id: ExecutionId;
}

/** Waits until executions are decided, by whatever process. */
export interface OutcomeWatch {
  /** @returns true once it is decided; false: `limit` was aborted first, or too many wait already. */
  decided(execution: Watched, limit: AbortSignal): Promise<boolean>;
  /** Ends all waits. */
  stop(): Promise<void>;
}

/** Listens on a channel of the database, and also calls `onNews` when it begins to. @returns a function that stops it. */
export type Listen = (channel: string, onNews: () => void) => () => Promise<void>;

/** What a statement that decides single calls of the API says on commit (write-back.ts). Nobody else does. */
export const DECIDED_CHANNEL = "sequence_enroller_decided";

/** One look finds all that a process's callers wait for, by primary key. News during a look is answered by the next one. */
const PAUSE_MS = 10;
/** What is decided in other ways, as by an admin, and what is said while the connection is lost. */
const LONGEST_PAUSE_MS = 2_000;
/** Listening continues for a while: the next caller begins at once. */
const LISTEN_ON_MS = 30_000;
const MOST_WAITING = 2_000;

const FIND_DECIDED = `
  SELECT e.portal_id, e.id FROM unnest($1::bigint[], $2::bigint[]) AS watched (portal_id, id)
    JOIN executions e USING (portal_id, id) WHERE e.decided_at IS NOT NULL`;

const keyOf = ({ portalId, id }: Watched): string => `${portalId}:${id}`;

/** @param most of calls that may wait at a time; by default 2,000. */
export function createOutcomeWatch(pool: Pool, listen: Listen, most = MOST_WAITING): OutcomeWatch {
  const waiting = new Map<Watched, (isDecided: boolean) => void>();
  let news = new AbortController();
  let watching: Promise<void> | undefined;
  let isStopped = false;

  async function look(): Promise<void> {
    const watched = [...waiting.keys()];
    const { rows } = await pool.query<{ portal_id: string; id: string }>({
      name: "find-decided",
      text: FIND_DECIDED,
      values: [watched.map(({ portalId }) => portalId), watched.map(({ id }) => id)],
    });
    const decided = new Set(rows.map(({ portal_id, id }) => `${portal_id}:${id}`));
    for (const one of watched) if (decided.has(keyOf(one))) waiting.get(one)?.(true);
  }

  /** A look that fails is made again: each caller's own limit ends the wait. */
  async function watch(): Promise<void> {
    const stopListening = listen(DECIDED_CHANNEL, () => {
      news.abort();
    });
    for (
      let lastNeededMs = performance.now();
      !isStopped && performance.now() - lastNeededMs < LISTEN_ON_MS;
    ) {
      if (waiting.size > 0) {
        lastNeededMs = performance.now();
        await look().catch(() => undefined);
      }
      await sleep(PAUSE_MS);
      await sleep(LONGEST_PAUSE_MS, undefined, { signal: news.signal, ref: waiting.size > 0 }).catch(
        () => undefined,
      );
      news = new AbortController();
    }
    watching = undefined;
    await stopListening();
    if (waiting.size > 0 && !isStopped) watching ??= watch();
  }

  return {
    decided: ({ portalId, id }, limit) =>
      new Promise((resolve) => {
        if (waiting.size >= most || limit.aborted || isStopped) return resolve(false);
        const watched = { portalId, id };
        const settle = (isDecided: boolean): void => {
          waiting.delete(watched);
          limit.removeEventListener("abort", giveUp);
          resolve(isDecided);
        };
        const giveUp = (): void => settle(false);
        waiting.set(watched, settle);
        limit.addEventListener("abort", giveUp, { once: true });
        watching ??= watch();
        news.abort();
      }),
    stop: async () => {
      isStopped = true;
      for (const settle of waiting.values()) settle(false);
      news.abort();
      await watching;
    },
  };
}
