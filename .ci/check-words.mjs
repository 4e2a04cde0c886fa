/**
 * Fails if a file of the repository uses a word that plain-words.mjs lists: `npm run lint`.
 *
 *   node .ci/check-words.mjs [file …]   by default every text file that git tracks
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PLAIN_WORDS } from "./plain-words.mjs";

/** The list itself and its test; texts in other languages, columns of spreadsheets among them; applied migrations, which never change; other people's text. */
const SKIPPED =
  /^(?:\.ci\/plain-words\.mjs|test\/unit\/text\/plain-words\.test\.ts|test\/unit\/imports\/guess-mapping\.test\.ts|test\/unit\/executions\/refusal-words\.test\.ts|package-lock\.json|prisma\/migrations\/.*|app-config\/.*\.json)$/;
const TEXT =
  /(?:\.(?:ts|tsx|mjs|cjs|js|css|md|json|prisma|sh|yml)|^\.env\.example|^\.ci\/run|^\.githooks\/[\w-]+)$/;

/**
 * Finds listed words in a text.
 *
 * @param {string} text
 * @returns {{ line: number; found: string; better: string }[]} in the order of the lines
 */
export function findListedWords(text) {
  return text.split("\n").flatMap((content, index) =>
    PLAIN_WORDS.flatMap(([pattern, better]) => {
      const found = pattern.exec(content)?.[0];
      return found === undefined ? [] : [{ line: index + 1, found, better }];
    }),
  );
}

/** The text files that git tracks; none outside of a clone. */
function trackedFiles() {
  const { stdout, status } = spawnSync("git", ["ls-files"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n").filter((name) => TEXT.test(name)) : [];
}

function check(files) {
  const findings = files
    .filter((name) => !SKIPPED.test(name) && existsSync(name))
    .flatMap((name) => findListedWords(readFileSync(name, "utf8")).map((finding) => ({ ...finding, name })));
  for (const { name, line, found, better } of findings)
    console.error(`${name}:${line}: “${found}”: say ${better}`);
  return findings.length === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.argv.slice(2);
  process.exit(check(given.length > 0 ? given : trackedFiles()) ? 0 : 1);
}
