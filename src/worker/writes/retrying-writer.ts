import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../errors.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { Unwritten } from "#domain/executions/unwritten.js";
import type { Logger } from "#platform/observability/logger.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { isStorageDown } from "#platform/db/storage-faults.js";

/** Gaps between the tries to write a batch, and for how long to try: the next owner reads what was not written. */
const WRITE_AGAIN_MS = { first: 100, most: 1_000, inAll: 30_000 };

/** Someone else held rows for longer than we wait: the next owner reads what was not written. */
export class RowsHeld extends AppError {
  override readonly code = "ROWS_HELD";
}

/** How one kind of result from HubSpot is written. */
export interface Writing<T> {
  /** Its name, for the log: "what was found out about an execution". */
  readonly what: string;
  readonly idOf: (item: T) => bigint;
  /**
   * Writes all in one statement under the owner's epoch.
   *
   * @param isAgain an earlier try may have taken effect: leaves out rows that changed since they were read, and rows
   *   that someone else holds.
   * @returns how many rows moved.
   */
  readonly write: (items: readonly T[], isAgain: boolean) => Promise<number>;
  /** Which rows are still as they were read, so that no try has written them. */
  readonly readUnwritten: (items: readonly T[]) => Promise<Unwritten>;
  /** The replacement for a row whose data the database refuses. */
  readonly inStead: (item: T, fault: unknown) => T;
  /** Called before each further try. @returns the part still to be written. */
  readonly beforeAgain?: (items: readonly T[]) => Promise<readonly T[]>;
}

export interface RetryingWriterOptions {
  readonly owner: Ownership;
  readonly logger: Logger;
  /** False once the portal is certainly lost; until then unwritten results are written again. */
  readonly mayStillWrite: () => boolean;
}

/**
 * Writes results from HubSpot that nothing else knows, for one owner of a portal. A batch that could not be written is
 * kept and written again; a row that the database refuses, or that someone else holds, does not hold up others.
 */
export class RetryingWriter {
  readonly #options: RetryingWriterOptions;

  constructor(options: RetryingWriterOptions) {
    this.#options = options;
  }

  /**
   * Resolves once everything is written, or was moved by someone else meanwhile.
   *
   * @throws LeaseLost once the portal has a new owner: nothing more may be sent. The database's fault, or RowsHeld, if
   *   it lasts.
   */
  async write<T>(items: readonly T[], writing: Writing<T>): Promise<void> {
    if (items.length === 0) return;
    try {
      await this.#writeWithRetries(items, writing);
    } catch (error) {
      if (error instanceof LeaseLost || isPassing(error)) throw error;
      const [only] = items;
      if (items.length === 1 && only !== undefined) return this.#writeRefused(only, error, writing);
      const middle = Math.ceil(items.length / 2);
      await this.write(items.slice(0, middle), writing);
      await this.write(items.slice(middle), writing);
    }
  }

  async #writeRefused<T>(item: T, fault: unknown, writing: Writing<T>): Promise<void> {
    const { logger, owner } = this.#options;
    const context = { err: fault, portalId: owner.portalId, executionId: writing.idOf(item) };
    logger.error(context, `the database refuses ${writing.what}`);
    await this.#writeWithRetries([writing.inStead(item, fault)], writing);
  }

  /**
   * Tries until everything is written. @throws LeaseLost, faults that no further try would fix, and lasting trouble.
   */
  async #writeWithRetries<T>(items: readonly T[], writing: Writing<T>): Promise<void> {
    const startedAtMs = performance.now();
    const isOver = (): boolean =>
      performance.now() - startedAtMs > WRITE_AGAIN_MS.inAll || !this.#options.mayStillWrite();
    let left = items;
    for (let pauseMs = 0; ; pauseMs = longer(pauseMs)) {
      const isAgain = pauseMs > 0;
      if (isAgain) {
        await sleep(pauseMs);
        left = (await writing.beforeAgain?.(left)) ?? left;
      }
      try {
        left = await this.#writeOnce(left, writing, isAgain);
        if (left.length === 0) return;
        if (isOver()) throw new RowsHeld(`${left.length} rows could not be written`);
      } catch (error) {
        if (!isPassing(error) || isOver()) throw error;
      }
    }
  }

  /** @returns what is still to be written, because someone else held its row. */
  async #writeOnce<T>(items: readonly T[], writing: Writing<T>, isAgain: boolean): Promise<readonly T[]> {
    if (items.length === 0) return [];
    const written = await writing.write(items, isAgain);
    if (written === items.length) return [];
    const { isOwner, ids } = await writing.readUnwritten(items);
    const { portalId } = this.#options.owner;
    if (!isOwner) throw new LeaseLost(`${items.length - written} writes of portal ${portalId} were void`);
    return items.filter((item) => ids.has(writing.idOf(item)));
  }
}

function longer(pauseMs: number): number {
  return Math.min(WRITE_AGAIN_MS.most, Math.max(WRITE_AGAIN_MS.first, 2 * pauseMs));
}

function isPassing(fault: unknown): boolean {
  return fault instanceof RowsHeld || isStorageDown(fault);
}
