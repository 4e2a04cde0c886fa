import { setTimeout as sleep } from "node:timers/promises";
import type { Ownership } from "#domain/executions/claim.js";
import { expirePastDeadline, type ExpiryCode } from "#domain/executions/overdue/expire.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { DrainTurn, TurnEnd } from "#platform/queue/drain-turn.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { LEASE_CTE, type PortalLease } from "#platform/queue/portal-lease.js";
import { attemptExecution } from "#worker/attempt/attempt-execution.js";
import { ContactProperties } from "#worker/attempt/contact-properties.js";
import { BELIEVE_NONE_AFTER_MS } from "#worker/attempt/doubt.js";
import { createDoubtedContacts } from "#worker/attempt/doubted-contacts.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { ENTRY_TIMES } from "#worker/flow-entries/stamp-entries.js";
import { pollFlowWork } from "#worker/own-flows/poll-flow-work.js";
import type { RunningRenewal } from "#worker/renewal/renew-copies.js";
import { directoryNeed, type DirectoryNeed } from "#worker/renewal/sync-directory.js";
import { hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";
import { UNENROLL_TIMES } from "#worker/unenroll/judge-contact.js";
import { pollUnenrollments } from "#worker/unenroll/unenroll-poll.js";
import { tellOfCutShortHolds } from "#worker/completions/cut-short-holds.js";
import type { DrainOptions } from "./drain-options.js";
import type { KeptAcrossTurns } from "./kept-across-turns.js";
import { openPortalCalls, type PortalCalls } from "./portal-calls.js";
import { PortalTurn } from "./portal-turn.js";
import type { PortalTurnOptions } from "./portal-turn-options.js";
import type { SidePoll } from "./side-work.js";
import { createSlotSource, type SlotSource } from "./slot-source.js";
import { createTurnPeople } from "./turn-people.js";
import { takeOver, type TurnStart } from "./turn-start.js";

/** A portal, acquired for one turn. */
interface AcquiredPortal {
  readonly lease: PortalLease;
  readonly budget: RequestBudget;
  readonly turn: DrainTurn;
}

/**
 * How long an attempt that our old copy would refuse waits for the new one, before HubSpot is asked about the one
 * person.
 */
const RENEWAL_PATIENCE_MS = 2_000;
/**
 * After this long, a turn lets other portals in if there are more of them than places. The length varies: turns that
 * began together would otherwise end together, again and again, and all be handed over at once.
 */
const TURN_MS = { least: 7_500, most: 12_500 };

/** What an owner does with its portal in a turn: takes over, keeps the copies current, and works off what is due. */
export class PortalWork {
  readonly #options: DrainOptions;
  readonly #kept: KeptAcrossTurns;
  readonly #portal: AcquiredPortal;
  readonly #owner: Ownership;
  readonly #circuit: PortalCircuit;
  readonly #senders: SenderSelection;
  readonly #slots: SlotSource;
  readonly #calls: PortalCalls;
  #endsAtMs = Number.POSITIVE_INFINITY;
  #hasEnded = false;

  constructor(options: DrainOptions, kept: KeptAcrossTurns, portal: AcquiredPortal) {
    this.#options = options;
    this.#kept = kept;
    this.#portal = portal;
    const { pool, logger, now, gate, forPortal, hubspotClock: clock } = options;
    const { openings, breathe, memoryOf } = kept;
    const { lease, budget, turn } = portal;
    const { portalId, epoch } = lease;
    this.#owner = { pool, portalId, epoch, leaseCte: LEASE_CTE, hubspotNow: () => clock.at() };
    const onFault = (fault: unknown): void => {
      logger.warn({ err: fault, portalId }, "the portal's circuit could not be stored");
    };
    const circuit = new PortalCircuit({ pool, lease, onFault });
    this.#circuit = circuit;
    this.#senders = new SenderSelection({
      owner: this.#owner,
      now,
      openings,
      breathe,
      memory: memoryOf(portalId),
    });
    this.#slots = createSlotSource(budget, {
      portalId,
      circuit,
      mayStillSend: () => turn.isFresh() && !circuit.isLost,
    });
    this.#calls = openPortalCalls({ portalId, budget, slots: this.#slots, gate, circuit, forPortal });
  }

  /** @returns how the turn ended. @throws LeaseLost, and the database's faults. */
  async run(): Promise<TurnEnd> {
    const { pool } = this.#options;
    const { lease, budget, turn } = this.#portal;
    const { portalId } = lease;
    const start = await this.#takeOver();
    if (!(await this.#mayWork(start))) return "rest";
    turn.lendPlaceWhile(() => this.#calls.isWaiting());
    this.#endsAtMs = performance.now() + TURN_MS.least + Math.random() * (TURN_MS.most - TURN_MS.least);
    const need = await directoryNeed(start.directory, () => hasQueuedWork(pool, portalId));
    const renewing = this.#renewCopies(start, need);
    // Without any directory, every sender would have to be read from HubSpot one by one.
    if (need === "first") await renewing.directory;
    const contextWith = this.#attemptContexts(need === "old" ? renewing.directory : undefined);
    const stopNoting = this.#kept.paces.begin(portalId, budget);
    try {
      const isMoreLeft = await new PortalTurn({
        ...this.#turnOptions(start),
        contextWith,
        isRenewing: renewing.isUnderWay,
      }).run();
      // The sweep finds what waits for an open circuit or a new grant.
      if (!this.#isCallable()) return "rest";
      return isMoreLeft ? "more" : "idle";
    } finally {
      stopNoting();
      // The page being read is not awaited: it would delay the portal's next turn.
      this.#hasEnded = true;
      await this.#circuit.saved();
    }
  }

  /** This comes first: otherwise what a dead owner left would outlive its deadline if the portal cannot be called. */
  async #takeOver(): Promise<TurnStart> {
    const [start] = await Promise.all([
      takeOver(this.#owner, {
        startOf: this.#kept.startOf,
        hasCrashed: this.#portal.lease.inheritedMs === undefined,
      }),
      // Claiming waits for it; nothing is claimed for a portal that is spared.
      this.#circuit.isOpen ? undefined : this.#senders.policy.current(),
    ]);
    return start;
  }

  /**
   * Whether the portal can be called. What cannot continue now, because of that or of a pause, is given up once its
   * time is over.
   */
  async #mayWork({ isConnected }: TurnStart): Promise<boolean> {
    if (this.#circuit.isOpen || !isConnected) {
      await this.#expireOverdue(isConnected ? "HUBSPOT_UNAVAILABLE" : "DEADLINE_EXCEEDED");
      return false;
    }
    if ((await this.#senders.policy.current()).isPaused) await this.#expireOverdue("PORTAL_PAUSED");
    return true;
  }

  /** Every incoming call also gives a blocked portal a turn: most of these turns find nothing past its time. */
  async #expireOverdue(code: ExpiryCode): Promise<void> {
    const isOverdue = await this.#options.overdueLooks.isOverdue(this.#owner.portalId);
    if (isOverdue) await expirePastDeadline(this.#owner, code);
  }

  #isCallable(): boolean {
    return this.#calls.isCallable() && !this.#circuit.isOpen && !this.#circuit.isLost;
  }

  #mayGoOn(): boolean {
    const { turn } = this.#portal;
    return this.#isCallable() && !turn.isEnding() && turn.isFresh() && performance.now() < this.#endsAtMs;
  }

  #renewCopies({ flows, areDoubtsDue }: TurnStart, need: DirectoryNeed): RunningRenewal {
    const { pool, portalId } = this.#owner;
    return this.#kept.renewals.begin({
      owner: this.#owner,
      budget: this.#portal.budget,
      gateway: this.#calls.gatewayWith(),
      mayGoOn: () => !this.#hasEnded && this.#mayGoOn(),
      need,
      flows,
      // After an outage one request shows whether HubSpot is back. Workflows whose list alone fails must not keep contacts waiting.
      areContactsFirst: async () =>
        this.#circuit.isProbing && (areDoubtsDue || (await hasQueuedWork(pool, portalId).catch(() => true))),
    });
  }

  /** @param renewal of an old directory. */
  #attemptContexts(renewal: Promise<void> | undefined): PortalTurnOptions["contextWith"] {
    const { directory, hubspotClock: clock, propertiesFreshMs: freshMs } = this.#options;
    const { believeNoneAfterMs = BELIEVE_NONE_AFTER_MS } = this.#options;
    const { renewalPatienceMs = RENEWAL_PATIENCE_MS } = this.#options;
    const owner = this.#owner;
    const readProperties = createDoubtedContacts(this.#calls.gatewayWith());
    const renewed = renewal && Promise.race([renewal, sleep(renewalPatienceMs)]);
    const peopleWith = createTurnPeople({ owner, directory, renewed, absent: this.#kept.absent });
    const shared = {
      owner,
      portalId: owner.portalId,
      directory,
      contacts: new ContactProperties({ owner, ahead: this.#kept.ahead, freshMs }),
      senders: this.#senders,
      doubts: { clock, believeNoneAfterMs, readProperties },
    };
    return (slot) => {
      const gateway = this.#calls.gatewayWith(slot);
      return { ...shared, gateway, people: peopleWith(gateway) };
    };
  }

  #turnOptions(start: TurnStart): Omit<PortalTurnOptions, "contextWith" | "isRenewing"> {
    const { pool, logger, aroundAttempt, onAttempted, onCompletions } = this.#options;
    const { onCutShort = () => undefined } = this.#options;
    const { budget, turn } = this.#portal;
    const { portalId } = this.#owner;
    const circuit = this.#circuit;
    return {
      owner: this.#owner,
      budget,
      slots: this.#slots,
      circuit,
      mostUnderWay: () => this.#calls.mostUnderWay(),
      gatewayWith: (slot) => this.#calls.gatewayWith(slot),
      mayAttempt: () => this.#mayBegin(),
      attempt: attemptExecution,
      aroundAttempt,
      sideWork: this.#sideWork(start),
      logger,
      onAttempted,
      onCompletions,
      onRefused: (ids) => tellOfCutShortHolds({ pool, portalId, logger, count: onCutShort }, ids),
      mayGoOn: () => this.#mayGoOn(),
      // Every write names the epoch, so it has no effect once another owner exists, however late it arrives.
      mayStillWrite: () => !circuit.isLost && (turn.isFresh() || !(turn.signal.aborted || turn.isEnding())),
      areDoubtsDue: start.areDoubtsDue,
      areEnrollmentLooksDue: start.areEnrollmentLooksDue,
    };
  }

  async #mayBegin(): Promise<boolean> {
    return !(await this.#senders.policy.current()).isPaused;
  }

  #sideWork({ hasUnenroll, hasFlowWork }: TurnStart): SidePoll[] {
    const { unenrolling = { times: UNENROLL_TIMES }, entryTimes: times = ENTRY_TIMES } = this.#options;
    const owner = this.#owner;
    const mayBegin = (): Promise<boolean> => this.#mayBegin();
    const unenroll = (gateway: PortalGateway) =>
      pollUnenrollments({ owner, gateway, mayBegin, ...unenrolling });
    const workOnFlows = (gateway: PortalGateway) => pollFlowWork({ owner, gateway, times, mayBegin });
    return [...(hasUnenroll ? [unenroll] : []), ...(hasFlowWork ? [workOnFlows] : [])];
  }
}
