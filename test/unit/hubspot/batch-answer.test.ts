import { describe, expect, test } from "@jest/globals";
import { readBatchAnswer, readErrorOf } from "#platform/hubspot/wire/batch-answer.js";

const SENT = ["ap-1", "ap-2", "ap-3"];

function told(httpStatus: number, body?: unknown): { taken: string[]; refused: Record<string, string> } {
  const { taken, refused } = readBatchAnswer({ httpStatus, body }, SENT);
  return { taken: [...taken].sort(), refused: Object.fromEntries(refused) };
}

/** Two errors, of which one may be over the next time. */
const COUNTED = {
  numErrors: 2,
  errors: [
    { message: "gone", id: "ap-1" },
    { message: "later", id: "ap-2", status: 503 },
  ],
};

describe("the answer to a batch of completions", () => {
  test.each([
    [204, undefined],
    [200, undefined],
    [200, {}],
    [200, { status: "COMPLETE", results: [], errors: [], numErrors: 0 }],
  ])("%i with %j is for all of it", (httpStatus, body) => {
    expect(told(httpStatus, body)).toEqual({ taken: SENT, refused: {} });
    expect(readBatchAnswer({ httpStatus, body }, SENT).hasUnnamedErrors).toBe(false);
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
    ["the first status that is one", { status: 400 }],
    ["a word", { status: "FAILED" }],
    ["another word", { status: "error" }],
    ["a third word", { status: "Rejected" }],
    ["a fourth word", { status: "REFUSED" }],
    ["an error of its own", { errors: [{ message: "gone" }] }],
    ["an error of its own that is a text", { error: "gone" }],
  ])("refuses a row by %s", (_how, verdict) => {
    const rows = [
      { id: "ap-1", status: 204 },
      { id: "ap-2", message: "gone", ...verdict },
    ];
    expect(told(207, rows)).toEqual({ taken: ["ap-1"], refused: { "ap-2": "gone" } });
  });

  test.each([
    { status: 204 },
    { status: 399 },
    { statusCode: 200 },
    { status: "SUCCESS" },
    { errors: [] },
    { category: "DONE" },
    {},
  ])("takes a row with %j for done", (verdict) => {
    expect(told(207, [{ id: "ap-1", ...verdict }])).toEqual({ taken: ["ap-1"], refused: {} });
  });

  test.each([
    { status: 429 },
    { status: 500 },
    { statusCode: 503 },
    { category: "RATE_LIMITS" },
    { category: "ratelimit" },
    { category: "INTERNAL_ERROR" },
  ])("says nothing of a row with %j, even if it is named as refused, too", (verdict) => {
    expect(told(207, [{ id: "ap-1", ...verdict }])).toEqual({ taken: [], refused: {} });
    const twice = [
      { id: "ap-1", ...verdict },
      { id: "ap-1", status: 404, message: "gone" },
    ];
    expect(told(207, twice)).toEqual({ taken: [], refused: {} });
  });

  test.each([
    ["an error that names nobody", { errors: [{ message: "one of them is bad" }] }, true],
    ["one error that names somebody and one that does not", { errors: [{ id: "ap-1" }, {}] }, true],
    ["more errors than it names", { numErrors: 2, errors: [{ message: "gone", id: "ap-1" }] }, true],
    ["as many errors as it names", { numErrors: 1, errors: [{ message: "gone", id: "ap-1" }] }, false],
    ["as many errors as it names, though not whether they last", COUNTED, false],
    ["more errors than it names as refused or not taken", { ...COUNTED, numErrors: 3 }, true],
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

  test("gives no reason where HubSpot gave none", () => {
    const rows = [
      { id: "ap-1", status: 404 },
      { id: "ap-2", status: 404, message: 7 },
    ];
    const none = "no reason given";
    expect(told(207, rows)).toEqual({ taken: [], refused: { "ap-1": none, "ap-2": none } });
  });

  test("passes over what is no row, and knows an id that comes as a number", () => {
    expect(told(207, [null, "ap-1", 5, { id: "ap-2" }])).toEqual({ taken: ["ap-2"], refused: {} });
    const body = { results: null, errors: [null, "ap-3", { message: "gone", id: 17 }] };
    const { taken, refused } = readBatchAnswer({ httpStatus: 207, body }, ["17", "18"]);
    expect([[...taken], [...refused]]).toEqual([[], [["17", "gone"]]]);
  });

  test("is searched for ids five members deep, and no deeper", () => {
    const below = (depth: number): unknown => (depth === 0 ? "ap-1" : { in: below(depth - 1) });
    expect(told(207, [below(5)])).toEqual({ taken: ["ap-1"], refused: {} });
    expect(told(207, [below(6)])).toEqual({ taken: [], refused: {} });
  });

  test("that names one as refused and as neither says nothing of it", () => {
    const body = [
      { id: "ap-1", status: 404, message: "gone" },
      { id: "ap-1", status: 503 },
      { id: "ap-2", status: 204 },
      { id: "ap-2", status: 503 },
    ];
    expect(told(207, body)).toEqual({ taken: [], refused: {} });
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
    expect(readErrorOf({ errors: "gone" })).toBeUndefined();
    for (const body of [undefined, null, "gone", 5]) expect(readErrorOf(body)).toBeUndefined();
  });
});
