import { describe, expect, test } from "@jest/globals";
import { judgeReplacement, REPLACING_TAKES_MS } from "#domain/unenroll/judge-replacement.js";
import type { UnenrollSetup } from "#domain/unenroll/setup.js";

const SETUP: UnenrollSetup = {
  state: "ON",
  flowId: "1",
  revisionId: "1",
  hasMadeProperty: true,
  problem: undefined,
  problemAt: undefined,
  checkedAt: new Date(),
  dueAt: new Date(),
  tries: 0,
  lastProblem: undefined,
};

const judge = (changes: Partial<Parameters<typeof judgeReplacement>[0]> = {}) =>
  judgeReplacement({
    ...{ sequenceId: "51", current: { sequenceId: "50" }, setup: SETUP, leftMs: REPLACING_TAKES_MS },
    ...changes,
  });

describe("a contact whose step says to replace the sequence that it is in", () => {
  test("is taken out of another sequence, also if HubSpot does not say which it is", () => {
    expect(judge()).toEqual({ kind: "replace" });
    expect(judge({ current: {} })).toEqual({ kind: "replace" });
  });

  test("is kept in the very sequence, whether or not the account can unenroll", () => {
    const current = { sequenceId: "51" };
    expect(judge({ current })).toEqual({ kind: "keep" });
    expect(judge({ current, setup: undefined, leftMs: 0 })).toEqual({ kind: "keep" });
  });

  test.each<[string, UnenrollSetup | undefined, RegExp]>([
    ["has not switched it on", undefined, /isn't turned on.*Settings → Unenroll/],
    ["is setting it up", { ...SETUP, state: "MAKING" }, /being set up/],
    ["is switching it off", { ...SETUP, state: "REMOVING" }, /isn't turned on/],
    ["has a broken one", { ...SETUP, problem: "DELETED" }, /deleted the helper workflow/],
  ])("stays where it is in an account that %s", (_what, setup, detail) => {
    expect(judge({ setup })).toEqual({ kind: "refuse", detail: expect.stringMatching(detail) });
  });

  test("stays where it is if the deadline is too near to enroll it afterward", () => {
    expect(judge({ leftMs: REPLACING_TAKES_MS - 1 })).toMatchObject({
      kind: "refuse",
      detail: expect.stringContaining("Too little time"),
    });
  });
});
