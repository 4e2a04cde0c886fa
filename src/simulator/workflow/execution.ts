import type { SimulatedContact } from "../portal/model.js";
import { visibleProperties } from "../portal/enrollments.js";
import type { Completion } from "../portal/callbacks.js";

/**
 * The state of one contact at the action.
 *
 * | state | entered when | left for |
 * | --- | --- | --- |
 * | waiting | the contact reached the action | any other |
 * | blocked | the app answered BLOCK (or ASYNC) | completed, expired |
 * | succeeded | 2xx without a state, or SUCCESS | - |
 * | failed | 2xx with FAIL_CONTINUE | - |
 * | refused | another 4xx: no retry | - |
 * | unreachable | every retry after 429, 5xx or silence was used up | - |
 * | completed | the completion that counted came (see `outputs` for which) | - |
 * | expired | the block's duration passed: the contact goes on as if nothing had been said | - |
 */
export type ExecutionState =
  "waiting" | "blocked" | "succeeded" | "failed" | "refused" | "unreachable" | "completed" | "expired";

interface Attempt {
  readonly sentAtMs: number;
  readonly tookMs: number;
  /** 0 if no answer came. */
  readonly status: number;
  readonly body: string;
  /** A delivery of something the app had already answered. */
  readonly isDuplicate: boolean;
}

/** One execution request with its whole story. */
export interface Execution {
  readonly callbackId: string;
  readonly contactId: string;
  readonly enrollmentId: number;
  /** The body as sent, byte for byte, each time. */
  readonly payload: string;
  readonly attempts: Attempt[];
  state: ExecutionState;
  /** `outputFields` of the answer or completion that decided. */
  outputs: Readonly<Record<string, string>>;
  blockedAtMs: number | undefined;
  expiresAtMs: number | undefined;
  /** Every completion that arrived for it. */
  readonly completions: readonly Completion[];
}

interface RequestShape {
  readonly portalId: number;
  readonly definitionId: number;
  readonly definitionVersion: number;
  readonly workflowId: number;
  readonly actionId: number;
  readonly enrollmentId: number;
  readonly callbackId: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly objectProperties: readonly string[];
  /** Of a call by another client than a workflow (docs/hubspot.md §3.4). */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
  readonly nowMs: number;
}

/** The body of an execution request, as seen on the live platform (docs/hubspot.md §3.4). */
export function executionPayload(contact: SimulatedContact | { id: string }, shape: RequestShape): string {
  return JSON.stringify({
    callbackId: shape.callbackId,
    origin: {
      portalId: shape.portalId,
      actionDefinitionId: shape.definitionId,
      actionDefinitionVersion: shape.definitionVersion,
      actionExecutionIndexIdentifier: {
        enrollmentId: shape.enrollmentId,
        actionExecutionIndex: shape.actionId,
      },
      extensionDefinitionId: shape.definitionId,
      extensionDefinitionVersionId: shape.definitionVersion,
    },
    context: shape.context ?? {
      source: "WORKFLOWS",
      workflowId: shape.workflowId,
      actionId: shape.actionId,
    },
    object: { objectId: Number(contact.id), objectType: "CONTACT", properties: requested(contact, shape) },
    inputFields: shape.inputs,
    fields: shape.inputs,
    typedInputs: Object.fromEntries(
      Object.entries(shape.inputs).map(([name, value]) => [name, { type: "STRING", value }]),
    ),
  });
}

/** Only what the action asks for; a property without a value is absent. */
function requested(contact: SimulatedContact | { id: string }, shape: RequestShape): Record<string, string> {
  if (!("properties" in contact)) return {};
  const visible = visibleProperties(contact, shape.nowMs);
  const found = shape.objectProperties.map((name) => [name, visible[name]] as const);
  return Object.fromEntries(
    found.filter((entry): entry is readonly [string, string] => typeof entry[1] === "string"),
  );
}

const DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;
const WEEK_MS = 7 * 86_400_000;

/** `hs_expiration_duration` in ms; one week where it is missing or unreadable (docs/hubspot.md §3.5). */
export function durationMs(text: string | undefined): number {
  const parts = DURATION.exec(text ?? "");
  if (parts === null || text === "P") return WEEK_MS;
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  return (
    ((((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 +
    (seconds ?? 0) * 1000
  );
}
