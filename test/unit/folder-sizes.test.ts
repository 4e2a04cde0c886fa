import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = join(import.meta.dirname, "../..");
/** As CONTRIBUTING.md says: a folder that needs more has two subjects. */
const MOST_FILES = 18;
const GENERATED = /db\/generated/;

test("a folder under src holds 18 files at most", () => {
  const sizes = new Map<string, number>();
  for (const entry of readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true })) {
    const folder = relative(ROOT, entry.parentPath);
    if (entry.isFile() && !GENERATED.test(folder)) sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  expect(sizes.size).toBeGreaterThan(50);
  expect([...sizes].filter(([, size]) => size > MOST_FILES)).toEqual([]);
});
