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

test("every control of the tables that is met names a test", () => {
  const rows = readFileSync(join(ROOT, "docs/security.md"), "utf8").split("\n");
  const met = rows.filter((row) => /^\|[^|]+\| (?:yes|part) +\|/.test(row));
  expect(met.length).toBeGreaterThan(20);
  expect(met.filter((row) => !/`[\w-]+\.test`/.test(row))).toEqual([]);
});
