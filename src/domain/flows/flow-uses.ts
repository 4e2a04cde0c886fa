import type { Pool } from "pg";
import { INITIAL_POLICY, policySchema, type Policy } from "#domain/contract/policy.js";
import { LEFT_TO_PRESET } from "#domain/contract/actions/enroll-contract.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** A workflow that depends on what an admin set up here. */
export interface UsingFlow {
  readonly flowId: string;
  readonly name: string | null;
  /** False: it is turned off, and would use it once it is turned on. */
  readonly isEnabled: boolean;
}

/**
 * Which workflows depend on what, directly or by their preset; each by its name, those that are on first. Deleted ones
 * use nothing. By ids as text.
 */
export interface FlowUses {
  /** False: no workflow was ever read, so nobody knows. */
  readonly isKnown: boolean;
  readonly presets: ReadonlyMap<string, readonly UsingFlow[]>;
  readonly rotations: ReadonlyMap<string, readonly UsingFlow[]>;
  /** By user id: as a step's own choice, a preset's, or a member of a rotation. Not as the default sender. */
  readonly senders: ReadonlyMap<string, readonly UsingFlow[]>;
  /** Steps that name no preset. */
  readonly defaultPreset: readonly UsingFlow[];
  readonly defaultSender: readonly UsingFlow[];
  /** All that enroll by our step. */
  readonly all: readonly UsingFlow[];
}

/** An enroll step as stored. */
export interface UsingStep extends UsingFlow {
  readonly senderMode: string | null;
  readonly senderUserId: string | null;
  readonly rotationId: string | null;
  readonly presetId: string | null;
  /** The step's preset is another one for each contact: any may be used. */
  readonly hasVaryingPreset: boolean;
}

/** The parts of a preset that say who sends. */
export interface UsedPreset extends Pick<Policy, "sender" | "fallback"> {
  readonly presetId: string;
  readonly isDefault: boolean;
}

/** The members of each rotation. */
export type Members = ReadonlyMap<string, readonly string[]>;

/** Collects flows under keys, each flow once. */
class Uses {
  readonly #flows = new Map<string, Map<string, UsingFlow>>();

  add(key: string, { flowId, name, isEnabled }: UsingFlow): void {
    const found = this.#flows.get(key) ?? new Map<string, UsingFlow>();
    found.set(flowId, { flowId, name, isEnabled });
    this.#flows.set(key, found);
  }

