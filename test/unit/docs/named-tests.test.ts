import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = join(import.meta.dirname, "../../..");

const testFiles = new Set(
  readdirSync(join(ROOT, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name.replace(/\.tsx?$/, "")),
);

test("every test that the threat model names for a control exists", () => {
  const text = readFileSync(join(ROOT, "docs/security.md"), "utf8");
  const named = [...text.matchAll(/`([\w-]+\.test)`/g)].map(([, name]) => name as string);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((name) => !testFiles.has(name))).toEqual([]);
});
