import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { giveKey } from "../../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const DOCUMENT = readFileSync(join(import.meta.dirname, "../../../docs/api.md"), "utf8");
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  sh: ["bash", "-c"],
  js: [process.execPath, "--input-type=module", "--eval"],
  python: ["python3", "-c"],
};
const EXAMPLES = [
  ...DOCUMENT.matchAll(/^## (?<heading>[^\n]*)$|^```(?<language>sh|js|python)\n(?<code>[\s\S]*?)^```$/gm),
];

let app: RunningApp;
let portal: SimulatedPortal;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  app = await startRunningApp({ workIntervals: { workImports: 100 } });
  portal = addPlainPortal(app.simulator);
  portal.addSequence({ name: "Inbound" });
  for (const name of ["ada", "zoe", "max"])
    portal.addContact({
      properties: { email: `${name}@lead.example`, hubspot_owner_id: [...portal.owners.keys()][0] ?? "" },
    });
  await app.install(portal);
  const found = "SELECT FROM sequences WHERE name = 'Inbound' AND is_listed";
  while ((await app.db.database.pool.query(found)).rowCount === 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
  environment = {
    ...process.env,
    SEQUENCE_ENROLLER_URL: app.publicUrl,
    SEQUENCE_ENROLLER_KEY: await giveKey(app.db.database, portal.portalId),
  };
});

afterAll(() => app.close());

/** @returns what the example prints; undefined: its program is not installed. */
async function run(language: string, code: string): Promise<string | undefined> {
  const [program = "", ...options] = PROGRAMS[language] ?? [];
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...options, code], { env: environment, timeout: 40_000 });
    let [printed, complaint] = ["", ""];
    child.stdout.on("data", (piece) => (printed += String(piece)));
    child.stderr.on("data", (piece) => (complaint += String(piece)));
    child.on("error", (fault) =>
      "code" in fault && fault.code === "ENOENT" ? resolve(undefined) : reject(fault),
    );
    child.on("close", (status) =>
      status === 0 ? resolve(printed) : reject(new Error(`${status}: ${printed}${complaint}`)),
    );
  });
}

describe("the examples of docs/api.md", () => {
  let heading = "";
  const cases = EXAMPLES.flatMap(({ groups }) => {
    heading = groups?.["heading"] ?? heading;
    return groups?.["code"] === undefined
      ? []
      : [[heading, groups["language"] ?? "", groups["code"]] as const];
  });

  test("are five, in three languages", () => {
    expect(cases.map(([, language]) => language)).toEqual(["sh", "js", "python", "sh", "js"]);
  });

  test.each(cases)("“%s” in %s does what it says", async (_heading, language, code) => {
    const printed = await run(language, code);
    if (printed === undefined) return;
    expect(printed.trim()).not.toBe("");
  });

  test("enrolled each contact once, with its own reference", async () => {
    await app.simulator.waitFor(() => portal.enrollments.total >= 2, { what: "the enrollments" });
    const { rows } = await app.db.database.pool.query<{ reference: string }>(
      "SELECT reference FROM executions WHERE source = 'api' ORDER BY reference",
    );
    expect(rows.map(({ reference }) => reference).slice(0, 2)).toEqual(["order-4711", "order-4712"]);
  });
});
