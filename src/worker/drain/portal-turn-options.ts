import type { Ownership } from "#domain/executions/claim.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import type { Result } from "#domain/executions/write-back.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { RequestBudget } from "#platform/hubspot/pace/request-budget.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import type { PortalCircuit } from "#platform/queue/portal-circuit.js";
import type { EnrollContext } from "#worker/attempt/enroll-context.js";
import type { CompletionOptions } from "#worker/completions/send-completions.js";
import type { HeldSlot, SlotSource } from "./slot-source.js";
import type { SidePoll } from "./side-work.js";

/** What one turn with a portal needs. */
export interface PortalTurnOptions {
  owner: Ownership;
  budget: RequestBudget;
  slots: SlotSource;
  circuit: Pick<PortalCircuit, "isProbing">;
  /** Executions that may be attempted at once now. */
  mostUnderWay: () => number;
  /** A gateway whose first request uses the slot given, if any. */
  gatewayWith: (slot?: HeldSlot) => PortalGateway;
  /** What an attempt is made with; its first request uses the slot. */
  contextWith: (slot: HeldSlot) => EnrollContext;
  attempt: (execution: ClaimedExecution, context: EnrollContext) => Promise<Result>;
  /** Done around every attempt: for traces. */
  aroundAttempt?:
    | ((portalId: PortalId, execution: ClaimedExecution, attempt: () => Promise<Result>) => Promise<Result>)
    | undefined;
  /** False while the portal's admin has paused it: uncertain executions are settled, and nothing new begins. */
  mayAttempt: () => Promise<boolean>;
  /** What is done besides enrolling: contacts are held for it, or an admin waits. */
  sideWork?: readonly SidePoll[];
  logger: Logger;
  /** Called with the result of every attempt. Must not throw. */
  onAttempted?: ((execution: ClaimedExecution, result: Result) => void) | undefined;
  onCompletions?: CompletionOptions["onResults"];
  /** Called with the completions HubSpot refused. */
  onRefused?: (ids: readonly ExecutionId[]) => Promise<void>;
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
