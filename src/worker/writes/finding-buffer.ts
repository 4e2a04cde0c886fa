import { setTimeout as sleep } from "node:timers/promises";
import type { Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import {
  readUnwrittenFindings,
  writeFindings,
  type Finding,
  type Result,
} from "#domain/executions/write-back.js";
import { afterCrash } from "#worker/attempt/attempt-faults.js";
import type { RetryingWriter, Writing } from "./retrying-writer.js";

/**
 * Findings that end within this time of each other share a statement: the longer the more attempts are under way, whose
 * findings come soon; hardly for the last one. What a crash finds unwritten is read from HubSpot, never sent again.
 */
const GATHER_MS = { alone: 10, least: 100, perAttempt: 8, most: 500 };

function gatherMs(underWay: number): number {
  if (underWay <= 1) return GATHER_MS.alone;
  return Math.min(GATHER_MS.most, Math.max(GATHER_MS.least, GATHER_MS.perAttempt * underWay));
}

export interface FindingBufferOptions {
  owner: Ownership;
  writer: RetryingWriter;
  /** Attempts under way, that of the finding just added among them. */
  underWay: () => number;
  /** Whether the execution was claimed again: what was found of it before was written then. */
  isClaimed: (id: bigint) => boolean;
  /** Resolves once no claim is under way. While {@link FindingBuffer.isWritingAgain} none may begin. */
  claimsAtRest: () => Promise<unknown>;
  /** Told how many executions of a batch are now owed a completion. */
  onDecided: (count: number) => void;
}

interface KeptFinding extends Finding {
  readonly contactId: string;
  readonly execution: ClaimedExecution;
}

/**
 * Gathers what attempts found out and writes it in batches, one statement at a time. A batch that could not be written is
 * kept and written again: what HubSpot answered is known to nobody else.
 */
export class FindingBuffer {
  readonly #options: FindingBufferOptions;
  #findings: KeptFinding[] = [];
  #flushing: Promise<void> | undefined;
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
    const { id, state, contactId } = execution;
    this.#findings.push({ id, from: state, contactId, result, execution });
    this.#flushing ??= this.#writeAll();
  }

  /** Resolves once all that was added is written. @throws what writing threw. */
  async flush(): Promise<void> {
    await this.#flushing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#findings.length > 0) {
        await sleep(gatherMs(this.#options.underWay()));
        const batch = this.#findings;
        this.#findings = [];
        await this.#options.writer.write(batch, this.#writing());
        this.#isWritingAgain = false;
        this.#options.onDecided(batch.filter(({ result }) => result.to === "DECIDED").length);
      }
    } catch (error) {
      this.#fault = error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#isWritingAgain = false;
      this.#flushing = undefined;
    }
  }

  /** What cannot be stored is a crash of its own: the execution is read, or given up after some. */
  #writing(): Writing<KeptFinding> {
    const { owner, claimsAtRest, isClaimed } = this.#options;
    return {
      what: "what was found out about an execution",
      idOf: ({ id }) => id,
      write: (findings, isAgain) => writeFindings(owner, findings, { isAgain }),
      readUnwritten: (findings) => readUnwrittenFindings(owner, findings),
      inStead: (finding, fault) => ({ ...finding, result: afterCrash(finding.execution, fault) }),
      beforeAgain: async (findings) => {
        this.#isWritingAgain = true;
        // An earlier try may have taken effect, and a row of it been claimed since: this try must not meet that claim.
        await claimsAtRest();
        return findings.filter(({ id }) => !isClaimed(id));
      },
    };
  }
}
