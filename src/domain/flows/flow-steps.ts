import type { ExecutionKind } from "#domain/contract/execution.js";
import type { Flow, FlowAction } from "#platform/hubspot/gateway.js";
import type { ActionTypes } from "./action-types.js";

/** HubSpot's own steps that put contacts into sequences and take them out (docs/hubspot.md §10). */
const NATIVE_KINDS = new Map<string, NativeKind>([
  ["0-46510720", "NATIVE_ENROLL"],
  ["0-4702372", "NATIVE_UNENROLL"],
]);
type NativeKind = "NATIVE_ENROLL" | "NATIVE_UNENROLL";

export type FlowStepKind = ExecutionKind | NativeKind;

/** What a step can say that we keep, by our name for it, and the field of our action that says it. */
const OUR_FIELDS = {
  sequenceId: "sequence_id",
  senderMode: "sender_mode",
  senderUserId: "sender_user_id",
  presetId: "preset_id",
  rotationId: "rotation_id",
  ifAlreadyEnrolled: "if_already_enrolled",
} as const;
export type StepField = keyof typeof OUR_FIELDS;
export const STEP_FIELDS = Object.keys(OUR_FIELDS) as StepField[];

/** Fields with the same meaning in HubSpot's own step. */
const NATIVE_FIELDS: Readonly<Partial<Record<StepField, string>>> = {
  sequenceId: "sequenceId",
  senderMode: "senderType",
  senderUserId: "userId",
};

/** A step that enrolls, checks, waits or unenrolls. */
export interface FlowStep {
  readonly actionId: string;
  readonly kind: FlowStepKind;
  /** As the editor stored it; null: nothing was chosen, or each contact brings its own. */
  readonly fields: Readonly<Record<StepField, string | null>>;
  /** Fields whose value each contact brings along. */
  readonly varying: readonly StepField[];
}

/** The steps of a flow that are ours or do the same, in the order of the flow. */
export function stepsOf(flow: Flow, { kinds }: ActionTypes): FlowStep[] {
  const steps = flow.actions.flatMap((action) => {
    const kind = kinds.get(action.actionTypeId) ?? NATIVE_KINDS.get(action.actionTypeId);
    return kind === undefined ? [] : [toStep(action, kind)];
  });
  // An id that comes twice would be one row.
  return [...new Map(steps.map((step) => [step.actionId, step])).values()];
}

export function isNative(kind: FlowStepKind): boolean {
  return kind === "NATIVE_ENROLL" || kind === "NATIVE_UNENROLL";
}

function toStep({ actionId, fields }: FlowAction, kind: FlowStepKind): FlowStep {
  const names: Readonly<Partial<Record<StepField, string>>> = isNative(kind) ? NATIVE_FIELDS : OUR_FIELDS;
  const given = (field: StepField) => fields.get(names[field] ?? "");
  const valueOf = (field: StepField): string | null => {
    const found = given(field);
    return found?.kind === "value" && found.value.trim() !== "" ? found.value.trim() : null;
  };
  return {
    actionId,
    kind,
    fields: Object.fromEntries(STEP_FIELDS.map((field) => [field, valueOf(field)])) as FlowStep["fields"],
    varying: STEP_FIELDS.filter((field) => given(field)?.kind === "varies"),
  };
}
