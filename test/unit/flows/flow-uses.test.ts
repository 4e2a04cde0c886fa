import { describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { BUILT_IN_PRESET, usesOf, type UsedPreset, type UsingStep } from "#domain/flows/flow-uses.js";

const step = (flowId: string, says: Partial<UsingStep> = {}): UsingStep => ({
  flowId,
  name: `Flow ${flowId}`,
  isEnabled: true,
  senderMode: "portal_default",
  senderUserId: null,
  rotationId: null,
  presetId: null,
  hasVaryingPreset: false,
  ...says,
});

const preset = (presetId: string, says: Partial<UsedPreset> = {}): UsedPreset => ({
  presetId,
  isDefault: false,
  sender: { mode: "contact_owner" },
  fallback: INITIAL_POLICY.fallback,
  ...says,
});

const ids = (flows: readonly { flowId: string }[] | undefined) => (flows ?? []).map(({ flowId }) => flowId);

describe("which workflows use what", () => {
  test("a step without a preset follows the default one, and the built-in policy if there is none", () => {
    const named = usesOf(
      [step("1"), step("2", { presetId: "portal_default" })],
      [preset("5", { isDefault: true })],
      new Map(),
    );
    expect([ids(named.presets.get("5")), ids(named.defaultPreset)]).toEqual([
      ["1", "2"],
      ["1", "2"],
    ]);
    const bare = usesOf([step("1")], [preset("5")], new Map());
    expect([
      ids(bare.presets.get("5")),
      ids(bare.presets.get(BUILT_IN_PRESET)),
      ids(bare.defaultSender),
    ]).toEqual([[], ["1"], ["1"]]);
  });

  test("what a step says of its sender wins over its preset's; the preset's fallback stays", () => {
    const fallback = { rotationId: "31", toDefaultSender: true, whenNobody: "wait" } as const;
    const presets = [preset("5", { sender: { mode: "rotation", rotationId: "30" }, fallback })];
    const uses = usesOf(
      [
        step("1", { presetId: "5" }),
        step("2", { presetId: "5", senderMode: "specific_user", senderUserId: "7" }),
      ],
      presets,
      new Map([["31", ["8"]]]),
    );
    expect(ids(uses.rotations.get("30"))).toEqual(["1"]);
    expect(ids(uses.rotations.get("31"))).toEqual(["1", "2"]);
    expect(ids(uses.defaultSender)).toEqual(["1", "2"]);
    expect([ids(uses.senders.get("7")), ids(uses.senders.get("8"))]).toEqual([["2"], ["1", "2"]]);
  });

  test("a choice left over from another way of sending counts for nothing", () => {
    const uses = usesOf(
      [step("1", { senderMode: "contact_owner", senderUserId: "7", rotationId: "30" })],
      [preset("5", { isDefault: true })],
      new Map([["30", ["7"]]]),
    );
    expect([uses.senders.size, uses.rotations.size]).toEqual([0, 0]);
  });

  test("a step whose preset each contact brings along may use any of them", () => {
    const uses = usesOf([step("1", { hasVaryingPreset: true })], [preset("5"), preset("6")], new Map());
    expect([ids(uses.presets.get("5")), ids(uses.presets.get("6"))]).toEqual([["1"], ["1"]]);
  });

  test("a workflow is named once, however many of its steps use the same", () => {
    const uses = usesOf([step("1"), step("1")], [preset("5", { isDefault: true })], new Map());
    expect([ids(uses.presets.get("5")), ids(uses.all)]).toEqual([["1"], ["1"]]);
  });
});
