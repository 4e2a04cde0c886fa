import type { SimulatedContact } from "../portal/model.js";
import type { SigningPlan } from "../world/signing.js";
import type { ExecutionState } from "./execution.js";
import type { ActionDefinition } from "./history.js";

type Inputs = Readonly<Record<string, string>>;

export interface RunRequest {
  /** The action's `actionUrl`. */
  readonly actionUrl: string;
  /** Origin the signature is made for, if it is not `actionUrl`'s own. */
  readonly publicUrl?: string;
  readonly contactIds: readonly string[];
  /** The same for every contact, or computed for each. */
  readonly inputs: Inputs | ((contact: SimulatedContact | undefined, index: number) => Inputs);
  /** `objectRequestOptions.properties` of the action. */
  readonly objectProperties: readonly string[];
  readonly workflowId?: number;
  /** Sent instead of a workflow's: `{ source: "AGENTS", … }`. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly actionId?: number;
  readonly definitionVersion?: number;
  /** Contacts entering per second; unset: as fast as the connections allow. */
  readonly ratePerSecond?: number;
  /** Requests under way at once. Default 20. */
  readonly concurrency?: number;
  readonly signing?: SigningPlan;
  /** Default 10 s. */
  readonly timeoutMs?: number;
  /** Gaps before each retry. HubSpot's grow from a minute to hours over three days; the default is about two minutes. */
  readonly retryGapsMs?: readonly number[];
  /** A longer `Retry-After` is cut to this. Default 1000 ms. */
  readonly maxRetryAfterMs?: number;
  /** How likely an answered request is delivered once more (docs/hubspot.md §3.5: at least once). Default 0. */
  readonly duplicateProbability?: number;
  /** Contents of the action's `-hsmeta.json`, for the labels the workflow history would show. */
  readonly definition?: ActionDefinition;
}

export type RunCounts = Readonly<Record<ExecutionState, number>> & {
  readonly total: number;
  readonly entered: number;
};
