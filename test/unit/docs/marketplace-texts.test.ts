import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { FEATURE_SCOPES, OPTIONAL_SCOPES, REQUIRED_SCOPES } from "#platform/hubspot/oauth/scopes.js";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "docs/marketplace");
const texts = readdirSync(FOLDER).map((name) => ({
  path: join(FOLDER, name),
  text: readFileSync(join(FOLDER, name), "utf8"),
}));
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

interface AppFile {
  readonly config: {
    readonly auth: { readonly requiredScopes: string[]; readonly optionalScopes: string[] };
  };
}

const { auth } = (
  JSON.parse(readFileSync(join(ROOT, "app-config/src/app/app-hsmeta.json"), "utf8")) as AppFile
).config;
const scopesOf = (kind: string) =>
  [...read("scopes.md").matchAll(/^\| `([\w.]+)` +\| (\w+) +\|/gm)].flatMap(([, scope = "", of]) =>
    of === kind ? [scope] : [],
  );

test("the scopes that are justified are those that the app's file and the code ask for, of the same kind", () => {
  expect(scopesOf("required").sort()).toEqual([...auth.requiredScopes].sort());
  expect(scopesOf("optional").sort()).toEqual([...auth.optionalScopes].sort());
  expect(scopesOf("required").sort()).toEqual([...REQUIRED_SCOPES].sort());
  const optional = [...OPTIONAL_SCOPES, ...Object.values(FEATURE_SCOPES).flat()];
  expect(scopesOf("optional").sort()).toEqual([...new Set<string>(optional)].sort());
});

test("the table of shared data names every scope that reads or writes, and every property that is read", () => {
  const table = read("shared-data.md");
  const withData = [...auth.requiredScopes, ...auth.optionalScopes].filter((scope) => scope !== "oauth");
  expect(withData.filter((scope) => !table.includes(`\`${scope}\``))).toEqual([]);
  expect(REQUESTED_PROPERTIES.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});

test("every file, folder and picture that the texts lead to exists", () => {
  for (const { path, text } of texts) {
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = ""]) =>
      join(dirname(path), to),
    );
    const files = [...text.matchAll(/`((?:src|docs|app-config)\/[\w./-]+)`/g)].map(([, to = ""]) =>
      join(ROOT, to),
    );
    expect([...links, ...files].filter((to) => !existsSync(to))).toEqual([]);
  }
});

test("the listing's tagline fits HubSpot's form", () => {
  const tagline = /\*\*Tagline\*\* \([^)]+\) (.+)/.exec(read("listing.md"))?.[1] ?? "";
  expect(tagline.length).toBeGreaterThan(20);
  expect(tagline.length).toBeLessThanOrEqual(110);
});
