import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { until } from "../../support/authorizing.js";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { addPlainPortal, freePort, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../..", name), "utf8");
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  sh: ["bash", "-c"],
  js: [process.execPath, "--input-type=module", "--eval"],
  python: ["python3", "-c"],
};

/** An example, under the heading of its part of the document. */
type Example = readonly [heading: string, language: string, code: string];

function examplesIn(document: string): Example[] {
  let heading = "";
  const parts = document.matchAll(
    /^## (?<heading>[^\n]*)$|^```(?<language>sh|js|python)\n(?<code>[\s\S]*?)^```$/gm,
  );
  return [...parts].flatMap(({ groups }) => {
    heading = groups?.["heading"] ?? heading;
    return groups?.["code"] === undefined
      ? []
      : [[heading, groups["language"] ?? "", groups["code"]] as const];
  });
}

/** Of the README those that ask the API: it begins with what installs and starts the app. */
const IN_README = examplesIn(read("README.md")).filter(
  ([heading, , code]) => heading === "From other programs" && !code.includes("npx "),
);

let app: RunningApp;
let portal: SimulatedPortal;
let environment: NodeJS.ProcessEnv;
let receiverPort: number;

beforeAll(async () => {
  receiverPort = await freePort();
  app = await startRunningApp({
    environment: { PRIVATE_DESTINATIONS: `127.0.0.1:${receiverPort}` },
    workIntervals: { workImports: 100, sendWebhooks: 100 },
  });
  portal = addPlainPortal(app.simulator);
  portal.addSequence({ name: "Inbound" });
  for (const name of ["ada", "zoe", "max", "eva"])
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

/** Runs the example of a server until it listens; undefined: its program is not installed. */
async function startReceiver(language: string, code: string, secret: string) {
  const [program = "", ...options] = PROGRAMS[language] ?? [];
  const env = { ...environment, WEBHOOK_SECRET: secret, PORT: String(receiverPort) };
  const child = spawn(program, [...options, code], { env });
  let [printed, isMissing] = ["", false];
  child.stdout.on("data", (piece) => (printed += String(piece)));
  child.on("error", () => (isMissing = true));
  await until(async () => isMissing || (await isListening()), `the example in ${language} does not listen`);
  return isMissing ? undefined : { printed: () => printed, end: () => child.kill("SIGKILL") };
}

const isListening = (): Promise<boolean> =>
  fetch(`http://127.0.0.1:${receiverPort}/`, { method: "POST", body: "" }).then(
    ({ status }) => status === 401,
    () => false,
  );

test.each(IN_README)(
  "the README's example “%s” in %s does what it says",
  async (_heading, language, code) => {
    const printed = await run(language, code);
    if (printed === undefined) return;
    expect(printed).toMatch(language === "python" ? /Inbound/ : /eva@lead\.example/);
  },
);

test("the README has an example for a shell, for Node and for Python", () => {
  expect(IN_README.map(([, language]) => language)).toEqual(["sh", "js", "python"]);
});

describe("the examples of docs/api.md", () => {
  const cases = examplesIn(read("docs/api.md"));
  const receivers = cases.filter(([title]) => title === "Receive webhooks");

  test("are in three languages, and so are those that receive webhooks", () => {
    expect(cases.map(([, language]) => language)).toEqual([
      ...["sh", "js", "python"],
      ...["js", "sh", "sh"],
      ...["sh", "js", "sh"],
      ...["js", "python"],
    ]);
    expect(receivers).toHaveLength(2);
  });

  test.each(receivers)(
    "“%s” in %s takes our messages, and nobody else's",
    async (_heading, language, code) => {
      const client = createApiClient(app.publicUrl, environment["SEQUENCE_ENROLLER_KEY"]);
      const hooks = "/api/v1/webhook-subscriptions";
      const url = `http://127.0.0.1:${receiverPort}/hook`;
      const { id, secret } = (await client.post(hooks, { url, events: ["sender.refused"] })).body;
      const receiver = await startReceiver(language, code, String(secret));
      if (receiver === undefined) return;
      try {
        const forged = await fetch(url, {
          method: "POST",
          body: '{"type":"webhook.test","data":{}}',
          headers: { "webhook-id": "msg_1", "webhook-timestamp": "é", "webhook-signature": "v1,é v1,AAAA" },
        });
        expect([forged.status, receiver.printed()]).toEqual([401, ""]);
        await client.post(`${hooks}/${id}/test`);
        await until(() => Promise.resolve(receiver.printed() !== ""), "nothing was printed");
        expect(receiver.printed()).toMatch(/^webhook\.test [\s\S]*This is a test/);
      } finally {
        receiver.end();
        await client.ask("DELETE", `${hooks}/${id}`);
      }
    },
  );

  test.each(cases.filter((one) => !receivers.includes(one)))(
    "“%s” in %s does what it says",
    async (_heading, language, code) => {
      const printed = await run(language, code);
      if (printed === undefined) return;
      expect(printed.trim()).not.toBe("");
    },
  );

  test("enrolled each contact once, with its own reference", async () => {
    await app.simulator.waitFor(() => portal.enrollments.total >= 2, { what: "the enrollments" });
    const { rows } = await app.db.database.pool.query<{ reference: string }>(
      "SELECT reference FROM executions WHERE reference LIKE 'order-%' ORDER BY reference",
    );
    expect(rows.map(({ reference }) => reference).slice(0, 2)).toEqual(["order-4711", "order-4712"]);
  });
});
