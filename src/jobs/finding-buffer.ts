import type { Ownership } from "../executions/claim.js";
import { writeFindings, type Finding } from "../executions/write-back.js";
import { LeaseLost } from "../queue/portal-lease.js";

/** Findings that end within this time of each other share a statement. */
const GATHER_MS = 20;

/**
 * Gathers what attempts found out and writes it in batches, one statement at a time.
 *
 * @param onDecided told how many executions of a batch are now owed a completion.
 */
export class FindingBuffer {
  readonly #owner: Ownership;
  readonly #onDecided: (count: number) => void;
  #findings: Finding[] = [];
  #writing: Promise<void> | undefined;
  #fault: Error | undefined;

  constructor(owner: Ownership, onDecided: (count: number) => void) {
    this.#owner = owner;
    this.#onDecided = onDecided;
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
    try {
      while (this.#findings.length > 0) {
        await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
        const batch = this.#findings;
        this.#findings = [];
        const written = await writeFindings(this.#owner, batch);
        if (written < batch.length)
          throw new LeaseLost(
            `${batch.length - written} findings of portal ${this.#owner.portalId} were void`,
          );
        this.#onDecided(batch.filter(({ result }) => result.to === "DECIDED").length);
      }
    } catch (fault) {
      this.#fault = fault instanceof Error ? fault : new Error(String(fault));
    } finally {
      this.#writing = undefined;
    }
  }
}
