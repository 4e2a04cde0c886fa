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
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import type { RetryingWriter, Writing } from "./retrying-writer.js";

/**
 * Findings within this time of each other share a statement: longer while many attempts are under way, whose findings
 * come soon; hardly any time for the last one. Findings lost in a crash are read from HubSpot, never sent again.
 */
const GATHER_MS = { alone: 10, least: 100, perAttempt: 8, most: 500 };

function gatherMs(underWay: number): number {
  if (underWay <= 1) return GATHER_MS.alone;
  return Math.min(GATHER_MS.most, Math.max(GATHER_MS.least, GATHER_MS.perAttempt * underWay));
}

export interface FindingBufferOptions {
  owner: Ownership;
  writer: RetryingWriter;
  /** Attempts under way, including that of the new finding. */
  underWay: () => number;
  /** Whether the execution was claimed again: its earlier finding was written then. */
  isClaimed: (id: ExecutionId) => boolean;
  /** Resolves once no claim is under way. While {@link FindingBuffer.isWritingAgain} none may begin. */
  claimsAtRest: () => Promise<unknown>;
  /** Called with how many executions of a batch now have a completion due. */
  onDecided: (count: number) => void;
}

interface KeptFinding extends Finding {
  readonly contactId: string;
  readonly execution: ClaimedExecution;
}

/**
 * Collects attempts' findings and writes them in batches, one statement at a time. A batch that could not be written is
 * kept and written again: nothing else knows HubSpot's answers.
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

  /** Why writing stopped, if it did: the database stays unavailable, or the portal has a new owner. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** The database has a problem: findings wait to be written, and nothing new may begin. */
  get isWritingAgain(): boolean {
    return this.#isWritingAgain;
  }

  add(execution: ClaimedExecution, result: Result): void {
    const { id, state, contactId } = execution;
    this.#findings.push({ id, from: state, contactId, result, execution });
    this.#flushing ??= this.#writeAll();
  }

  /** Resolves once everything added is written. @throws what writing threw. */
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

  /** A finding that cannot be stored counts as a crash: the execution is read, or given up after several. */
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
        // An earlier try may have taken effect and a row been claimed since: this try must not affect that claim.
        await claimsAtRest();
        return findings.filter(({ id }) => !isClaimed(id));
      },
    };
  }
}
