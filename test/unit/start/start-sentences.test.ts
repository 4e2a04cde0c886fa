import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@jest/globals";

/** A text in quotes, as it stands in a source file. */
const TEXT = String.raw`(["\x60])((?:\$\{(?:[^{}]|\{[^{}]*\})*\}|(?!\1).)*)\1`;

/** What ends a start, or warns at it, by where it is said in the source. */
const SAID: readonly (readonly [file: string, before: string])[] = [
  ["src/platform/db/embedded", String.raw`(?:new \w+\(|function inUse[^}]*?return \()\s*`],
  ["src/platform/db/migrations", String.raw`new Migration\w+\(\s*`],
  ["src/platform/db/wait-for-database.ts", String.raw`(?:new \w+\(|logger\.warn\([^"]*)`],
  ["src/platform/db/refuse-transaction-pooling.ts", String.raw`new DatabasePoolerUnsupported\(\s*`],
  ["src/platform/db/storage-faults.ts", String.raw`means: `],
  ["src/domain/vault/check-seals.ts", String.raw`(?:new \w+\(|logger\.error\([^\x60]*)\s*`],
  ["src/compose/start-problem.ts", String.raw`return `],
  ["src/compose/foundation.ts", String.raw`logger\.warn\(\s*\{ hubspotAheadSeconds[^"]*`],
  ["src/platform/config/config-safety.ts", String.raw`^    \[[^\]"\x60]*, `],
];

function sourcesIn(place: string): string[] {
  if (place.endsWith(".ts")) return [readFileSync(place, "utf8")];
  const names = readdirSync(place).filter((name) => name.endsWith(".ts"));
  return names.map((name) => readFileSync(path.join(place, name), "utf8"));
}

/** How a message begins: up to its first stop, and with "…" for what differs from case to case. */
function opening(message: string): string {
  const [start = ""] = message.replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "…").split(/\.(?: |$)|[;(]|: /);
  return start.trim().replace(/…,$/, "");
}

function sentencesOf([place, before]: readonly [string, string]): string[] {
  const said = new RegExp(before + TEXT, "gms");
  return sourcesIn(place).flatMap((source) =>
    [...source.matchAll(said)].map(([, , message = ""]) => opening(message)),
  );
}

/** Of the table under a heading of docs/runbook.md, the first cells. */
function toldUnder(heading: string): string[] {
  const section = readFileSync("docs/runbook.md", "utf8")
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`));
  const rows = (section ?? "").split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((row) => row.split("|")[1]?.trim() ?? "");
}

test("docs/runbook.md says of each sentence that the app ends or warns with at start what to do", () => {
  for (const said of SAID) expect(sentencesOf(said)).not.toEqual([]);
  const sentences = new Set(SAID.flatMap(sentencesOf));
  expect(toldUnder("The app does not start, or warns at start").sort()).toEqual([...sentences].sort());
});
