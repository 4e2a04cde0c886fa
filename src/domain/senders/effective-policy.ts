import type { IfAlreadyEnrolled, SenderMode } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY, type Policy, type SenderRule } from "#domain/contract/policy.js";
import type { Needs, PortalPolicy } from "./portal-policy.js";

/** What a workflow's step sets itself; the preset decides the rest. */
export interface StepChoices {
  readonly senderMode?: SenderMode | undefined;
  readonly senderUserId?: string | undefined;
  readonly rotationId?: string | undefined;
  readonly presetId?: string | undefined;
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled | undefined;
  readonly cooldownDays?: number | undefined;
}

/** The policy of one call, or why there is none: a setting that is gone or cannot be read. */
export type EffectivePolicy =
  | { readonly kind: "policy"; readonly policy: Policy }
  | { readonly kind: "unusable"; readonly reason: string };

function presetPolicy(portal: PortalPolicy, presetId: string | undefined): EffectivePolicy {
  const preset = presetId === undefined ? portal.defaultPreset : portal.presets.get(presetId);
  if (preset === undefined) {
    return presetId === undefined
      ? { kind: "policy", policy: INITIAL_POLICY }
      : { kind: "unusable", reason: "The preset was deleted. Choose another one in the action." };
  }
  return preset.policy === undefined
    ? {
        kind: "unusable",
        reason: `Preset “${preset.name}” is damaged. Open it and save it again.`,
      }
    : { kind: "policy", policy: preset.policy };
}

function senderRule(step: StepChoices, ofPreset: SenderRule): SenderRule {
  switch (step.senderMode) {
    case "contact_owner":
      return { mode: "contact_owner" };
    case "specific_user":
      return { mode: "specific_user", userId: step.senderUserId ?? "" };
    case "rotation":
      return { mode: "rotation", rotationId: step.rotationId ?? "" };
    case "portal_default":
    case undefined:
      return ofPreset;
  }
}

/** What applies to one call: the step's own choices, then its preset's, or the portal's default preset's. */
export function effectivePolicy(portal: PortalPolicy, step: StepChoices): EffectivePolicy {
  const base = presetPolicy(portal, step.presetId);
  if (base.kind === "unusable") return base;
  const { policy } = base;
  return {
    kind: "policy",
    policy: {
      ...policy,
      sender: senderRule(step, policy.sender),
      ifAlreadyEnrolled: step.ifAlreadyEnrolled ?? policy.ifAlreadyEnrolled,
      cooldown: { ...policy.cooldown, days: step.cooldownDays ?? policy.cooldown.days },
    },
  };
}

/** As the database formats them: no other text can be an id. */
const ID = /^\d{1,18}$/;

/** Ids of the rotations whose members may send by the policy. */
export function rotationsOf({ sender, fallback }: Policy): string[] {
  const named = [sender.mode === "rotation" ? sender.rotationId : null, fallback.rotationId];
  return named.filter((id) => id !== null && ID.test(id)) as string[];
}

/**
 * What applies to one call, from a portal's policy that was read for it: for the preset the step names, and for the
 * rotations it then reaches.
 *
 * @param read brings at least what is needed.
 */
export async function readEffectivePolicy(
  step: StepChoices,
  read: (needs: Needs) => Promise<PortalPolicy>,
): Promise<{ portal: PortalPolicy; effective: EffectivePolicy }> {
  const { presetId } = step;
  const presets = new Set(presetId !== undefined && ID.test(presetId) ? [presetId] : []);
  const rotations = new Set<string>();
  for (;;) {
    const portal = await read({ presets, rotations });
    const effective = effectivePolicy(portal, step);
    const named = effective.kind === "policy" ? rotationsOf(effective.policy) : [];
    const unread = named.filter((id) => !portal.needs.rotations.has(id));
    if (unread.length === 0) return { portal, effective };
    unread.forEach((id) => rotations.add(id));
  }
}
