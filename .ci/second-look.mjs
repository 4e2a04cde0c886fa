/**
 * A second look at failed test files, each run alone: for CI, where a result that depends on how busy the machine is must be
 * seen but need not stop the rest. The files that pass then are named, to be mended.
 */
import { readFileSync, rmSync } from "node:fs";

/** Where more files have failed than this, something is broken. */
const SECOND_LOOKS = 5;

/** Runs the failed files of these summaries again. @returns the summaries with the new results in place of the first ones; the same
 * array where nothing failed, or too much. */
export async function lookAgain(summaries, { outputFile, runJest }) {
  const failed = summaries
    .flatMap(({ testResults }) => testResults)
    .filter(({ status }) => status === "failed");
  if (failed.length === 0 || failed.length > SECOND_LOOKS) return summaries;
  const files = failed.map(({ name }) => name);
  console.log(`\nFailed, and run a second time: ${files.join(", ")}`);
  const part = `${outputFile}.again`;
  await runJest([
    "--runInBand",
    "--forceExit",
    "--json",
    `--outputFile=${part}`,
    "--runTestsByPath",
    ...files,
  ]);
  const again = JSON.parse(readFileSync(part, "utf8"));
  rmSync(part);
  for (const { name, status } of again.testResults)
    if (status === "passed") console.log(`UNSTEADY, failed at first and passed the second time: ${name}`);
  return [...summaries.map((summary) => without(summary, files)), again];
}

/** A summary as if these files had not been run. */
function without(summary, files) {
  const rest = summary.testResults.filter(({ name }) => !files.includes(name));
  const tests = rest.flatMap(({ assertionResults }) => assertionResults);
  const count = (all, wanted) => all.filter(({ status }) => status === wanted).length;
  return {
    ...summary,
    success: rest.every(({ status }) => status === "passed"),
    testResults: rest,
    numTotalTestSuites: rest.length,
    numPassedTestSuites: count(rest, "passed"),
    numFailedTestSuites: count(rest, "failed"),
    numRuntimeErrorTestSuites: rest.filter(
      (file) => file.status === "failed" && file.assertionResults.length === 0,
    ).length,
    numTotalTests: tests.length,
    numPassedTests: count(tests, "passed"),
    numFailedTests: count(tests, "failed"),
    numPendingTests: count(tests, "pending"),
  };
}
