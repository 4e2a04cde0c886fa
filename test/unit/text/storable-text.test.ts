import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { cutText } from "#platform/text/storable-text.js";

describe("a text that is cut to be stored", () => {
  test.each([
    { how: "as it is", text: "Ann 🚀", longest: 10, kept: "Ann 🚀" },
    { how: "before a character that does not fit whole", text: "abc🚀", longest: 4, kept: "abc" },
    { how: "after one that just fits", text: "abc🚀d", longest: 5, kept: "abc🚀" },
    { how: "with halves of characters replaced", text: "\ude80a\ud83d", longest: 9, kept: "\ufffda\ufffd" },
    { how: "with half a character at its very end replaced", text: "a\ud83d", longest: 2, kept: "a\ufffd" },
    { how: "with NULs replaced", text: "a\0b", longest: 9, kept: "a\ufffdb" },
    { how: "to nothing", text: "🚀", longest: 0, kept: "" },
  ])("is kept $how", ({ text, longest, kept }) => {
    expect(cutText(text, longest)).toBe(kept);
  });

  test("is never longer than asked for, and always storable", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, longest) => {
        const cut = cutText(text, longest);
        expect(cut.length).toBeLessThanOrEqual(longest);
        expect(Buffer.from(cut).toString()).toBe(cut);
        expect(cut).not.toContain("\0");
      }),
    );
  });
});
