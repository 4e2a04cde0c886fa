import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = join(import.meta.dirname, "../../..");

const testFiles = new Set(
  readdirSync(join(ROOT, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.replace(/\.tsx?$/, "")),
);

const TEXTS = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".md"),
);

test("every test that the documents name for a promise or a control exists", () => {
  const text = TEXTS.map((path) => readFileSync(join(ROOT, "docs", path), "utf8")).join("\n");
  const named = [...text.matchAll(/([\w-]+\.test)(?:\.tsx?)?`/g)].map(([, name]) => name as string);
  expect(named.length).toBeGreaterThan(200);
  expect(named.filter((name) => !testFiles.has(name))).toEqual([]);
});

test("every threat names a test of its control, and so does every requirement that is met", () => {
  const text = readFileSync(join(ROOT, "docs/security.md"), "utf8");
  const [threats = [], requirements = []] = text
    .split("## Controls, line by line")
    .map((part) => part.split("\n").filter((row) => /^\| (?!threat|requirement|---)/.test(row)));
  const met = requirements.filter((row) => !/^\|[^|]+\| no +\|/.test(row));
  expect([threats.length > 20, met.length > 20]).toEqual([true, true]);
  expect([...threats, ...met].filter((row) => !/`[\w-]+\.test`/.test(row))).toEqual([]);
});
