import { describe, expect, test } from "@jest/globals";
import { readBatchAnswer, readErrorOf } from "#platform/hubspot/wire/batch-answer.js";

const SENT = ["ap-1", "ap-2", "ap-3"];

function told(httpStatus: number, body?: unknown): { taken: string[]; refused: Record<string, string> } {
  const { taken, refused } = readBatchAnswer({ httpStatus, body }, SENT);
  return { taken: [...taken].sort(), refused: Object.fromEntries(refused) };
}

describe("the answer to a batch of completions", () => {
  test.each([
    [204, undefined],
    [200, undefined],
    [200, {}],
    [200, { status: "COMPLETE", results: [], errors: [], numErrors: 0 }],
  ])("%i with %j is for all of it", (httpStatus, body) => {
    expect(told(httpStatus, body)).toEqual({ taken: SENT, refused: {} });
  });

  test.each([
    ["in a context", { message: "gone", context: { ids: ["ap-2"] } }],
    ["in a context, by another name", { message: "gone", context: { callbackId: ["ap-2"] } }],
    ["beside the message", { message: "gone", callbackId: "ap-2" }],
    ["as its id", { message: "gone", id: "ap-2" }],
    ["in what was sent", { message: "gone", input: { callbackId: "ap-2", outputFields: {} } }],
  ])("names a refused one %s", (_where, error) => {
    const body = { results: [{ callbackId: "ap-1" }, { id: "ap-3" }], errors: [error] };
    for (const httpStatus of [207, 200])
      expect(told(httpStatus, body)).toEqual({ taken: ["ap-1", "ap-3"], refused: { "ap-2": "gone" } });
  });

  test("may be a list of rows with a status each", () => {
    const rows = [
      { id: "ap-1", status: 204 },
      { id: "ap-2", status: 404, message: "gone" },
      { id: "ap-3", status: 503 },
    ];
    expect(told(207, rows)).toEqual({ taken: ["ap-1"], refused: { "ap-2": "gone" } });
    expect(told(207, { results: rows })).toEqual({ taken: ["ap-1"], refused: { "ap-2": "gone" } });
  });

  test.each([
    ["a status code", { statusCode: 404 }],
    ["a word", { status: "FAILED" }],
    ["an error of its own", { errors: [{ message: "gone" }] }],
  ])("refuses a row by %s", (_how, verdict) => {
    const rows = [
      { id: "ap-1", status: 204 },
      { id: "ap-2", message: "gone", ...verdict },
    ];
    expect(told(207, rows)).toEqual({ taken: ["ap-1"], refused: { "ap-2": "gone" } });
  });

  test.each([{ status: 429 }, { status: 503 }, { category: "RATE_LIMITS" }])(
    "says nothing of a row with %j, even if it is named as refused, too",
    (verdict) => {
      expect(told(207, [{ id: "ap-1", ...verdict }])).toEqual({ taken: [], refused: {} });
      const twice = [
        { id: "ap-1", ...verdict },
        { id: "ap-1", status: 404, message: "gone" },
      ];
      expect(told(207, twice)).toEqual({ taken: [], refused: {} });
    },
  );

  test.each([
    ["an error that names nobody", { errors: [{ message: "one of them is bad" }] }, true],
    ["more errors than it names", { numErrors: 2, errors: [{ message: "gone", id: "ap-1" }] }, true],
    ["as many errors as it names", { numErrors: 1, errors: [{ message: "gone", id: "ap-1" }] }, false],
    ["errors, and no number of them", { errors: [{ message: "gone", id: "ap-1" }] }, false],
  ])("with %s tells whether some are not named", (_what, body, hasUnnamedErrors) => {
    expect(readBatchAnswer({ httpStatus: 207, body }, SENT)).toMatchObject({ hasUnnamedErrors });
  });

  test.each([
    [207, undefined],
    [207, {}],
    [207, "taken"],
    [207, { errors: [{ message: "one of them is bad" }] }],
    [200, { numErrors: 2 }],
    [200, { errors: [{ message: "too many", category: "RATE_LIMITS", context: { ids: SENT } }] }],
  ])("%i with %j says nothing of any", (httpStatus, body) => {
    expect(told(httpStatus, body)).toEqual({ taken: [], refused: {} });
  });

  test("that names one on both sides says nothing of it", () => {
    const body = { results: [{ id: "ap-1" }], errors: [{ message: "gone", context: { ids: ["ap-1"] } }] };
    expect(told(207, body)).toEqual({ taken: [], refused: {} });
  });

  test("to a single one is a refusal where it names an error", () => {
    expect(readErrorOf({ errors: [{ message: "gone" }] })).toBe("gone");
    expect(readErrorOf({ errors: [{}] })).toBe("no reason given");
    expect(readErrorOf({ errors: [{ message: 5 }] })).toBe("no reason given");
    expect(readErrorOf({ errors: [] })).toBeUndefined();
    expect(readErrorOf(undefined)).toBeUndefined();
  });
});
