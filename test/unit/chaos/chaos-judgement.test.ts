import { describe, expect, test } from "@jest/globals";
import { DISTURBANCES, plan } from "../../../bench/chaos/plan.js";
import { readOptions, UsageError } from "../../../bench/chaos/options.js";
import { isForgotten, lacksEnd } from "../../../bench/chaos/restore.js";
import { KIND_WORLD, UNKIND_WORLD } from "../../../src/simulator/world/presets.js";
import { randomFrom } from "../../../src/simulator/world/random.js";
import type { Execution } from "../../../src/simulator/workflow/execution.js";

type Attempts = Execution["attempts"];

describe("what a restore made the app forget", () => {
  const restores = [{ backupAtMs: 1_000, stoppedAtMs: 2_000 }];
  const held = { status: 200, body: `{"outputFields":{"hs_execution_state":"BLOCK"}}`, isDuplicate: false };
  const unanswered = { status: 0, body: "the connection was cut", isDuplicate: false };
  const judge = (attempts: Attempts): boolean => isForgotten({ attempts } as Execution, restores);

  test("is a call that was answered after the backup", () => {
    expect(judge([{ sentAtMs: 1_100, tookMs: 50, ...held }])).toBe(true);
    expect(judge([{ sentAtMs: 980, tookMs: 50, ...held }])).toBe(true);
  });

  test("is a call that may have been stored after it, though its answer came after the restore", () => {
    const attempts = [
      { sentAtMs: 1_900, tookMs: 100, ...unanswered },
      { sentAtMs: 5_000, tookMs: 50, ...held },
    ];
    expect(judge(attempts)).toBe(true);
  });

  test("is no call that was answered before the backup, even if it was delivered again after it", () => {
    const attempts = [
      { sentAtMs: 900, tookMs: 50, ...held },
      { sentAtMs: 1_500, tookMs: 50, ...held, isDuplicate: true },
    ];
    expect(judge(attempts)).toBe(false);
  });

  test("is no call that came once everything ran again", () => {
    expect(judge([{ sentAtMs: 5_000, tookMs: 50, ...held }])).toBe(false);
  });
});

test("a restore takes away the ends that came after its backup, and no others", () => {
  const restores = [{ backupAtMs: 10_000, stoppedAtMs: 14_000 }];
  const taken = [5_000, 9_000, 12_000, 14_000, 14_001].map((endedAtMs) => lacksEnd(endedAtMs, restores));
  expect(taken).toEqual([false, true, true, true, false]);
});

describe("the plan of the disturbances", () => {
  const take = (seed: number, count: number) => {
    const events = plan(randomFrom(seed));
    return Array.from({ length: count }, () => events.next().value);
  };

  test("is the same for the same seed, and another for another", () => {
    expect(take(7, 40)).toEqual(take(7, 40));
    expect(take(8, 40)).not.toEqual(take(7, 40));
  });

  test("holds every kind among any twenty in a row from the start", () => {
    const kinds = take(1, 20).map(({ kind }) => kind);
    expect([...new Set(kinds)].sort()).toEqual([...DISTURBANCES].sort());
  });
});

describe("the options of the fault suite", () => {
  test("play the unkind world unless told otherwise", () => {
    const { openQuestions, ...lags } = readOptions([]).world;
    expect(lags).toEqual({ ...UNKIND_WORLD, openQuestions: undefined });
    expect(openQuestions).toEqual({ ...UNKIND_WORLD.openQuestions, retryAfter: "garbled" });
    expect(readOptions(["--world", "kind"]).world).toEqual(KIND_WORLD);
  });

  test("let one open question be answered by itself", () => {
    const { world } = readOptions(["--ended-enrollment", "latest"]);
    expect(world.openQuestions.endedEnrollment).toBe("latest");
    expect(world.openQuestions.neverEnrolled).toBe(UNKIND_WORLD.openQuestions.neverEnrolled);
  });

  test.each([
    ["--world", "odd"],
    ["--ended-enrollment", "500"],
    ["--calls", "0"],
  ])("refuse %s %s", (name, value) => {
    expect(() => readOptions([name, value])).toThrow(UsageError);
  });
});
