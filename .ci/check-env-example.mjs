/** Fails where .env.example and src/config.ts do not have the same variables, or .env.example shows another default. */
import { deepStrictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { tsImport } from "tsx/esm/api";

const { environmentVariables, readConfig } = await tsImport("../src/config.ts", import.meta.url);

const shown = parseEnv(readFileSync(new URL("../.env.example", import.meta.url), "utf8"));
const names = Object.keys(shown);
const problems = [
  ...environmentVariables.filter((name) => !names.includes(name)).map((name) => `.env.example lacks ${name}`),
  ...names
    .filter((name) => !environmentVariables.includes(name))
    .map((name) => `.env.example has ${name}, which nothing reads`),
];

/** What has no default, and would otherwise be asked for or generated. */
const given = {
  HUBSPOT_CLIENT_ID: "id",
  HUBSPOT_CLIENT_SECRET: "secret",
  HUBSPOT_APP_ID: "1",
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString("base64")}`,
  SESSION_SECRET: "s".repeat(32),
};
try {
  deepStrictEqual(readConfig({ ...shown, ...given }), readConfig(given));
} catch (error) {
  problems.push(`.env.example shows a value that is not the default:\n${error.message}`);
}

for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
