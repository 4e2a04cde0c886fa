import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";

interface Watched {
  readonly portalId: bigint;
  readonly id: bigint;
}

/** Waits until executions are decided, by whatever process. */
export interface OutcomeWatch {
  /** @returns true once it is decided; false: `limit` was aborted first. */
  decided(execution: Watched, limit: AbortSignal): Promise<boolean>;
}

/**
 * How often one process looks for all that its callers wait for, in one statement by primary key, as long as anybody
 * waits. A connection that listens would have to be told by every write of an outcome, whether anybody waits or not.
 */
const LOOK_MS = 150;

const FIND_DECIDED = `
  SELECT e.portal_id, e.id FROM unnest($1::bigint[], $2::bigint[]) AS watched (portal_id, id)
    JOIN executions e USING (portal_id, id) WHERE e.decided_at IS NOT NULL`;

const keyOf = ({ portalId, id }: Watched): string => `${portalId}:${id}`;

export function createOutcomeWatch(pool: Pool): OutcomeWatch {
  const waiting = new Map<Watched, (isDecided: boolean) => void>();
  let isLooking = false;

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
  async function lookWhileWaiting(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    while (waiting.size > 0) {
      await sleep(LOOK_MS);
      await look().catch(() => undefined);
    }
    isLooking = false;
  }

  return {
    decided: ({ portalId, id }, limit) =>
      new Promise((resolve) => {
        const watched = { portalId, id };
        const settle = (isDecided: boolean): void => {
          waiting.delete(watched);
          resolve(isDecided);
        };
        waiting.set(watched, settle);
        limit.addEventListener("abort", () => settle(false), { once: true });
        if (limit.aborted) settle(false);
        void lookWhileWaiting();
      }),
  };
}
