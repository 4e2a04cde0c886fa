import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";

const SITE = fileURLToPath(new URL("../../../src/web/settings/", import.meta.url));

/** Every room of the site; a new one is held to the glossary, too. */
const ROOMS = readdirSync(SITE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "assets")
  .map(({ name }) => name);

/** What docs/glossary.md replaced, as it stood in texts of pages. */
const OLD_WORDS: readonly RegExp[] = [
  /\banybody\b|\beverybody\b|\bsomebody\b|\bnobody\b/i,
  /\bin the meantime\b/i,
  /\bpassed over\b/i,
  /\blet in\b/i,
  /\bticked\b/i,
  /\bmay send\b/i,
  /\bsend-as address\b/i,
  /\bgoes on as\b/i,
  /\bas the preset says\b/i,
  /\bdanger zone\b/i,
  /\bwhat would happen\?/i,
  /\bcould not be told\b|\bis about to be told\b/i,
  /\bexecutions?\b/i,
];

/** A table of the audit names a subject and an action by their codes: "senders MARKED". */
const CODES = /^[a-z-]+ [A-Z_]+$/;

/** Texts in quotes and between tags: what a page may show. Comments, imports and identifiers are none. */
function textsOf(source: string): string[] {
  const code = source
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
    .replaceAll(/^(?:import|export)[\s\S]*?from "[^"]*";$/gm, "");
  const quoted = [...code.matchAll(/"([^"\n]*)"|`([^`]*)`/g)].map(([, one, other]) => one ?? other ?? "");
  const between = [...code.matchAll(/>([^<>{}]*)</g)].map(([, text]) => text ?? "");
  return [...quoted, ...between].filter(
    (text) => /[a-z] [a-z]/i.test(text) && !/SELECT|=>|&&|;\n/.test(text) && !CODES.test(text),
  );
}

test.each(ROOMS)("no page of the room %s says what the glossary replaced", (room) => {
  const names = readdirSync(`${SITE}${room}`, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => /\.tsx?$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  const found = files.flatMap((name) =>
    textsOf(readFileSync(`${SITE}${room}/${name}`, "utf8")).flatMap((text) =>
      OLD_WORDS.filter((word) => word.test(text)).map((word) => `${name}: ${word.source}: ${text.trim()}`),
    ),
  );
  expect(found).toEqual([]);
});

test("an old word in a text of a page is found, and one in a comment is not", () => {
  const old = (text: string) => textsOf(text).some((one) => OLD_WORDS.some((word) => word.test(one)));
  expect(old('const note = "Everybody may send.";')).toBe(true);
  expect(old("<p>The sender is passed over now.</p>")).toBe(true);
  expect(old("// Everybody may send.\nconst x = 1;")).toBe(false);
});
