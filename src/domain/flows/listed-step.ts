import {
  IF_ALREADY_ENROLLED,
  LEFT_TO_PRESET,
  SENDER_MODES,
  type IfAlreadyEnrolled,
  type SenderMode,
} from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY, policySchema, type Policy } from "#domain/contract/policy.js";
import type { Person } from "#domain/directory/people.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { isNative, type FlowStepKind, type StepField } from "./flow-steps.js";

/** What a step of a workflow relies on but does not exist. */
export type StepWarning =
  | "SEQUENCE_GONE"
  | "SENDER_GONE"
  | "PRESET_GONE"
  | "PRESET_SENDER_GONE"
  | "ROTATION_GONE"
  | "CANNOT_REPLACE"
  | "CANNOT_UNENROLL";

/** Something that a step names. Null name: we do not know it, or not anymore. */
export interface NamedThing {
  readonly id: string;
  readonly name: string | null;
}

/** Who sends if the sender that was chosen cannot, in this order, and what happens if none of them can. */
export interface StepFallback {
  readonly rotation: NamedThing | null;
  readonly toDefaultSender: boolean;
  readonly whenNobody: Policy["fallback"]["whenNobody"];
}

/** A step with the names of what it says. */
export interface ListedStep {
  readonly actionId: string;
  readonly kind: FlowStepKind;
  readonly sequence: NamedThing | null;
  /** Null: nothing that we know, or HubSpot's own step. */
  readonly senderMode: SenderMode | null;
  readonly sender: NamedThing | null;
  /** Null: the account's default preset applies. */
  readonly preset: NamedThing | null;
  readonly rotation: NamedThing | null;
  /** As the preset that applies says. Null: the step does not enroll by us, or that preset was deleted. */
  readonly fallback: StepFallback | null;
  /** Null: as the preset says. */
  readonly ifAlreadyEnrolled: IfAlreadyEnrolled | null;
  /** Fields whose value each contact brings along. */
  readonly varying: readonly string[];
  readonly warnings: readonly StepWarning[];
}

/** The columns of a step, with the names of what it says. */
export interface StepRow {
  action_id: string;
  kind: FlowStepKind;
  sequence_id: string | null;
  sequence_name: string | null;
  is_sequence_gone: boolean;
  sender_mode: string | null;
  sender_user_id: string | null;
  preset_id: string | null;
  preset_name: string | null;
  fallback: unknown;
  fallback_rotation_name: string | null;
  rotation_id: string | null;
  rotation_name: string | null;
  if_already_enrolled: string | null;
  varying: string[];
  /** The one user whom the preset names as the sender, if the step leaves that to it. */
  preset_user_id: string | null;
  cannot_replace: boolean | null;
  cannot_unenroll: boolean;
}

/** PostgreSQL's bigint takes any 18 digits. */
export function userIdOf(id: string | null): UserId | undefined {
  return id !== null && /^\d{1,18}$/.test(id) ? BigInt(id) : undefined;
}

/** @param people those named as senders. */
export function toStep(row: StepRow, people: ReadonlyMap<UserId, Person>): ListedStep {
  const senderMode = isNative(row.kind)
    ? null
    : (SENDER_MODES.find((mode) => mode === row.sender_mode) ?? null);
  // A step keeps what was chosen for another way of sending: only what it uses counts.
  const usesSender = senderMode === "specific_user" || isNative(row.kind);
  const usesRotation = senderMode === "rotation";
  const presetId = row.preset_id === LEFT_TO_PRESET ? null : row.preset_id;
  const person = people.get(userIdOf(row.sender_user_id) ?? -1n);
  const step = {
    actionId: row.action_id,
    kind: row.kind,
    sequence: named(row.sequence_id, row.sequence_name),
    senderMode,
    sender: usesSender ? named(row.sender_user_id, person?.label ?? null) : null,
    preset: named(presetId, row.preset_name),
    rotation: usesRotation ? named(row.rotation_id, row.rotation_name) : null,
    fallback: row.kind === "ENROLL" ? fallbackOf(row, presetId) : null,
    ifAlreadyEnrolled: IF_ALREADY_ENROLLED.find((choice) => choice === row.if_already_enrolled) ?? null,
    varying: row.varying,
  };
  const presetPerson = people.get(userIdOf(row.preset_user_id) ?? -1n);
  return { ...step, warnings: warningsOf(step, { row, person, presetPerson }) };
}

/** An account without a default preset has the built-in one. */
function fallbackOf(row: StepRow, presetId: string | null): StepFallback | null {
  const stored = policySchema.shape.fallback.safeParse(row.fallback).data;
  const fallback = stored ?? (presetId === null ? INITIAL_POLICY.fallback : undefined);
  if (fallback === undefined) return null;
  const { rotationId, toDefaultSender, whenNobody } = fallback;
  return { rotation: named(rotationId, row.fallback_rotation_name), toDefaultSender, whenNobody };
}

const named = (id: string | null, name: string | null): NamedThing | null =>
  id === null ? null : { id, name };

function warningsOf(
  { sequence, sender, preset, rotation }: Omit<ListedStep, "warnings">,
  { row, person, presetPerson }: { row: StepRow } & Record<"person" | "presetPerson", Person | undefined>,
): StepWarning[] {
  const isPresetSenderGone = row.preset_user_id !== null && presetPerson?.isActive !== true;
  return [
    ...(sequence !== null && row.is_sequence_gone ? (["SEQUENCE_GONE"] as const) : []),
    ...(sender !== null && person?.isActive !== true ? (["SENDER_GONE"] as const) : []),
    ...(preset !== null && preset.name === null ? (["PRESET_GONE"] as const) : []),
    ...(isPresetSenderGone ? (["PRESET_SENDER_GONE"] as const) : []),
    ...(rotation !== null && rotation.name === null ? (["ROTATION_GONE"] as const) : []),
    ...(row.cannot_replace === true ? (["CANNOT_REPLACE"] as const) : []),
    ...(row.cannot_unenroll ? (["CANNOT_UNENROLL"] as const) : []),
  ];
}

/** Whether a field of a step has a different value for each contact. */
export function varies(step: Pick<ListedStep, "varying">, field: StepField): boolean {
  return step.varying.includes(field);
}
