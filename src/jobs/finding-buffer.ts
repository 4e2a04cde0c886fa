import { setTimeout as sleep } from "node:timers/promises";
import type { Ownership } from "../executions/claim.js";
import { writeFindings, type Finding } from "../executions/write-back.js";
import { LeaseLost } from "../queue/portal-lease.js";

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
  /** Attempts under way, that of the finding just added among them. */
  underWay: () => number;
  /** Told how many executions of a batch are now owed a completion. */
  onDecided: (count: number) => void;
}

/**
 * Gathers what attempts found out and writes it in batches, one statement at a time.
 */
export class FindingBuffer {
  readonly #options: FindingBufferOptions;
  #findings: Finding[] = [];
  #writing: Promise<void> | undefined;
  #fault: Error | undefined;

  constructor(options: FindingBufferOptions) {
    this.#options = options;
  }

  /** Why writing stopped, if it did: the database is gone or the portal has a new owner. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  add(finding: Finding): void {
    this.#findings.push(finding);
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once all that was added is written. @throws what writing threw. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #writeAll(): Promise<void> {
    const { owner, onDecided, underWay } = this.#options;
    try {
      while (this.#findings.length > 0) {
        await sleep(gatherMs(underWay()));
        const batch = this.#findings;
        this.#findings = [];
        const written = await writeFindings(owner, batch);
        if (written < batch.length)
          throw new LeaseLost(`${batch.length - written} findings of portal ${owner.portalId} were void`);
        onDecided(batch.filter(({ result }) => result.to === "DECIDED").length);
      }
    } catch (fault) {
      this.#fault = fault instanceof Error ? fault : new Error(String(fault));
    } finally {
      this.#writing = undefined;
    }
  }
}
