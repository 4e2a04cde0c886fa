/**
 * Fails if a commit message does not have the form that CONTRIBUTING.md asks for; run by .githooks/commit-msg.
 *
 *   node .ci/check-commit-message.mjs .git/COMMIT_EDITMSG
 */
import { readFileSync } from "node:fs";

const LONGEST_SUBJECT = 72;
const SHORTEST_SUBJECT = 15;

const text = readFileSync(process.argv[2], "utf8")
  .split("\n")
  .filter((line) => !line.startsWith("#"));
const [subject = "", second = ""] = text;

const problems = [
  [
    subject.length > LONGEST_SUBJECT,
    `the subject has ${subject.length} characters; ${LONGEST_SUBJECT} are the most`,
  ],
  [subject.length < SHORTEST_SUBJECT, "the subject does not say what changes"],
  [/^[a-z]/.test(subject), "the subject begins with a capital letter: “Keep the …”"],
  [/\.$/.test(subject), "the subject ends without a period"],
  [
    /^\w+(ed|ing)\b/.test(subject.split(" ")[0]) && !/^(Need|Feed|Embed|Bring|Speed)\b/.test(subject),
    "the subject is an order: “Keep”, not “Kept” or “Keeping”",
  ],
  [second !== "", "a blank line follows the subject; the body says why"],
].flatMap(([isWrong, problem]) =>
  isWrong && !/^(Merge|Revert|fixup!|squash!)/.test(subject) ? [problem] : [],
);

for (const problem of problems) console.error(`commit message: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
