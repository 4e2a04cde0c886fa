import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import { traceIdOf } from "#platform/observability/tracing/tracing.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { afterCrash } from "#worker/attempt/attempt-faults.js";
import { FindingBuffer } from "#worker/writes/finding-buffer.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { OwedCompletions } from "#worker/completions/owed-completions.js";
import type { PortalTurnOptions } from "./portal-turn-options.js";
import type { HeldSlot } from "./slot-source.js";
import { SideWork } from "./side-work.js";
import { TurnClaims } from "./turn-claims.js";
import { TurnPause, type Claim } from "./turn-pause.js";
import { watchWork } from "./watch-work.js";

/** Requests of one portal under way at once: covers 110 per 10 s up to about 5 s of latency. */
const MAX_IN_FLIGHT = 64;
/**
 * Nothing is claimed for a smaller share than this: a busy process would otherwise claim one by one what it cannot send
 * yet.
 */
const LEAST_ROOM = 1 / 4;
/**
 * Slots reserved for the directory, so that a dropdown is current even while a backlog uses the budget up; few if the
 * budget is small.
 */
const RESERVED_SLOTS = { most: 2, share: 0.02 };

/** One owner's turn with a portal: claim what is due, attempt it at the portal's pace, write back, complete. */
export class PortalTurn {
  readonly #options: PortalTurnOptions;
  readonly #writer: RetryingWriter;
  readonly #findings: FindingBuffer;
  readonly #claims: TurnClaims;
  readonly #owed: OwedCompletions;
  readonly #pause: TurnPause;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #claimedIds = new Set<ExecutionId>();
  #claiming: Promise<Claim> | undefined;
  /** Why the turn has to end, besides a failure to write findings. */
  #backgroundFault: Error | undefined;
  readonly #sideWork: readonly SideWork[];

  constructor(options: PortalTurnOptions) {
    this.#options = options;
    this.#pause = new TurnPause(options.budget);
    const { windowMs } = options.budget;
    this.#claims = new TurnClaims({ ...options, areDoubtsDue: options.areDoubtsDue !== false });
    this.#writer = new RetryingWriter(options);
    const polls = [watchWork({ ...options, writer: this.#writer }), ...(options.sideWork ?? [])];
    this.#sideWork = polls.map((poll) => new SideWork({ poll, windowMs }));
    this.#findings = new FindingBuffer({
      owner: options.owner,
      writer: this.#writer,
      underWay: () => this.#inFlight.size,
      isClaimed: (id) => this.#claimedIds.has(id),
      claimsAtRest: () => Promise.allSettled([this.#claiming]),
      onDecided: (count) => {
        this.#owed.add(count);
      },
    });
    this.#owed = new OwedCompletions({
      owner: options.owner,
      gateway: () => options.gatewayWith(),
      writer: this.#writer,
      flush: () => this.#findings.flush(),
      onRefused: options.onRefused,
      onResults: options.onCompletions,
      onFault: (fault) => {
        this.#backgroundFault = fault;
      },
    });
  }

  /**
   * Works until nothing is due or the turn has to end. Requests in flight are always awaited and their results written.
   *
   * @returns whether work may be left.
   * @throws LeaseLost, and the database's faults: the next owner then finds the attempts and reads before it sends.
   */
  async run(): Promise<boolean> {
    // The completions that an earlier turn left are not counted yet: assume some; the first check shows.
    this.#owed.add(1);
    let isMoreLeft = true;
    try {
      while (this.#options.mayGoOn()) {
        this.#throwFaults();
        const claim = this.#findings.isWritingAgain ? "no-slot" : await this.#claim();
        // With the budget used up there is a backlog: completions wait to be combined then, since a request for each is
        // expensive.
        const isQuiet = claim === "nothing-due" && this.#inFlight.size === 0;
        this.#owed.sendIfWorthwhile(isQuiet);
        this.#beginSideWork(isQuiet);
        if (isQuiet && this.#isIdle()) {
          isMoreLeft = false;
          break;
        }
        await this.#pause.after(claim, { attempts: this.#inFlight, besides: this.#besides() });
      }
    } finally {
      await Promise.allSettled([...this.#inFlight, ...this.#besides()]);
      await this.#findings.flush();
    }
    this.#throwFaults();
    return isMoreLeft || this.#owed.count > 0;
  }

  #throwFaults(): void {
    const fault = this.#findings.fault ?? this.#backgroundFault;
    if (fault !== undefined) throw fault;
  }

  #claim(): Promise<Claim> {
    this.#claiming = this.#claimAndStart();
    return this.#claiming;
  }

  async #claimAndStart(): Promise<Claim> {
    const { slots, budget } = this.#options;
    const reserved = Math.min(RESERVED_SLOTS.most, Math.floor(budget.limit * RESERVED_SLOTS.share));
    const most = Math.min(MAX_IN_FLIGHT, this.#options.mostUnderWay());
    const room = most - this.#inFlight.size;
    if (room < Math.max(1, most * LEAST_ROOM)) return "no-room";
    const held = slots.takeFree(room, reserved);
    if (held.length === 0) return "no-slot";
    let claimed: ClaimedExecution[] = [];
    try {
      claimed = await this.#claims.claim(held.length);
    } finally {
      held.slice(claimed.length).forEach((slot) => {
        slot.giveBack();
      });
    }
    claimed.forEach((execution, index) => {
      this.#track(this.#attempt(execution, held[index] as HeldSlot));
    });
    if (claimed.length === 0) return "nothing-due";
    return claimed.length < held.length ? "claimed-last" : "claimed";
  }

  #track(attempting: Promise<void>): void {
    const task = attempting.finally(() => {
      this.#inFlight.delete(task);
      this.#pause.attemptEnded();
    });
    this.#inFlight.add(task);
  }

