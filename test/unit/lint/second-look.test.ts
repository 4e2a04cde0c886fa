import { afterAll, beforeEach, expect, jest, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

type Status = "passed" | "failed";
type Summary = ReturnType<typeof summaryOf>;
interface Tools {
  outputFile: string;
  runJest: (args: string[]) => Promise<number>;
}
// Typed as a string: the compiler does not read what lies in .ci.
const lookFile: string = "../../../.ci/second-look.mjs";
const { lookAgain } = (await import(lookFile)) as {
  lookAgain: (summaries: Summary[], tools: Tools) => Promise<Summary[]>;
};
const folder = mkdtempSync(path.join(os.tmpdir(), "second-look-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  jest.spyOn(console, "log").mockImplementation(() => undefined);
});

const file = (name: string, status: Status) => ({ name, status, assertionResults: [{ status }] });
const summaryOf = (files: ReturnType<typeof file>[]) => ({
  success: files.every(({ status }) => status === "passed"),
  testResults: files,
});

/** @returns what CI goes by after the second look, and the paths that jest was started with for it. */
async function lookAt(names: readonly string[], secondTime: Status) {
  const paths: string[][] = [];
  const first = [summaryOf([file("sound", "passed"), ...names.map((name) => file(name, "failed"))])];
  const outputFile = path.join(folder, "results.json");
  const runJest = (args: string[]) => {
    const asked = args.slice(args.indexOf("--runTestsByPath") + 1);
    paths.push(asked);
    const results = summaryOf(asked.map((name) => file(name, secondTime)));
    writeFileSync(`${outputFile}.again`, JSON.stringify(results));
    return Promise.resolve(0);
  };
  const summaries = await lookAgain(first, { outputFile, runJest });
  return { paths, isSound: summaries.every(({ success }) => success), isUnchanged: summaries === first };
}

test("a file that passes the second time stops nothing, and is named", async () => {
  const { paths, isSound } = await lookAt(["shaky"], "passed");
  expect(paths).toEqual([["shaky"]]);
  expect(isSound).toBe(true);
  expect(console.log).toHaveBeenCalledWith(expect.stringMatching(/^UNSTEADY.*shaky$/));
});

test("a file that fails twice fails the run", async () => {
  expect(await lookAt(["broken"], "failed")).toMatchObject({ isSound: false, paths: [["broken"]] });
});

test("many failed files are not looked at again", async () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  expect(await lookAt(names, "passed")).toEqual({ paths: [], isSound: false, isUnchanged: true });
});
