import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";

/** A moment, and the number of a transaction that began after it. */
interface Mark {
  readonly at: Date;
  readonly transaction: bigint;
}

/** Writers finish within milliseconds; what takes longer is waited for by the next question, not by this one. */
const LOOKS = 12;
const PAUSE_MS = 10;
/** Marks that are kept while a writer takes long. */
const MOST_PENDING = 200;

const MARK = `SELECT date_trunc('milliseconds', now()) AS at, pg_current_xact_id()::text AS transaction`;
const OLDEST_UNDER_WAY = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS transaction`;

/**
 * Up to when the changes of enrollments are complete. A change carries the time at which it was written, but is seen only
 * once its transaction has committed, and transactions commit in any order: who reads up to now may miss a change that
 * is older than what it has read, for good.
 *
 * A writer takes its transaction's number before it reads the clock (`enrollment_change_time`). So whoever has a higher
 * number than a mark writes later times than the mark's; once all lower ones are over, everything before the mark can be
 * seen. Writers do nothing for it and wait for nobody.
 *
 * It counts on the database's clock not being set back, and falls behind while any transaction of the server that has
 * written something stays open (docs/decisions/016).
 */
export class ChangeFence {
  #reached: Mark | undefined;
  /** Not reached yet, in the order in which they were set. */
  #pending: Mark[] = [];

  /**
   * Every change before this moment can be read from now on; no change will be added before it. Undefined: no such
   * moment is known yet, because a transaction is under way since before the first question.
   */
  async read(pool: Pool): Promise<Date | undefined> {
    const mark = await readMark(pool);
    if (this.#pending.length < MOST_PENDING) this.#pending.push(mark);
    for (let look = 1; look <= LOOKS; look += 1) {
      if (look > 1) await sleep(PAUSE_MS);
      this.#pass(await readOldestUnderWay(pool));
      if (this.#reached !== undefined && this.#reached.transaction >= mark.transaction) break;
    }
    return this.#reached?.at;
  }

  #pass(oldestUnderWay: bigint): void {
    for (const mark of this.#pending)
      if (mark.transaction <= oldestUnderWay && mark.transaction > (this.#reached?.transaction ?? 0n))
        this.#reached = mark;
    this.#pending = this.#pending.filter(({ transaction }) => transaction > oldestUnderWay);
  }
}

async function readMark(pool: Pool): Promise<Mark> {
  const { rows } = await pool.query<{ at: Date; transaction: string }>(MARK);
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not tell the time");
  return { at: row.at, transaction: BigInt(row.transaction) };
}

async function readOldestUnderWay(pool: Pool): Promise<bigint> {
  const { rows } = await pool.query<{ transaction: string }>(OLDEST_UNDER_WAY);
  return BigInt(rows[0]?.transaction ?? 0);
}