  async #attempt(execution: ClaimedExecution, slot: HeldSlot): Promise<void> {
    const { attempt, aroundAttempt, contextWith, logger, owner } = this.#options;
    this.#claimedIds.add(execution.id);
    try {
      const context = contextWith(slot);
      const attempting = () => attempt(execution, context);
      const result = await (aroundAttempt?.(owner.portalId, execution, attempting) ?? attempting());
      this.#keep(execution, result);
    } catch (error) {
      if (error instanceof LeaseLost) {
        // This owner may not begin any more of this portal's contacts.
        this.#backgroundFault ??= error;
        return;
      }
      logger.error(
        {
          err: error,
          portalId: owner.portalId,
          executionId: execution.id,
          callbackId: execution.callbackId,
          ...traceIdOf(execution.traceparent),
        },
        "an execution made the worker fail",
      );
      this.#keep(execution, afterCrash(execution, error));
    } finally {
      slot.giveBack();
    }
  }

  #keep(execution: ClaimedExecution, result: Result): void {
    this.#claimedIds.delete(execution.id);
    this.#options.onAttempted?.(execution, result);
    this.#findings.add(execution, result);
  }

  #isIdle(): boolean {
    if (this.#owed.underWay !== undefined || this.#options.isRenewing?.() === true) return false;
    return this.#owed.count === 0 && this.#sideWork.every(({ isIdle }) => isIdle);
  }

  #beginSideWork(isAlone: boolean): void {
    const { budget, circuit, gatewayWith } = this.#options;
    // If nothing else is left, these show whether HubSpot is back: someone waits for them.
    if (circuit.isProbing && this.#inFlight.size > 0) return;
    for (const work of this.#sideWork)
      work.beginIfTime(
        { limit: budget.limit, isAlone },
        {
          gateway: () => gatewayWith(),
          onPolled: ({ decided }) => {
            this.#owed.add(decided);
          },
          onFault: (fault) => {
            this.#backgroundFault = fault instanceof Error ? fault : new Error(String(fault));
          },
        },
      );
  }

  #besides(): (Promise<void> | undefined)[] {
    return [this.#owed.underWay, ...this.#sideWork.map(({ underWay }) => underWay)];
  }
}
