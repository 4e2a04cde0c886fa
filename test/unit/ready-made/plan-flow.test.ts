import { describe, expect, test } from "@jest/globals";
import { stampOfTrigger } from "#domain/flow-entries/entry-property.js";
import { planOf } from "#domain/ready-made/plan.js";
import { actionsOf, toFlow } from "#domain/ready-made/plan-flow.js";
import { takesStamps, triggerOf } from "#domain/ready-made/plan-trigger.js";
import { chosen, TRIGGERS } from "../../support/recipes.js";

const ACTIONS = {
  ENROLL: { typeId: "1-11", version: 4 },
  WAIT_FOR_SEQUENCE_END: { typeId: "1-12", version: 2 },
};
const LABELS = { name: "Webinar", description: "Made here", stamp: null };

/** Where each step of a flow leads, by id; "-": out of the workflow. */
function waysOf(recipe: Parameters<typeof chosen>[0]) {
  const { actions, startActionId } = toFlow(planOf(chosen(recipe)), ACTIONS, LABELS) as {
    startActionId: string;
    actions: {
      actionId: string;
      connection?: { nextActionId: string };
      defaultBranch?: { nextActionId: string };
      staticBranches?: { branchValue: string; connection?: { nextActionId: string } }[];
      listBranches?: { connection?: { nextActionId: string } }[];
    }[];
  };
  const ways = actions.map(
    ({ actionId, connection, defaultBranch, staticBranches = [], listBranches = [] }) => [
      actionId,
      [
        ...staticBranches.map((branch) => `${branch.branchValue}:${branch.connection?.nextActionId ?? "-"}`),
        ...listBranches.map((branch) => `replied:${branch.connection?.nextActionId ?? "-"}`),
        (connection ?? defaultBranch)?.nextActionId ?? "-",
      ].join(" "),
    ],
  );
  return { startActionId, ways: Object.fromEntries(ways) as Record<string, string> };
}

describe("the steps of a ready-made workflow", () => {
  test("are one enrollment for a form or a filter", () => {
    expect(waysOf("FORM")).toEqual({ startActionId: "1", ways: { 1: "-" } });
    expect(waysOf("FILTER")).toEqual({ startActionId: "1", ways: { 1: "-" } });
  });

  test("lead on to the next sequence only without a reply, before its end and after it", () => {
    expect(waysOf("NO_REPLY").ways).toEqual({
      1: "2",
      2: "FINISHED:3 -",
      3: "4",
      4: "replied:- 5",
      5: "-",
    });
  });

  test("part by the outcome of the wait, each to its own step", () => {
    expect(waysOf("OUTCOME").ways).toEqual({ 1: "2", 2: "3", 3: "REPLIED:4 FINISHED:5 -", 4: "-", 5: "-" });
  });

  test("need those of our actions that they use, and no workflow is made without one of them", () => {
    expect(actionsOf(planOf(chosen("FORM")))).toEqual(["ENROLL"]);
    expect(actionsOf(planOf(chosen("NO_REPLY")))).toEqual(["WAIT_FOR_SEQUENCE_END", "ENROLL"]);
    expect(() => toFlow(planOf(chosen("OUTCOME")), { ENROLL: ACTIONS.ENROLL }, LABELS)).toThrow(
      "WAIT_FOR_SEQUENCE_END",
    );
  });

  test("are turned off, whatever the recipe", () => {
    for (const recipe of ["FORM", "FILTER", "NO_REPLY", "OUTCOME"] as const)
      expect(toFlow(planOf(chosen(recipe)), ACTIONS, LABELS)).toMatchObject({ isEnabled: false });
  });
});

describe("the value that puts contacts in a workflow", () => {
  test.each(TRIGGERS.filter(({ kind }) => takesStamps(kind)))(
    "is found again in a trigger by %j",
    (trigger) => {
      expect(stampOfTrigger(triggerOf(trigger, "our-value"))).toBe("our-value");
      expect(stampOfTrigger(triggerOf(trigger, null))).toBeUndefined();
    },
  );

  test("stands beside no event, and in no workflow that waits for a sequence first", () => {
    expect(["form", "sequence"].map((kind) => takesStamps(kind as never))).toEqual([false, false]);
  });

  test("does not count where more is asked of the contact, or where emptying it takes the contact out", () => {
    const trigger = triggerOf({ kind: "by-hand" }, "our-value") as unknown as {
      listFilterBranch: { filterBranches: { filters: object[] }[] };
    };
    const [branch] = trigger.listFilterBranch.filterBranches;
    if (branch === undefined) throw new Error("the trigger has no filter");
    expect(stampOfTrigger({ ...trigger, unEnrollObjectsNotMeetingCriteria: true })).toBeUndefined();
    branch.filters.push({ filterType: "IN_LIST", listId: "1", operator: "IN_LIST" });
    expect(stampOfTrigger(trigger)).toBeUndefined();
  });

  test.each([
    undefined,
    null,
    {},
    "LIST_BASED",
    { type: "MANUAL" },
    { type: "LIST_BASED", listFilterBranch: 1 },
  ])("is not in %j", (criteria) => {
    expect(stampOfTrigger(criteria)).toBeUndefined();
  });
});
