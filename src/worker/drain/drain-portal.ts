import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { createBreather } from "#platform/time/breather.js";
import { createCopyStore } from "#domain/directory/copy-store.js";
import type { Directory } from "#domain/directory/directory.js";
import { recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { doubtCompletions } from "#domain/executions/completions.js";
import { expirePastDeadline, type ExpiryCode } from "#domain/executions/overdue/expire.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import type { OverdueLooks } from "#domain/executions/overdue/overdue.js";
import type { FairGate } from "#platform/hubspot/pace/fair-gate.js";
import type { Owner, PortalGateway } from "#platform/hubspot/gateway.js";
import type { HubSpotClock } from "#platform/hubspot/hubspot-clock.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { PortalTransport, PortalTransportOptions } from "#platform/hubspot/transport.js";
import type { Logger } from "#platform/observability/logger.js";
import type { DrainHandler, DrainTurn, TurnEnd } from "#platform/queue/drain-queue.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import {
  acquirePortal,
  LEASE_CTE,
  LeaseLost,
  type PortalLease,
  type WindowLeft,
} from "#platform/queue/portal-lease.js";
import { Openings } from "#domain/senders/windows/openings.js";
import { createPolicyMemories } from "#domain/senders/stored/policy-memory.js";
import { AbsentMembers } from "#domain/directory/absent-members.js";
import { attemptExecution } from "#worker/attempt/attempt-execution.js";
import { ContactProperties, createReadAhead } from "#worker/attempt/contact-properties.js";
import { PaceNotes } from "#platform/queue/portal-pace.js";
import { tellOfCutShortHolds } from "./cut-short-holds.js";
import { BELIEVE_NONE_AFTER_MS, type DoubtTools } from "#worker/attempt/doubt.js";
import { createDoubtedContacts } from "#worker/attempt/doubted-contacts.js";
import { handOver } from "./hand-over.js";
import { openBudget } from "./open-budget.js";
import { openPortalCalls } from "./portal-calls.js";
import { PortalTurn, type PortalTurnOptions } from "./portal-turn.js";
import { recordBlocked } from "./record-blocked.js";
import type { CompletionOptions } from "./send-completions.js";
import { readOnce } from "#worker/renewal/read-once.js";
import { SenderSelection } from "#worker/attempt/sender-selection.js";
import { createSlotSource } from "./slot-source.js";
import { createTurnStarts, type TurnStart } from "./turn-start.js";
import { DirectoryKeeper, directoryNeed } from "#worker/renewal/sync-directory.js";
import { FlowKeeper } from "#worker/renewal/sync-flows.js";
import { ENTRY_TIMES, type EntryTimes } from "#worker/flow-entries/stamp-entries.js";
import { pollFlowWork } from "#worker/own-flows/poll-flow-work.js";
import { UNENROLL_TIMES } from "#worker/unenroll/judge-contact.js";
import { pollUnenrollments } from "#worker/unenroll/unenroll-poll.js";
import type { Unenrolling } from "#worker/unenroll/unenroll-tools.js";
import { hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";

export interface DrainOptions {
  pool: Pool;
  directory: Directory;
  logger: Logger;
  /** Requests per window that one portal allows (docs/hubspot.md §6). */
  rateLimit: number;
  gate: FairGate;
  forPortal: (portal: PortalTransportOptions) => PortalTransport;
  /** The clock of send windows, away dates and caps; undefined: the database's. */
  now: (() => Date) | undefined;
  /** How long a call's contact properties are used; by default PROPERTIES_FRESH_MS. */
  propertiesFreshMs?: number | undefined;
  /** How long an attempt that our old copy would refuse waits for the new one; by default RENEWAL_PATIENCE_MS. */
  renewalPatienceMs?: number | undefined;
  hubspotClock: HubSpotClock;
  /** Those of the process. */
  overdueLooks: OverdueLooks;
  /** Those of the process; by default of their own. */
  paces?: PaceNotes;
  /** Done around every attempt: for traces. */
  aroundAttempt?: (
    portalId: bigint,
    execution: ClaimedExecution,
    attempt: () => Promise<Result>,
  ) => Promise<Result>;
  /** Told of every attempt that ended. */
  onAttempted?: PortalTurnOptions["onAttempted"];
  /** Told of what HubSpot said of completions. */
  onCompletions?: CompletionOptions["onResults"];
  /** Counts outcomes that HubSpot refused before the end of the requested hold. */
  onCutShort?: (holds: number) => void;
  /** How long HubSpot may take to show an enrollment; by default BELIEVE_NONE_AFTER_MS. */
  believeNoneAfterMs?: number | undefined;
  /** How long putting contacts in workflows takes; by default ENTRY_TIMES. */
  entryTimes?: EntryTimes | undefined;
  /** How unenrolling goes; by default in UNENROLL_TIMES. */
  unenrolling?: Unenrolling | undefined;
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
/** The handler that drains one portal for one turn. */
export function createDrain(options: DrainOptions): DrainHandler {
  const { pool, directory, logger, hubspotClock: clock, overdueLooks } = options;
  const { believeNoneAfterMs = BELIEVE_NONE_AFTER_MS, onCutShort = () => undefined } = options;
  const { entryTimes = ENTRY_TIMES } = options;
  const { renewalPatienceMs = RENEWAL_PATIENCE_MS, unenrolling = { times: UNENROLL_TIMES } } = options;
  const openings = new Openings();
  const breathe = createBreather();
  const memoryOf = createPolicyMemories();
  const ahead = createReadAhead();
  const absent = new AbsentMembers();
  const keeper = new DirectoryKeeper({ directory, logger });
  const flowKeeper = new FlowKeeper({ logger });

  const startOf = createTurnStarts(pool);
  const { paces = new PaceNotes(pool) } = options;

  /** Every incoming call also gives a blocked portal a turn: most of these turns find nothing past its time. */
  async function expireOverdue(owner: Ownership, code: ExpiryCode): Promise<void> {
    if (await overdueLooks.isOverdue(owner.portalId)) await expirePastDeadline(owner, code);
  }

  /**
   * Makes due again what earlier owners left behind. Also one that handed over in an orderly way may have left claims whose
   * end it could not store; as a rule there are none, and the start tells.
   */
  async function takeOver(owner: Ownership, { hasCrashed }: { hasCrashed: boolean }): Promise<TurnStart> {
    const [start] = await Promise.all([
      startOf(owner.portalId),
      hasCrashed ? recoverAttempts(owner, { isCrash: true }) : undefined,
      hasCrashed ? doubtCompletions(owner) : undefined,
    ]);
    const isLeftBehind = start.oldestClaim !== undefined && start.oldestClaim < owner.epoch;
    if (isLeftBehind && !hasCrashed) await recoverAttempts(owner, { isCrash: false });
    return { ...start, areDoubtsDue: start.areDoubtsDue || hasCrashed || isLeftBehind };
  }

  async function workThrough(lease: PortalLease, budget: RequestBudget, turn: DrainTurn): Promise<TurnEnd> {
    const { portalId, epoch } = lease;
    const owner: Ownership = { pool, portalId, epoch, leaseCte: LEASE_CTE, hubspotNow: () => clock.at() };
    const onFault = (fault: unknown): void => {
      logger.warn({ err: fault, portalId }, "the portal's circuit could not be stored");
    };
    const circuit = new PortalCircuit({ pool, lease, onFault });
    const senders = new SenderSelection({
      owner,
      now: options.now,
      openings,
      breathe,
      memory: memoryOf(portalId),
    });
    // First of all: otherwise what a dead owner left would outlive its deadline if the portal cannot be called.
    const [
      {
        isConnected: mayCall,
        directory: state,
        flows,
        areDoubtsDue,
        areEnrollmentLooksDue,
        hasUnenroll,
        hasFlowWork,
      },
    ] = await Promise.all([
      takeOver(owner, { hasCrashed: lease.inheritedMs === undefined }),
      // Claiming waits for it; of a portal that is spared nothing is claimed.
      circuit.isOpen ? undefined : senders.policy(),
    ]);
    if (circuit.isOpen || !mayCall) {
      await expireOverdue(owner, mayCall ? "HUBSPOT_UNAVAILABLE" : "DEADLINE_EXCEEDED");
      return "rest";
    }
    const need = await directoryNeed(state, () => hasQueuedWork(pool, portalId));
    // A paused execution waits, but not past its time.
    if ((await senders.policy()).isPaused) await expireOverdue(owner, "PORTAL_PAUSED");
    const slots = createSlotSource(budget, {
      portalId,
      circuit,
      mayStillSend: () => turn.isFresh() && !circuit.isLost,
    });
    const { gate, forPortal } = options;
    const calls = openPortalCalls({ portalId, budget, slots, gate, circuit, forPortal });
    turn.lendPlaceWhile(() => calls.isWaiting());
    const endsAtMs = performance.now() + TURN_MS.least + Math.random() * (TURN_MS.most - TURN_MS.least);
    const mayGoOn = (): boolean =>
      calls.isCallable() &&
      !circuit.isOpen &&
      !circuit.isLost &&
      !turn.isEnding() &&
      turn.isFresh() &&
      performance.now() < endsAtMs;
    let isRenewing = true;
    let hasEnded = false;
    const portal = {
      owner,
      budget,
      gateway: calls.gatewayWith(),
      mayGoOn: () => !hasEnded && mayGoOn(),
    };
    const renewing = keeper.keep({ ...portal, need });
    // After an outage one request shows whether HubSpot is back. Workflows whose list alone fails must not keep contacts waiting.
    const areContactsFirst = async (): Promise<boolean> =>
      circuit.isProbing && (areDoubtsDue || (await hasQueuedWork(pool, portalId).catch(() => true)));
    // After the directory: contacts wait for that, and for the names of workflows nobody does.
    void renewing
      .then(areContactsFirst)
      .then((isPutOff) => (isPutOff ? undefined : flowKeeper.keep({ ...portal, state: flows })))
      .finally(() => (isRenewing = false));
    // Without any directory, every sender would have to be read from HubSpot one by one.
    if (need === "first") await renewing;
    const renewed = need === "old" ? Promise.race([renewing, sleep(renewalPatienceMs)]) : undefined;
    const copy = createCopyStore(owner, directory);
    const ownerReads = readOnce<Owner | undefined>();
    const contacts = new ContactProperties({ owner, ahead, freshMs: options.propertiesFreshMs });
    const readProperties = createDoubtedContacts(calls.gatewayWith());
    const doubts: DoubtTools = { clock, believeNoneAfterMs, readProperties };
    const mayBegin = async (): Promise<boolean> => !(await senders.policy()).isPaused;
    const unenroll = (gateway: PortalGateway) =>
      pollUnenrollments({ owner, gateway, mayBegin, ...unenrolling });
    const workOnFlows = (gateway: PortalGateway) =>
      pollFlowWork({ owner, gateway, times: entryTimes, mayBegin });
    const stopNoting = paces.begin(portalId, budget);
    try {
      const isMoreLeft = await new PortalTurn({
        owner,
        budget,
        slots,
        circuit,
        mostUnderWay: () => calls.mostUnderWay(),
        gatewayWith: (slot) => calls.gatewayWith(slot),
        attempt: (execution, gateway) => {
          const attempt = () =>
            attemptExecution(execution, {
              owner,
              portalId,
              gateway,
              directory,
              copy,
              renewed,
              ownerReads,
              absent,
              contacts,
              senders,
              doubts,
            });
          return options.aroundAttempt?.(portalId, execution, attempt) ?? attempt();
        },
        mayAttempt: mayBegin,
        sideWork: [...(hasUnenroll ? [unenroll] : []), ...(hasFlowWork ? [workOnFlows] : [])],
        logger,
        onAttempted: options.onAttempted,
        onCompletions: options.onCompletions,
        onRefused: (ids) => tellOfCutShortHolds({ pool, portalId, logger, count: onCutShort }, ids),
        mayGoOn,
        // Every write names the epoch, so it has no effect once another owner exists, however late it arrives.
        mayStillWrite: () => !circuit.isLost && (turn.isFresh() || !(turn.signal.aborted || turn.isEnding())),
        isRenewing: () => isRenewing,
        areDoubtsDue,
        areEnrollmentLooksDue,
      }).run();
      // The sweep finds what waits for an open circuit or a new grant.
      if (!calls.isCallable() || circuit.isOpen || circuit.isLost) return "rest";
      return isMoreLeft ? "more" : "idle";
    } finally {
      stopNoting();
      // The page being read is not awaited: it would delay the portal's next turn.
      hasEnded = true;
      await circuit.saved();
    }
  }

  return async (portalId, turn) => {
    // Acquiring the lease invalidates what another owner is writing: only an owner that may send may do that.
    if (!turn.isFresh()) return "rest";
    const lease = await acquirePortal(pool, portalId);
    const budget = openBudget(lease, options.rateLimit);
    try {
      return await workThrough(lease, budget, turn);
    } catch (error) {
      if (!(error instanceof LeaseLost)) {
        await recordBlocked({ pool, lease, onFault: () => undefined }, error);
        throw error;
      }
      logger.warn({ portalId, epoch: lease.epoch }, "the portal has a new owner");
      return "rest";
    } finally {
      const left = (): WindowLeft => ({ slotsFreeInMs: budget.handOver(), allowance: budget.allowance });
      await handOver({ pool, lease, left, isFresh: () => turn.isFresh() });
    }
  };
}
