import type { Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { readEffectivePolicy, type EffectivePolicy } from "#domain/senders/effective-policy.js";
import {
  covers,
  NEEDS_NOTHING,
  readPortalPolicy,
  type Needs,
  type PortalPolicy,
} from "#domain/senders/portal-policy.js";
import { PolicyMemory } from "#domain/senders/stored/policy-memory.js";

/** An admin's change takes effect within this time, also in the middle of a turn. */
const POLICY_MS = 2_000;
/** How many rotations a turn's first read includes because the last turn needed them: accounts use one or two. */
const MOST_REMEMBERED = 4;

/** A portal's policy as its owner reads it, again and again, during one turn. */
export class TurnPolicy {
  readonly #owner: Pick<Ownership, "pool" | "portalId">;
  readonly #memory: PolicyMemory;
  readonly #onRead: (startedAtMs: number) => void;
  readonly #needs: { readonly presets: Set<string>; readonly rotations: Set<string> };
  /**
   * The database's time minus the monotonic clock's, as first read: a clock that is set meanwhile does not move the
   * turn's.
   */
  #databaseAheadMs: number | undefined;
  #policy: PortalPolicy | undefined;
  #reading: Promise<PortalPolicy> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly owner: Pick<Ownership, "pool" | "portalId">;
    /** What earlier turns read; by default its own. */
    readonly memory?: PolicyMemory | undefined;
    /** Told after each read when it began, by the monotonic clock. */
    readonly onRead: (startedAtMs: number) => void;
  }) {
    const { owner, memory = new PolicyMemory(), onRead } = options;
    this.#owner = owner;
    this.#memory = memory;
    this.#onRead = onRead;
    this.#needs = { presets: new Set(), rotations: new Set(memory.lastRotations) };
  }

  /** The database's time. Until something was read from the database, this machine's clock is used. */
  databaseNow(): Date {
    const aheadMs = this.#databaseAheadMs;
    return aheadMs === undefined ? new Date() : new Date(Math.round(performance.now() + aheadMs));
  }

  /**
   * What applies in the portal now: at most two seconds old, and never older than `since`, a moment before now by the
   * database's clock, e.g. a call's acceptance. A clock that was set back may put that moment in the future: a read
   * that began after this call is new enough, whatever the clock says.
   *
   * @param needs presets and rotations that it must contain, besides all that this turn has needed so far.
   */
  async current(since?: Date, needs: Needs = NEEDS_NOTHING): Promise<PortalPolicy> {
    const askedAtMs = performance.now();
    this.#need(needs);
    const isFresh = askedAtMs - this.#readAtMs < POLICY_MS;
    let policy = this.#policy !== undefined && isFresh ? this.#policy : await this.#read();
    const isOld = (): boolean => {
      const isOlder = since !== undefined && policy.readAt < since && this.#readAtMs < askedAtMs;
      return isOlder || !covers(policy, needs);
    };
    if (isOld()) policy = await this.#read();
    // The awaited read may have begun before this call.
    if (isOld()) policy = await this.#read();
    return policy;
  }

  /**
   * What applies to a call, from a policy no older than its acceptance, or than the moment it was due at: an admin's
   * change makes those due that wait for a sender (executions/resume.ts), and they are to be judged by it.
   */
  of(
    execution: Pick<ClaimedExecution, "acceptedAt" | "dueAt" | "request">,
  ): Promise<{ portal: PortalPolicy; effective: EffectivePolicy }> {
    const { acceptedAt, dueAt, request } = execution;
    const since = dueAt > acceptedAt ? dueAt : acceptedAt;
    return readEffectivePolicy(request, (needs) => this.current(since, needs));
  }

  #need({ presets, rotations }: Needs): void {
    for (const id of presets) this.#needs.presets.add(id);
    for (const id of rotations) this.#needs.rotations.add(id);
    if (rotations.size > 0) this.#memory.lastRotations = [...this.#needs.rotations].slice(-MOST_REMEMBERED);
  }

  /** One read serves all callers while it is running. */
  #read(): Promise<PortalPolicy> {
    this.#reading ??= this.#startRead().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #startRead(): Promise<PortalPolicy> {
    const startedAtMs = performance.now();
    const { pool, portalId } = this.#owner;
    const policy = await readPortalPolicy(pool, portalId, {
      memory: this.#memory,
      rotations: this.#policy?.rotations,
      // The current needs: what is added from here on is not in this read.
      needs: { presets: new Set(this.#needs.presets), rotations: new Set(this.#needs.rotations) },
    });
    this.#databaseAheadMs ??= policy.readAt.getTime() - performance.now();
    this.#policy = policy;
    this.#readAtMs = startedAtMs;
    this.#onRead(startedAtMs);
    return policy;
  }
}
