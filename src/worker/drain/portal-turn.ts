import { setTimeout as sleep } from "node:timers/promises";
import { claimDue, claimUncertain, type OddPlace, type Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { Logger } from "#platform/observability/logger.js";
import type { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { LeaseLost } from "#platform/queue/portal-lease.js";
import { afterCrash } from "#worker/attempt/attempt-faults.js";
import { FindingBuffer } from "#worker/writes/finding-buffer.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { COMPLETION_BATCH, sendCompletions, type CompletionOptions } from "./send-completions.js";
import type { HeldSlot, SlotSource } from "./slot-source.js";
import { SideWork, type SidePoll } from "./side-work.js";
import { WatchPace } from "#worker/watch/watch-pace.js";
import { pollWatched } from "#worker/watch/watch-poll.js";

export interface PortalTurnOptions {
  owner: Ownership;
  budget: RequestBudget;
  slots: SlotSource;
  circuit: Pick<PortalCircuit, "isProbing">;
  /** Executions that may be attempted at once now. */
  mostUnderWay: () => number;
  /** A gateway whose first request uses the slot given, if any. */
  gatewayWith: (slot?: HeldSlot) => PortalGateway;
  attempt: (execution: ClaimedExecution, gateway: PortalGateway) => Promise<Result>;
  /** False while the portal's admin has paused it: uncertain executions are settled, and nothing new begins. */
  mayAttempt: () => Promise<boolean>;
  /** What is done beside enrolling: contacts are held for it, or an admin waits. */
  sideWork?: readonly SidePoll[];
  logger: Logger;
  /** Called with the result of every attempt. Must not throw. */
  onAttempted?: ((execution: ClaimedExecution, result: Result) => void) | undefined;
  onCompletions?: CompletionOptions["onResults"];
  /** Called with the completions HubSpot refused. */
  onRefused?: (ids: readonly bigint[]) => Promise<void>;
  /** False as soon as the turn has to end: its time is over, the process stops, the lease is lost. */
  mayGoOn: () => boolean;
  /** False once the portal is certainly lost; until then unwritten results are written again. */
  mayStillWrite: () => boolean;
  /** True while the directory or the copy of the workflows is being renewed alongside: the turn continues for it. By default it never is. */
  isRenewing?: () => boolean;
  /** False if the portal was just seen to have no execution in doubt that is due: the first look for one comes later. */
  areDoubtsDue?: boolean;
  /** True if the portal was just seen to have followed enrollments to look at, and its budget a request for them. */
  areEnrollmentLooksDue?: boolean;
}

/**
 * Shares of the request window for looks at followed enrollments: least of all work. While contacts wait to be enrolled
 * they get what the directory's reserve leaves over; otherwise a twentieth.
 */
const FOLLOWED_SHARE = { amongOthers: 0.01, alone: 0.05 };

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
/** With a backlog, completions wait this long to be combined: about one request per 100 of them. */
const COMPLETION_WAIT_MS = 8_000;
/**
 * While requests are in flight: how soon to check for work that arrived meanwhile; less often after each check in vain.
 */
const IDLE_LOOK_MS = { first: 50, most: 200 };
/** After a claim: places that free up meanwhile are filled by one statement. */
const CLAIM_GATHER_MS = 15;
/** Executions become uncertain only by this owner, and are not read before a second has passed. */
const UNCERTAIN_LOOK_MS = 1_000;
/** Bounds of the wait for a slot: not so short that claims become single rows, not so long that a free one is wasted. */
const SLOT_LOOK_MS = { least: 10, most: 250 };

/** The result of a check for work. */
type Claim = "claimed" | "claimed-last" | "nothing-due" | "no-slot" | "no-room";

/** One owner's turn with a portal: claim what is due, attempt it at the portal's pace, write back, complete. */
export class PortalTurn {
  readonly #options: PortalTurnOptions;
  readonly #writer: RetryingWriter;
  readonly #findings: FindingBuffer;
  readonly #inFlight = new Set<Promise<void>>();
  #owedCount = 0;
  #owedSinceMs = 0;
  readonly #claimedIds = new Set<bigint>();
  #claiming: Promise<Claim> | undefined;
  #completing: Promise<void> | undefined;
  /** Why the turn has to end, besides a failure to write findings. */
  #backgroundFault: Error | undefined;
  #polling: Promise<void> | undefined;
  readonly #watchPace: WatchPace;
  readonly #sideWork: readonly SideWork[];
  #uncertainLookAtMs = Number.NEGATIVE_INFINITY;
  #looksInVain = 0;
  #onEnd: () => void = () => undefined;
  #isOddOneForDoubts = false;
  /** One request a turn: what it cost is earned back before another turn makes one (domain/ends). */
  #mayLookAtEnrollments: boolean;
  #isOddOneForOthers = true;

  constructor(options: PortalTurnOptions) {
    this.#options = options;
    this.#mayLookAtEnrollments = options.areEnrollmentLooksDue === true;
    if (options.areDoubtsDue === false) this.#uncertainLookAtMs = performance.now() + UNCERTAIN_LOOK_MS;
    this.#watchPace = new WatchPace({ windowMs: options.budget.windowMs });
    const { windowMs } = options.budget;
    this.#sideWork = (options.sideWork ?? []).map((poll) => new SideWork({ poll, windowMs }));
    this.#writer = new RetryingWriter(options);
    this.#findings = new FindingBuffer({
      owner: options.owner,
      writer: this.#writer,
      underWay: () => this.#inFlight.size,
      isClaimed: (id) => this.#claimedIds.has(id),
      claimsAtRest: () => Promise.allSettled([this.#claiming]),
      onDecided: (count) => {
        this.#owe(count);
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
    this.#owe(1);
    let isMoreLeft = true;
    try {
      while (this.#options.mayGoOn()) {
        this.#throwFaults();
        const claim = this.#findings.isWritingAgain ? "no-slot" : await this.#claim();
        // With the budget used up there is a backlog: completions wait to be combined then, since a request for each is
        // expensive.
        const isQuiet = claim === "nothing-due" && this.#inFlight.size === 0;
        this.#completeIfWorthwhile(isQuiet);
        this.#pollIfTime(isQuiet);
        this.#beginSideWork(isQuiet);
        if (isQuiet && this.#isIdle()) {
          isMoreLeft = false;
          break;
        }
        await this.#pause(claim);
      }
    } finally {
      await Promise.allSettled([...this.#inFlight, this.#completing, this.#polling, ...this.#besides()]);
      await this.#findings.flush();
    }
    this.#throwFaults();
    return isMoreLeft || this.#owedCount > 0;
  }

  #throwFaults(): void {
    const fault = this.#findings.fault ?? this.#backgroundFault;
    if (fault !== undefined) throw fault;
  }

  #owe(count: number): void {
    if (count === 0) return;
    if (this.#owedCount === 0) this.#owedSinceMs = performance.now();
    this.#owedCount += count;
  }

  #claim(): Promise<Claim> {
    this.#claiming = this.#claimAndStart();
    return this.#claiming;
  }

  async #claimAndStart(): Promise<Claim> {
    const { owner, slots, budget } = this.#options;
    const reserved = Math.min(RESERVED_SLOTS.most, Math.floor(budget.limit * RESERVED_SLOTS.share));
    const most = Math.min(MAX_IN_FLIGHT, this.#options.mostUnderWay());
    const room = most - this.#inFlight.size;
    if (room < Math.max(1, most * LEAST_ROOM)) return "no-room";
    const held = slots.takeFree(room, reserved);
    if (held.length === 0) return "no-slot";
    const claimed: ClaimedExecution[] = [];
    let isWhole = false;
    try {
      const left = (): number => held.length - claimed.length;
      claimed.push(...(await this.#claimUncertain(this.#shareOfDoubts(held.length))));
      if (left() > 0 && (await this.#options.mayAttempt()))
        claimed.push(...(await claimDue(owner, left(), this.#oddPlace())));
      if (left() > 0) claimed.push(...(await this.#claimUncertain(left())));
      isWhole = true;
    } finally {
      // If one claim fails, the turn ends: what an earlier one claimed is not begun, and the next turn recovers it.
      held.slice(isWhole ? claimed.length : 0).forEach((slot) => {
        slot.giveBack();
      });
    }
    claimed.forEach((execution, index) => {
      this.#track(this.#attempt(execution, held[index] as HeldSlot));
    });
    if (claimed.length === 0) return "nothing-due";
    return claimed.length < held.length ? "claimed-last" : "claimed";
  }

  /** Alternates: with the budget used up, places become free one by one. */
  #oddPlace(): OddPlace {
    this.#isOddOneForOthers = !this.#isOddOneForOthers;
    return this.#isOddOneForOthers ? "others" : "workflows";
  }

  /**
   * Half of the places, with the odd one every other time: with the budget used up, places become free one by one. An
   * admin's bulk retry creates as many uncertain executions as it has contacts, and new ones must not wait for it.
   */
  #shareOfDoubts(places: number): number {
    if (places % 2 === 0) return places / 2;
    this.#isOddOneForDoubts = !this.#isOddOneForDoubts;
    return this.#isOddOneForDoubts ? Math.ceil(places / 2) : Math.floor(places / 2);
  }

  async #claimUncertain(limit: number): Promise<ClaimedExecution[]> {
    const now = performance.now();
    if (limit === 0 || now < this.#uncertainLookAtMs) return [];
    const claimed = await claimUncertain(this.#options.owner, limit);
    if (claimed.length < limit) this.#uncertainLookAtMs = now + UNCERTAIN_LOOK_MS;
    return claimed;
  }

  #track(attempting: Promise<void>): void {
    const task = attempting.finally(() => {
      this.#inFlight.delete(task);
      this.#onEnd();
    });
    this.#inFlight.add(task);
  }

  async #attempt(execution: ClaimedExecution, slot: HeldSlot): Promise<void> {
    const { attempt, gatewayWith, logger, owner } = this.#options;
    this.#claimedIds.add(execution.id);
    try {
      this.#keep(execution, await attempt(execution, gatewayWith(slot)));
    } catch (error) {
      if (error instanceof LeaseLost) {
        // This owner may not begin any more of this portal's contacts.
        this.#backgroundFault ??= error;
        return;
      }
      logger.error(
        { err: error, portalId: owner.portalId, callbackId: execution.callbackId },
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

  #completeIfWorthwhile(isQuiet: boolean): void {
    const hasWaited = performance.now() - this.#owedSinceMs >= COMPLETION_WAIT_MS;
    const isWorthwhile = this.#owedCount > 0 && (isQuiet || hasWaited || this.#owedCount >= COMPLETION_BATCH);
    if (!isWorthwhile || this.#completing !== undefined) return;
    this.#completing = this.#complete().finally(() => {
      this.#completing = undefined;
    });
  }

  async #complete(): Promise<void> {
    const { owner, gatewayWith } = this.#options;
    try {
      await this.#findings.flush();
      const before = this.#owedCount;
      const sent = await sendCompletions({
        owner,
        gateway: gatewayWith(),
        writer: this.#writer,
        onRefused: this.#options.onRefused,
        onResults: this.#options.onCompletions,
      });
      // After a full batch there may be more; anything less was all that is due.
      const addedMeanwhile = this.#owedCount - before;
      this.#owedCount =
        sent < COMPLETION_BATCH ? addedMeanwhile : Math.max(1, before - sent) + addedMeanwhile;
      this.#owedSinceMs = performance.now();
    } catch (error) {
      this.#backgroundFault = error instanceof Error ? error : new Error(String(error));
    }
  }

  #isIdle(): boolean {
    const tasks = [this.#completing, this.#polling];
    if (tasks.some((task) => task !== undefined) || this.#options.isRenewing?.() === true) return false;
    return (
      this.#owedCount === 0 && !this.#watchPace.isMoreLeft && this.#sideWork.every(({ isIdle }) => isIdle)
    );
  }

  #pollIfTime(isAlone: boolean): void {
    const { budget, circuit } = this.#options;
    const { limit } = budget;
    if (circuit.isProbing && this.#inFlight.size > 0) return;
    if (this.#polling !== undefined || !this.#watchPace.isTime({ limit, isAlone })) return;
    this.#polling = this.#poll(isAlone).finally(() => {
      this.#polling = undefined;
    });
  }

  async #poll(isAlone: boolean): Promise<void> {
    const { owner, gatewayWith, mayGoOn, logger, budget, circuit } = this.#options;
    const share = isAlone ? FOLLOWED_SHARE.alone : FOLLOWED_SHARE.amongOthers;
    const restMsPerRequest = budget.windowMs / Math.max(1, budget.limit * share);
    // Nobody waits for these: the request that shows whether HubSpot is back is for somebody who does.
    const mayFollow = this.#mayLookAtEnrollments && !circuit.isProbing;
    const followed = mayFollow ? { restMsPerRequest } : undefined;
    this.#mayLookAtEnrollments = false;
    try {
      const gateway = gatewayWith();
      const polled = await pollWatched(owner, { gateway, writer: this.#writer, mayGoOn, followed, logger });
      this.#watchPace.polled(polled);
      this.#owe(polled.decided);
    } catch (error) {
      this.#backgroundFault = error instanceof Error ? error : new Error(String(error));
    }
  }

  #beginSideWork(isAlone: boolean): void {
    const { budget, circuit, gatewayWith } = this.#options;
    // If nothing else is left, these show whether HubSpot is back: somebody waits for them.
    if (circuit.isProbing && this.#inFlight.size > 0) return;
    for (const work of this.#sideWork)
      work.beginIfTime(
        { limit: budget.limit, isAlone },
        {
          gateway: () => gatewayWith(),
          onPolled: ({ decided }) => {
            this.#owe(decided);
          },
          onFault: (fault) => {
            this.#backgroundFault = fault instanceof Error ? fault : new Error(String(fault));
          },
        },
      );
  }

  #besides(): (Promise<void> | undefined)[] {
    return this.#sideWork.map(({ underWay }) => underWay);
  }

  /**
   * Waits until a slot is free, the last request has ended or new work may be there; only shortly while there is more
   * to claim.
   */
  async #pause(claim: Claim): Promise<void> {
    if (claim !== "nothing-due") this.#looksInVain = 0;
    switch (claim) {
      case "claimed":
        await sleep(CLAIM_GATHER_MS);
        return;
      case "no-slot":
        await this.#sleepOrCompleted(
          Math.min(SLOT_LOOK_MS.most, Math.max(SLOT_LOOK_MS.least, this.#options.budget.msUntilAvailable())),
        );
        return;
      case "no-room":
        await sleep(SLOT_LOOK_MS.least);
        await Promise.race([this.#sleepOrCompleted(SLOT_LOOK_MS.most), this.#nextEnd()]);
        return;
      case "claimed-last":
      case "nothing-due": {
        const pauseMs = Math.min(IDLE_LOOK_MS.most, IDLE_LOOK_MS.first * 2 ** this.#looksInVain);
        this.#looksInVain += 1;
        const pause = this.#sleepOrCompleted(pauseMs);
        await Promise.race([pause, this.#inFlight.size === 0 ? pause : Promise.allSettled(this.#inFlight)]);
      }
    }
  }

  /** Until the next attempt ends. */
  #nextEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnd = resolve;
    });
  }

  async #sleepOrCompleted(ms: number): Promise<void> {
    const timer = sleep(ms);
    const others = [this.#completing, this.#polling, ...this.#besides()];
    await Promise.race([timer, ...others.map((other) => other ?? timer)]);
  }
}
