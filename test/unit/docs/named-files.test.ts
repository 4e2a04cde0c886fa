import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const ROOT = join(import.meta.dirname, "../../..");
const text = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");

const filesBelow = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) =>
    name.replaceAll("\\", "/"),
  );
const files = [
  ...filesBelow("src"),
  ...["test", "bench", "scripts", "docs", ".ci", "prisma", "app-config"].flatMap((folder) =>
    filesBelow(folder).map((name) => `${folder}/${name}`),
  ),
];

/** Whether there is such a file or folder: named from `src/` or the root, or by its own name alone; `*` is any part of a name. */
function isThere(name: string): boolean {
  const pattern = name.replace(/\/$/, "").replace(/[.+]/g, "\\$&").replaceAll("*", "[^/]*");
  const path = new RegExp(`^(?:.*/)?${pattern}$`);
  return files.some((file) => path.test(file));
}

test("every file that the architecture names is there", () => {
  const named = [
    ...text.matchAll(/`([\w./*-]+\.(?:tsx?|mjs|cjs|js|md)|(?:domain|platform|web|worker)\/[\w./*-]+)`/g),
  ];
  const names = [...new Set(named.map(([, name]) => name as string))];
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => !isThere(name))).toEqual([]);
});

test.each([
  ["a signature checked", "Is a request HubSpot's?"],
  ["a sender chosen", "Who sends?"],
  ["a completion sent", "Who sends a completion?"],
  ["a role decided", "Who may administer a portal?"],
  ["a page's form saved", "Where is a page's form saved?"],
  ["a statement held to its plan", "Is a statement held to its plan?"],
  ["an error worded", "How is an error worded?"],
  ["an alert raised", "What raises an alert?"],
  ["a fact about HubSpot", "What is a fact about HubSpot?"],
  ["a setting read", "Where does a setting come from?"],
])("a newcomer who asks where %s finds a file beside “%s”", (_, question) => {
  const row = text.split("\n").find((line) => line.startsWith(`| ${question} `));
  expect(row).toMatch(/`[^`]+`|\.md\)/);
});
