import { describe, expect, test } from "@jest/globals";
import {
  effectivePolicy,
  readEffectivePolicy,
  rotationsOf,
  type StepChoices,
} from "#domain/senders/effective-policy.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import { NEEDS_NOTHING, type Needs, type PortalPolicy } from "#domain/senders/portal-policy.js";
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
    expect(policyOf({ senderMode: "specific_user", senderUserId: "7" })?.sender).toMatchObject({
      userId: "7",
    });
    expect(policyOf({ senderMode: "rotation", rotationId: "4" })?.sender).toEqual({
      mode: "rotation",
      rotationId: "4",
    });
    expect(policyOf({ senderMode: "rotation" })?.sender).toEqual({ mode: "rotation", rotationId: "" });
  });

  test("a named preset goes before the default one, and one that is gone or unreadable is reported", () => {
    const named = preset({ presetId: "6", isDefault: false, policy: INITIAL_POLICY });
    expect(policyOf({ presetId: "6" }, portalWith(preset(), named))).toEqual(INITIAL_POLICY);
    expect(effectivePolicy(portalWith(preset()), { presetId: "9" })).toEqual({
      kind: "unusable",
      reason: "The preset was deleted. Choose another one in the action.",
    });
    const unreadable = portalWith(preset({ policy: undefined }));
    expect(effectivePolicy(unreadable, {})).toEqual({
      kind: "unusable",
      reason: "Preset “Base” is damaged. Open it and save it again.",
    });
  });
});

test("a policy's rotations are its sender's and that of its fallback, if their ids can be ids", () => {
  const of = (sender: Policy["sender"], rotationId: string | null) =>
    rotationsOf({ ...BASE, sender, fallback: { ...BASE.fallback, rotationId } });
  expect(of({ mode: "rotation", rotationId: "3" }, "4")).toEqual(["3", "4"]);
  expect(of({ mode: "contact_owner" }, null)).toEqual([]);
  const longest = "9".repeat(18);
  expect(of({ mode: "rotation", rotationId: longest }, `${longest}9`)).toEqual([longest]);
  for (const none of ["", "x", "x3", "3x", "-3"]) expect(of({ mode: "contact_owner" }, none)).toEqual([]);
});

describe("reading what applies to a step", () => {
  /** Reads as the database does: what is asked for, and the default preset. Notes what was asked for. */
  function reader(...presets: Preset[]) {
    const asked: { presets: string[]; rotations: string[] }[] = [];
    const read = (needs: Needs): Promise<PortalPolicy> => {
      asked.push({ presets: [...needs.presets], rotations: [...needs.rotations] });
      return Promise.resolve({
        ...portalWith(...presets),
        needs: { presets: new Set(needs.presets), rotations: new Set(needs.rotations) },
      });
    };
    return { asked, read };
  }

  test("asks for the preset first, then once more for the rotations that it reaches", async () => {
    const { asked, read } = reader(preset());
    const { portal, effective } = await readEffectivePolicy({ presetId: "5" }, read);
    expect(effective).toEqual({ kind: "policy", policy: BASE });
    expect(asked).toEqual([
      { presets: ["5"], rotations: [] },
      { presets: ["5"], rotations: ["3"] },
    ]);
    expect([...portal.needs.rotations]).toEqual(["3"]);
  });

  test("asks once if no rotation is reached, and never for what can be no id", async () => {
    for (const presetId of [undefined, "", "x5", "5x", "1".repeat(19)]) {
      const { asked, read } = reader();
      await readEffectivePolicy({ presetId, senderMode: "contact_owner" }, read);
      expect(asked).toEqual([{ presets: [], rotations: [] }]);
    }
    const { asked, read } = reader(preset({ policy: undefined }));
    expect((await readEffectivePolicy({ presetId: "5" }, read)).effective.kind).toBe("unusable");
    expect(asked).toEqual([{ presets: ["5"], rotations: [] }]);
  });
});
