import { setTimeout as sleep } from "node:timers/promises";
import { isStorageDown } from "../errors.js";
import type { Ownership } from "../executions/claim.js";
import type { ClaimedExecution } from "../executions/execution.js";
import { readUnwritten, writeFindings, type Finding, type Result } from "../executions/write-back.js";
import type { Logger } from "../observability/logger.js";
import { LeaseLost } from "../queue/portal-lease.js";
import { afterCrash } from "./attempt-faults.js";

/**
 * Findings that end within this time of each other share a statement: the longer the more attempts are under way, whose
 * findings come soon; hardly for the last one. What a crash finds unwritten is read from HubSpot, never sent again.
 */
const GATHER_MS = { alone: 10, least: 100, perAttempt: 8, most: 500 };

/** Gaps between the tries to write a batch, and for how long it is tried: the next owner reads what was not written. */
const WRITE_AGAIN_MS = { first: 100, most: 1_000, inAll: 30_000 };

/** The server gave up waiting for a row that somebody else holds: by its lock time-out, or by that of the statement. */
const WAITED_IN_VAIN: readonly unknown[] = ["55P03", "57014"];

function gatherMs(underWay: number): number {
  if (underWay <= 1) return GATHER_MS.alone;
  return Math.min(GATHER_MS.most, Math.max(GATHER_MS.least, GATHER_MS.perAttempt * underWay));
}

const codeOf = (fault: unknown): unknown => (fault as { code?: unknown } | null)?.code;

export interface FindingBufferOptions {
  owner: Ownership;
  logger: Logger;
  /** Attempts under way, that of the finding just added among them. */
  underWay: () => number;
  /** Whether the execution was claimed again: what was found of it before was written then. */
  isClaimed: (id: bigint) => boolean;
  /** Resolves once no claim is under way. While {@link FindingBuffer.isWritingAgain} none may begin. */
  claimsAtRest: () => Promise<unknown>;
  /** False once the portal is certainly lost: what is unwritten would be void. */
  mayStillWrite: () => boolean;
  /** Told how many executions of a batch are now owed a completion. */
  onDecided: (count: number) => void;
}

interface KeptFinding extends Finding {
  readonly execution: ClaimedExecution;
}

/**
 * Gathers what attempts found out and writes it in batches, one statement at a time. A batch that could not be written is
 * kept and written again: what HubSpot answered is known to nobody else.
 */
export class FindingBuffer {
  readonly #options: FindingBufferOptions;
  #findings: KeptFinding[] = [];
  #writing: Promise<void> | undefined;
  #fault: Error | undefined;
  #isWritingAgain = false;

  constructor(options: FindingBufferOptions) {
    this.#options = options;
  }

  /** Why writing stopped, if it did: the database stays away or the portal has a new owner. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** The database is in trouble: findings wait to be written, and nothing new is to be begun. */
  get isWritingAgain(): boolean {
    return this.#isWritingAgain;
  }

  add(execution: ClaimedExecution, result: Result): void {
    this.#findings.push({ id: execution.id, from: execution.state, result, execution });
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once all that was added is written. @throws what writing threw. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#findings.length > 0) {
        await sleep(gatherMs(this.#options.underWay()));
        const batch = this.#findings;
        this.#findings = [];
        await this.#write(batch);
        this.#options.onDecided(batch.filter(({ result }) => result.to === "DECIDED").length);
      }
    } catch (fault) {
      this.#fault = fault instanceof Error ? fault : new Error(String(fault));
    } finally {
      this.#isWritingAgain = false;
      this.#writing = undefined;
    }
  }

  /** Writes a batch; what the database refuses for a row of it is halved until that row stands alone. */
  async #write(batch: readonly KeptFinding[]): Promise<void> {
    try {
      await this.#writePatiently(batch);
    } catch (fault) {
      if (fault instanceof LeaseLost || isPassing(fault)) throw fault;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) return this.#writeRefused(only, fault);
      const middle = Math.ceil(batch.length / 2);
      await this.#write(batch.slice(0, middle));
      await this.#write(batch.slice(middle));
    }
  }

  /** A finding that cannot be stored is a crash of its own: the execution is read, or given up after some. */
  async #writeRefused({ execution, id, from }: KeptFinding, fault: unknown): Promise<void> {
    const { logger, owner } = this.#options;
    logger.error(
      { fault, portalId: owner.portalId, callbackId: execution.callbackId },
      "the database refuses what was found out about an execution",
    );
    await this.#writePatiently([{ id, from, execution, result: afterCrash(execution, fault) }]);
  }

  /** Tries until all is written. @throws LeaseLost, what no further try would mend, and trouble that lasts. */
  async #writePatiently(batch: readonly KeptFinding[]): Promise<void> {
    const { owner, claimsAtRest, isClaimed, mayStillWrite } = this.#options;
    const startedAtMs = performance.now();
    let left = batch;
    let skipsLocked = false;
    for (
      let pauseMs = 0;
      ;
      pauseMs = Math.min(WRITE_AGAIN_MS.most, Math.max(WRITE_AGAIN_MS.first, 2 * pauseMs))
    ) {
      const isAgain = pauseMs > 0;
      this.#isWritingAgain = isAgain;
      if (isAgain) {
        await sleep(pauseMs);
        // An earlier try may have taken effect, and a row of it been claimed since: this try must not meet that claim.
        await claimsAtRest();
        left = left.filter(({ id }) => !isClaimed(id));
      }
      try {
        left = await writeOrTell(owner, left, { isAgain, skipsLocked });
        if (left.length === 0) break;
      } catch (fault) {
        const isOver = performance.now() - startedAtMs > WRITE_AGAIN_MS.inAll || !mayStillWrite();
        if (!isPassing(fault) || isOver) throw fault;
        skipsLocked ||= WAITED_IN_VAIN.includes(codeOf(fault));
      }
    }
    this.#isWritingAgain = false;
  }
}

function isPassing(fault: unknown): boolean {
  return isStorageDown(fault) || WAITED_IN_VAIN.includes(codeOf(fault));
}

/** @returns what is still to be written, because somebody else holds its row. @throws LeaseLost */
async function writeOrTell(
  owner: Ownership,
  batch: readonly KeptFinding[],
  { isAgain, skipsLocked }: { isAgain: boolean; skipsLocked: boolean },
): Promise<readonly KeptFinding[]> {
  if (batch.length === 0) return [];
  const written = await writeFindings(owner, batch, { skipsLocked });
  if (written === batch.length) return [];
  const { isOwner, ids } = await readUnwritten(owner, batch);
  // What is neither written now nor still to be was written by an earlier try, whose answer was lost.
  if (!isOwner || (!isAgain && ids.size === 0))
    throw new LeaseLost(`${batch.length - written} findings of portal ${owner.portalId} were void`);
  return batch.filter(({ id }) => ids.has(id));
}
