import { describe, expect, test } from "@jest/globals";

interface WordCheck {
  readonly findListedWords: (text: string) => { line: number; found: string; better: string }[];
}

const checkFile: string = "../../../.ci/check-words.mjs";
const { findListedWords } = (await import(checkFile)) as WordCheck;

describe("the word check", () => {
  test.each([
    "The turns begin anew.",
    "It would else be sent twice.",
    "Type an e-mail address.",
    "It waits for an answer of HubSpot's.",
    "This is a fault of ours.",
    "A caller shall wait.",
    "The behaviour of the queue",
    "An admin cancelled it.",
    "It recognises the browser.",
    "5 % of the calls come twice.",
    "The contact is let go on Monday.",
    "The account is at a standstill.",
    "It is not sent any more.",
    "At most so many rows are read.",
    "The log tells of it.",
    "It is sent afterwards.",
    "A request amid the stop is refused.",
  ])("refuses: %s", (text) => {
    expect(findListedWords(text)).toHaveLength(1);
  });

  test.each([
    "one of HubSpot's windows",
    "This owner may not begin any more of them.",
    "so many that nobody counts them",
    "a link that is not one of ours",
    'aria-labelledby="title" of the error code CANCELLED',
    "await sleep(rounds % 7); // a modulo, not a percentage",
    "the others, the sellers and the shallow copy",
  ])("accepts: %s", (text) => {
    expect(findListedWords(text)).toEqual([]);
  });

  test("names the line and what to say instead", () => {
    expect(findListedWords("Fine.\nIt stays for ever.")).toEqual([
      { line: 2, found: "for ever", better: "forever" },
    ]);
  });
});
