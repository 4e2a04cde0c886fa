/** Ends .ci/run: jest's summary from its JSON results, and the line a machine reads. Fails where anything has failed. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const [, , resultsFolder, failedStage] = process.argv;

/** Every count of the stages that ran jest, added up; undefined if none did. */
function readResults() {
  let sum;
  for (const file of readdirSync(resultsFolder)) {
    const results = JSON.parse(readFileSync(path.join(resultsFolder, file), "utf8"));
    sum ??= { success: true };
    sum.success &&= results.success;
    for (const [name, value] of Object.entries(results))
      if (name.startsWith("num")) sum[name] = (sum[name] ?? 0) + value;
  }
  return sum;
}

function counts({ passed, failed, skipped, total }) {
  const parts = [
    [failed, "failed"],
    [skipped, "skipped"],
    [passed, "passed"],
  ];
  const shown = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return [...shown, `${total} total`].join(", ");
}

const results = readResults();
const passed = results?.numPassedTests ?? 0;
// A test file that cannot be loaded has no failed test, but is one.
let failed = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0);
if (failed === 0 && (failedStage !== "" || results?.success === false)) failed = 1;

console.log("");
if (results !== undefined) {
  const of = (unit) => ({
    passed: results[`numPassed${unit}`],
    failed: results[`numFailed${unit}`],
    skipped: results[`numPending${unit}`],
    total: results[`numTotal${unit}`],
  });
  console.log(`Test Suites: ${counts(of("TestSuites"))}`);
  console.log(`Tests:       ${counts(of("Tests"))}`);
}
if (failedStage !== "") console.log(`Stage failed: ${failedStage}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
