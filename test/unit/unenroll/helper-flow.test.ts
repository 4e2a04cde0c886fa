import { describe, expect, test } from "@jest/globals";
import { HELPER_FLOW, problemOfHelper, type SeenFlow } from "#domain/unenroll/helper-flow.js";

const asMade: SeenFlow = { ...HELPER_FLOW, id: "1", revisionId: "1" };
const [step = {}] = asMade.actions;
const criteria = HELPER_FLOW.enrollmentCriteria;
const [filters = []] = criteria.listFilterBranch.filterBranches.map((branch) => branch.filters);

describe("the helper workflow", () => {
  test("is fine as it was made, also under another name or with its trigger nested in another way", () => {
    expect(problemOfHelper(asMade)).toBeUndefined();
    expect(problemOfHelper({ ...asMade, ...{ name: "Renamed" } })).toBeUndefined();
    const listFilterBranch = { filterBranches: [], filters };
    expect(
      problemOfHelper({ ...asMade, enrollmentCriteria: { ...criteria, listFilterBranch } }),
    ).toBeUndefined();
  });

  test.each<[string, Partial<SeenFlow>]>([
    ["a second step", { actions: [step, { ...step, actionId: "2" }] }],
    ["no step", { actions: [] }],
    ["another step", { actions: [{ ...step, actionTypeId: "0-1" }] }],
    ["another beginning", { startActionId: "9" }],
    [
      "a trigger that takes each contact once",
      { enrollmentCriteria: { ...criteria, shouldReEnroll: false } },
    ],
    [
      "a trigger that lets nobody out",
      { enrollmentCriteria: { ...criteria, unEnrollObjectsNotMeetingCriteria: false } },
    ],
    ["a trigger by hand", { enrollmentCriteria: { type: "MANUAL", shouldReEnroll: true } }],
    [
      "a further condition",
      { enrollmentCriteria: { ...criteria, listFilterBranch: { filters: [...filters, ...filters] } } },
    ],
    ["times at which it does nothing", { timeWindows: [{}] }],
    ["days on which it does nothing", { blockedDates: [{}] }],
    ["a suppression list", { suppressionListIds: [1] }],
  ])("with %s is a person's", (_what, changes) => {
    expect(problemOfHelper({ ...asMade, ...changes })).toBe("CHANGED");
  });

  test("that is off or gone is reported as such", () => {
    expect(problemOfHelper({ ...asMade, isEnabled: false })).toBe("DISABLED");
    expect(problemOfHelper(undefined)).toBe("DELETED");
  });
});
