import { describe, expect, test } from "@jest/globals";
import { effectivePolicy, type StepChoices } from "#domain/senders/effective-policy.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { NEEDS_NOTHING, type PortalPolicy } from "#domain/senders/portal-policy.js";
import type { Preset } from "#domain/senders/stored/stored-preset.js";

const BASE: Policy = {
  ...INITIAL_POLICY,
  sender: { mode: "rotation", rotationId: "3" },
  ifAlreadyEnrolled: "wait",
  cooldown: { days: 30, scope: "sequence" },
};

function portalWith(...presets: Preset[]): PortalPolicy {
  return {
    portalId: 1n,
    readAt: new Date(),
    isPaused: false,
    timeZone: "utc",
    onlyListedSenders: false,
    defaultSenderUserId: undefined,
    senders: new Map(),
    rotations: new Map(),
    presets: new Map(presets.map((preset) => [preset.presetId, preset])),
    defaultPreset: presets.find(({ isDefault }) => isDefault),
    needs: NEEDS_NOTHING,
  };
}

const preset = (changes: Partial<Preset> = {}): Preset => ({
  presetId: "5",
  name: "Base",
  isDefault: true,
  policy: BASE,
  ...changes,
});

function policyOf(step: StepChoices, portal = portalWith(preset())): Policy | undefined {
  const effective = effectivePolicy(portal, step);
  return effective.kind === "policy" ? effective.policy : undefined;
}

describe("what applies to a step", () => {
  test("is what its preset says wherever it says nothing", () => {
    expect(policyOf({})).toEqual(BASE);
    expect(policyOf({ senderMode: "portal_default", presetId: "5" })).toEqual(BASE);
  });

  test("without any preset is what applies from the start", () => {
    expect(policyOf({}, portalWith())).toEqual(INITIAL_POLICY);
    expect(policyOf({}, portalWith(preset({ isDefault: false })))).toEqual(INITIAL_POLICY);
  });

  test("a cooldown of 0 days in the step is no cooldown, whatever the preset says", () => {
    expect(policyOf({ cooldownDays: 0 })?.cooldown).toEqual({ days: 0, scope: "sequence" });
    expect(policyOf({ cooldownDays: 7 })?.cooldown).toEqual({ days: 7, scope: "sequence" });
  });

  test("the step's own choices go before the preset's", () => {
    expect(policyOf({ ifAlreadyEnrolled: "fail" })?.ifAlreadyEnrolled).toBe("fail");
    expect(policyOf({ senderMode: "contact_owner" })?.sender).toEqual({ mode: "contact_owner" });
    expect(policyOf({ senderMode: "specific_user" })?.sender).toEqual({ mode: "specific_user", userId: "" });
    expect(policyOf({ senderMode: "rotation", rotationId: "4" })?.sender).toEqual({
      mode: "rotation",
      rotationId: "4",
    });
  });

  test("a preset named goes before the default one, and one that is gone or unreadable is said so", () => {
    const named = preset({ presetId: "6", isDefault: false, policy: INITIAL_POLICY });
    expect(policyOf({ presetId: "6" }, portalWith(preset(), named))).toEqual(INITIAL_POLICY);
    expect(effectivePolicy(portalWith(preset()), { presetId: "9" })).toMatchObject({ kind: "unusable" });
    const unreadable = portalWith(preset({ policy: undefined }));
    expect(effectivePolicy(unreadable, {})).toMatchObject({ kind: "unusable" });
  });
});
