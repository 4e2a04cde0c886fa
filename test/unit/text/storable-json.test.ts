import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseStorableJson, readStorableJson } from "#platform/text/storable-json.js";

describe("JSON from outside, made fit for the database", () => {
  test.each([
    ["a NUL", String.raw`"a\u0000b"`, "a\ufffdb"],
    ["a NUL after an escaped backslash", String.raw`"a\\\u0000b"`, "a\\\ufffdb"],
    ["what only looks like a NUL", String.raw`"a\\u0000b"`, String.raw`a\u0000b`],
    ["the first half of a pair alone", String.raw`"a\ud83db"`, "a\ufffdb"],
    ["the second half of a pair alone", String.raw`"a\ude80b"`, "a\ufffdb"],
    ["two first halves", String.raw`"\ud83d\ud83d\ude80"`, "\ufffd🚀"],
    ["a whole pair", String.raw`"\ud83d\ude80"`, "🚀"],
    ["other escapes", String.raw`"\n\"\/\u00fc"`, '\n"/ü'],
  ])("%s", (_what, text, parsed) => {
    expect(parseStorableJson(text)).toBe(parsed);
  });

  test("an integer beyond what a number keeps arrives digit by digit, texts and fractions as they are", () => {
    const text =
      '{"id":9007199254740993,"text":"x 12345678901234567890 \\" 1","list":[-12345678901234567,1.5,12]}';
    expect(parseStorableJson(text)).toEqual({
      id: "9007199254740993",
      text: 'x 12345678901234567890 " 1',
      list: ["-12345678901234567", 1.5, 12],
    });
  });

  test("an integer of 16 digits is a text, and one of 15 is a number", () => {
    expect(parseStorableJson("[1234567890123456,-1234567890123456,123456789012345]")).toEqual([
      "1234567890123456",
      "-1234567890123456",
      123456789012345,
    ]);
    expect(parseStorableJson("1234567890123456")).toBe("1234567890123456");
  });

  test.each([
    ...["1.1234567890123456789", "-1.1234567890123456789", "12345678901234567.5", "-12345678901234567.5"],
    ...["12345678901234567e1", "12345678901234567E1", "-12345678901234567e1", "-12345678901234567E1"],
    ...["1e0000000000000001", "1E0000000000000001", "1e+0000000000000001", "1e-0000000000000001"],
  ])("%s is no integer, and stays a number", (text) => {
    expect(parseStorableJson(`{"n":${text}}`)).toEqual({ n: Number(text) });
  });

  test("holds for names of members too", () => {
    expect(parseStorableJson(String.raw`{"na\u0000me":{"\ud800":1}}`)).toEqual({
      "na\ufffdme": { "\ufffd": 1 },
    });
  });

  test("throws where it is no JSON", () => {
    expect(() => parseStorableJson("{")).toThrow(SyntaxError);
    expect(() => parseStorableJson('"\u0000"')).toThrow(SyntaxError);
    expect(() => parseStorableJson('"1234567890123456')).toThrow(SyntaxError);
    expect(() => parseStorableJson('"1234567890123456\\')).toThrow(SyntaxError);
  });

  test("is nothing, for who reads it so, where it is no JSON", () => {
    expect(readStorableJson("{")).toBeUndefined();
    expect(readStorableJson('{"id":1234567890123456}')).toEqual({ id: "1234567890123456" });
  });

  test("never leaves a NUL or half a pair, and changes nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, escapeAll) => {
        const escaped = escapeAll
          ? `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`
          : JSON.stringify(text);
        expect(parseStorableJson(escaped)).toBe(Buffer.from(text.replaceAll("\u0000", "\ufffd")).toString());
      }),
    );
  });
});