  of(key: string): UsingFlow[] {
    return [...(this.#flows.get(key)?.values() ?? [])];
  }

  all(): Map<string, UsingFlow[]> {
    return new Map([...this.#flows.keys()].map((key) => [key, this.of(key)]));
  }
}

/** Stands for the built-in policy among the presets. */
export const BUILT_IN_PRESET = "";
/** What applies as the preset of a step that names none, in an account without a default preset. */
const BUILT_IN: UsedPreset = { ...INITIAL_POLICY, presetId: BUILT_IN_PRESET, isDefault: true };

/** Follows each step to everything that it may use. */
export function usesOf(
  steps: readonly UsingStep[],
  presets: readonly UsedPreset[],
  members: Members,
): Omit<FlowUses, "isKnown"> {
  const [byPreset, byRotation, bySender, others] = [new Uses(), new Uses(), new Uses(), new Uses()];
  const defaultPreset = presets.find(({ isDefault }) => isDefault) ?? BUILT_IN;

  function useRotation(rotationId: string, step: UsingStep): void {
    byRotation.add(rotationId, step);
    for (const userId of members.get(rotationId) ?? []) bySender.add(userId, step);
  }

  function usePreset(preset: UsedPreset, step: UsingStep): void {
    byPreset.add(preset.presetId, step);
    const { sender, fallback } = preset;
    if (fallback.rotationId !== null) useRotation(fallback.rotationId, step);
    if (fallback.toDefaultSender) others.add("default-sender", step);
    // What the step says about the sender wins.
    if (step.senderMode !== null && step.senderMode !== LEFT_TO_PRESET) return;
    if (sender.mode === "specific_user") bySender.add(sender.userId, step);
    if (sender.mode === "rotation") useRotation(sender.rotationId, step);
    if (sender.mode === "default_sender") others.add("default-sender", step);
  }

  for (const step of steps) {
    others.add("all", step);
    if (step.senderMode === "specific_user" && step.senderUserId !== null)
      bySender.add(step.senderUserId, step);
    if (step.senderMode === "rotation" && step.rotationId !== null) useRotation(step.rotationId, step);
    const namesNone = step.presetId === null || step.presetId === LEFT_TO_PRESET;
    const named = presets.filter(({ presetId }) => step.hasVaryingPreset || presetId === step.presetId);
    if (namesNone) others.add("default-preset", step);
    for (const preset of new Set(namesNone ? [defaultPreset, ...named] : named)) usePreset(preset, step);
  }
  return {
    presets: byPreset.all(),
    rotations: byRotation.all(),
    senders: bySender.all(),
    defaultPreset: others.of("default-preset"),
    defaultSender: others.of("default-sender"),
    all: others.of("all"),
  };
}

/** More than an account has: a page names a few, and counts the rest. */
const MOST_STEPS = 5_000;

interface StepRow {
  flow_id: string;
  name: string | null;
  is_enabled: boolean;
  sender_mode: string | null;
  sender_user_id: string | null;
  rotation_id: string | null;
  preset_id: string | null;
  has_varying_preset: boolean;
}

const READ_STEPS = `
  SELECT f.flow_id, f.name, f.is_enabled, s.sender_mode, s.sender_user_id, s.rotation_id, s.preset_id,
         'presetId' = ANY (s.varying) AS has_varying_preset
    FROM flow_steps s JOIN flows f ON f.portal_id = s.portal_id AND f.flow_id = s.flow_id
   WHERE s.portal_id = $1 AND s.kind = 'ENROLL' AND f.is_listed
   ORDER BY NOT f.is_enabled, lower(f.name) COLLATE "C", f.flow_id LIMIT ${MOST_STEPS}`;

interface PresetRow {
  preset_id: string;
  is_default: boolean;
  policy: unknown;
}

/** Without the lists of domains and values, which are long. */
const READ_PRESETS = `
  SELECT preset_id::text AS preset_id, is_default,
         jsonb_build_object('sender', policy -> 'sender', 'fallback', policy -> 'fallback') AS policy
    FROM presets WHERE portal_id = $1`;

const whoSends = policySchema.pick({ sender: true, fallback: true });
/** Used for a stored policy that cannot be read: it names nobody. */
const NOBODY = { ...INITIAL_POLICY, sender: { mode: "contact_owner" } } as const;

const READ_MEMBERS = `
  SELECT rotation_id::text AS rotation_id, array_agg(user_id::text) AS user_ids
    FROM rotation_members WHERE portal_id = $1 GROUP BY rotation_id`;

/** Which of the portal's workflows depend on its presets, rotations and senders. */
export async function readFlowUses(pool: Pool, portalId: PortalId): Promise<FlowUses> {
  const values = [portalId];
  const state = await pool.query<{ is_known: boolean }>({
    name: "flow-uses-state",
    text: "SELECT flows_read_at IS NOT NULL AS is_known FROM portals WHERE portal_id = $1",
    values,
  });
  const steps = await pool.query<StepRow>({ name: "flow-uses-steps", text: READ_STEPS, values });
  const presets = await pool.query<PresetRow>({ name: "flow-uses-presets", text: READ_PRESETS, values });
  const members = await pool.query<{ rotation_id: string; user_ids: string[] }>({
    name: "flow-uses-members",
    text: READ_MEMBERS,
    values,
  });
  const byRotation = new Map(members.rows.map(({ rotation_id, user_ids }) => [rotation_id, user_ids]));
  return {
    isKnown: state.rows[0]?.is_known === true,
    ...usesOf(steps.rows.map(toStep), presets.rows.map(toPreset), byRotation),
  };
}

function toPreset({ preset_id: presetId, is_default: isDefault, policy }: PresetRow): UsedPreset {
  const { sender, fallback } = whoSends.safeParse(policy).data ?? NOBODY;
  return { presetId, isDefault, sender, fallback };
}

function toStep(row: StepRow): UsingStep {
  return {
    flowId: row.flow_id,
    name: row.name,
    isEnabled: row.is_enabled,
    senderMode: row.sender_mode,
    senderUserId: row.sender_user_id,
    rotationId: row.rotation_id,
    presetId: row.preset_id,
    hasVaryingPreset: row.has_varying_preset,
  };
}
