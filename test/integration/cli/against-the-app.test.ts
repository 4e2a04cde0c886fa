import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { until } from "../../support/authorizing.js";
import { CLOSE_KEY, startCloseStandIn, type CloseStandIn } from "../../support/close-stand-in.js";
import { giveKey } from "../../support/api-client.js";
import { runLine, type CommandRun } from "../../support/command-line.js";
import { addPlainPortal, freePort, startRunningApp, type RunningApp } from "../../support/start-app.js";

const LIMIT = 20;
const MAIN = path.join(import.meta.dirname, "../../../src/cli/main.ts");

let app: RunningApp;
let close: CloseStandIn;
let portal: SimulatedPortal;
let key: string;
let folder: string;
let sequenceId: string;

/** The app as in production, a simulated HubSpot behind it, and the command line as its user types it. */
beforeAll(async () => {
  close = await startCloseStandIn({
    sequences: [{ id: "seq_1", name: "Welcome" }],
    subscriptions: ["moved@lead.example", "stranger@lead.example"].map((email) => ({
      ...{ sequenceId: "seq_1", email, status: "active", sender: "somebody@close.example" },
    })),
  });
  app = await startRunningApp({
    environment: { CLOSE_API_URL: close.url },
    workIntervals: { workImports: 100 },
  });
  portal = addPlainPortal(app.simulator, { contacts: 0 });
  sequenceId = portal.addSequence({ name: "Inbound" }).id;
  await app.install(portal);
  key = await giveKey(app.db.database, portal.portalId);
  const read = "SELECT FROM sequences WHERE name = 'Inbound' AND is_listed";
  await until(
    async () => (await app.db.database.pool.query(read)).rowCount === 1,
    "the directory was not read",
  );
  folder = await mkdtemp(path.join(tmpdir(), "cli-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await app.close();
  await close.close();
});

const run = (line: string | readonly string[], given: Omit<Parameters<typeof runLine>[1], "url"> = {}) =>
  runLine(line, { url: app.publicUrl, key, ...given });

const addContact = (email: string) =>
  portal.addContact({ properties: { email, hubspot_owner_id: [...portal.owners.keys()][0] ?? "" } });

/** Every line of JSON on stdout. */
const jsonOf = ({ stdout }: CommandRun): Record<string, never>[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, never>);

const enroll = (email: string) =>
  run(`enroll --email ${email} --sequence Inbound --sender contact_owner --wait 30 --json`);

describe("one enrollment", () => {
  test("is made, told, and refused the second time by its status and exit code", async () => {
    addContact("ada@lead.example");
    const first = await run(
      "enroll --email ada@lead.example --sequence Inbound --sender contact_owner --reference order-1 --wait",
    );
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toMatch(
      /^id +\d+\nstatus +ENROLLED\ncontact +ada@lead\.example · \d+\nsequence +Inbound/,
    );
    const id = /^id +(\d+)/.exec(first.stdout)?.[1] ?? "";
    expect(jsonOf(await run(`status ${id} --json`))).toMatchObject([
      { id, status: "ENROLLED", reference: "order-1" },
    ]);
    const again = await enroll("ada@lead.example");
    expect([again.code, jsonOf(again)[0]?.["status"]]).toEqual([0, "ALREADY_ENROLLED"]);
    const late = await run(`cancel ${id}`);
    expect([late.code, late.stdout]).toEqual([1, ""]);
    expect(late.stderr).toContain("CONFLICT: ");
  });

  test("of nobody in HubSpot fails with its reason, and is tried again once the contact is there", async () => {
    const failed = await enroll("late@lead.example");
    expect([failed.code, jsonOf(failed)[0]]).toEqual([1, expect.objectContaining({ status: "FAILED" })]);
    const shown = await run(`status ${jsonOf(failed)[0]?.["id"]}`);
    expect([shown.code, shown.stdout]).toEqual([1, expect.stringContaining("CONTACT_NOT_FOUND: ")]);
    addContact("late@lead.example");
    const retried = await run(`retry ${jsonOf(failed)[0]?.["id"]} --json`);
    expect([retried.code, jsonOf(retried)[0]?.["source"]]).toEqual([0, "retry"]);
    expect(jsonOf(retried)[0]?.["id"]).not.toBe(jsonOf(failed)[0]?.["id"]);
  });

  test("that waits for a day is canceled before it is sent", async () => {
    addContact("soon@lead.example");
    const day = new Date(Date.now() + 86_400_000).toISOString();
    const waits = await run(
      `enroll --email soon@lead.example --sequence ${sequenceId} --sender contact_owner --not-before ${day} --wait 1`,
    );
    expect([waits.code, waits.stderr]).toEqual([0, expect.stringContaining("Not decided yet. See: ")]);
    expect(waits.stdout).toMatch(/status +WAITING\n[\s\S]*not before +\d{4}-/);
    const id = /^id +(\d+)/.exec(waits.stdout)?.[1] ?? "";
    const canceled = await run(`cancel ${id} --json`);
    expect([canceled.code, jsonOf(canceled)[0]?.["status"]]).toEqual([0, "CANCELLED"]);
  });

  test("that cannot be right is refused by name, nothing is stored, and stdout stays empty", async () => {
    const unknown = await run("enroll --email a@lead.example --sequence Nowhere --sender contact_owner");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("SEQUENCE_NOT_FOUND: ");
    const typo = await run("list --status SENT --created-after yesterday");
    expect(typo).toMatchObject({ code: 2, stdout: "" });
    for (const told of ["INVALID_REQUEST: ", "status: ", "createdAfter: "])
      expect(typo.stderr).toContain(told);
  });
});

describe("lists", () => {
  test("fit a terminal of 80 columns, say it without color, and go on where they ended", async () => {
    const page = await run("list --limit 2", { columns: 80 });
    expect([page.code, page.stderr]).toEqual([
      0,
      expect.stringMatching(/^There are more: --all, or --after \S+\n$/),
    ]);
    for (const line of page.stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    expect(page.stdout).not.toContain("\u001b");
    const after = /--after (\S+)/.exec(page.stderr)?.[1] ?? "";
    const all = jsonOf(await run("list --all --json")).map(({ id }) => String(id));
    const rest = jsonOf(await run(`list --all --json --after ${after}`)).map(({ id }) => String(id));
    expect(rest).toEqual(all.slice(2));
    expect(jsonOf(await run("list --status FAILED --email late@lead.example --json"))).toHaveLength(1);
  });

  test("tell the account's sequences, by a part of their name and page by page", async () => {
    const shown = await run("sequences --name inBOUND", { columns: 80 });
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(/^\W*Id\W+Name\W+Updated \(UTC\)/);
    expect(shown.stdout).toContain("Inbound");
    const all = jsonOf(await run("sequences --all --json")).map(({ id }) => String(id));
    expect(all).toContain(sequenceId);
    const first = await run("sequences --limit 1 --json");
    const after = /--after (\S+)/.exec(first.stderr)?.[1] ?? "";
    const rest = jsonOf(await run(`sequences --all --json --after ${after}`)).map(({ id }) => String(id));
    expect([...jsonOf(first).map(({ id }) => String(id)), ...rest]).toEqual(all);
    expect(await run("sequences --name Nothing --json")).toMatchObject({ code: 0, stdout: "" });
  });

  test("count what became of enrollments, as a table of 80 columns and as one JSON value", async () => {
    const told = await run("stats --by sequence", { columns: 80 });
    expect([told.code, told.stderr]).toEqual([0, ""]);
    for (const line of told.stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    for (const word of ["Sequence", "Inbound", "Enrolled", "Total", "CONTACT_NOT_FOUND"])
      expect(told.stdout).toContain(word);
    const [found, more] = jsonOf(await run("stats --by source --json"));
    expect([found, more]).toEqual([expect.objectContaining({ by: "source" }), undefined]);
    const wrong = await run("stats --by color --from yesterday --json");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    for (const part of ["by: ", "from: "]) expect(wrong.stderr).toContain(part);
  });

  test("tell who may send, with their caps", async () => {
    const { code, stdout } = await run("senders", { columns: 80 });
    expect([code, stdout]).toEqual([0, expect.stringContaining("@acme.example")]);
    for (const line of stdout.trimEnd().split("\n")) expect([...line].length).toBeLessThanOrEqual(80);
    const told = jsonOf(await run("senders --json"));
    expect(told.map((sender) => Object.keys(sender))).toContainEqual(
      expect.arrayContaining(["userId", "cap", "used"]),
    );
  });
});

describe("an import", () => {
  const leads = async (name: string, rows: readonly string[]): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, ["Address;Ref", ...rows, ""].join("\r\n"));
    return file;
  };
  const options = [
    "--map",
    "email=Address",
    "--map",
    "reference=Ref",
    "--sequence",
    "Inbound",
    "--sender",
    "contact_owner",
  ];

  test("is checked without enrolling anybody, then run, and its results are saved", async () => {
    for (const name of ["ann", "bob"]) addContact(`${name}@lead.example`);
    const file = await leads("leads.csv", [
      "ann@lead.example;1",
      "bob@lead.example;2",
      "ghost@lead.example;3",
      "no address;4",
    ]);
    const before = portal.enrollments.total;
    const checked = await run(["import", file, ...options, "--dry-run"]);
    expect([checked.code, portal.enrollments.total]).toEqual([1, before]);
    const resume = /import --resume (\d+)/.exec(checked.stderr)?.[1] ?? "";
    const out = path.join(folder, "results.csv");
    const done = await run(["import", "--resume", resume, "--out", out, "--json"]);
    expect(done.code).toBe(1);
    expect(jsonOf(done)).toMatchObject([
      { id: resume, status: "DONE", counts: { rows: 4, enrolled: 2, failed: 1, invalid: 1 } },
    ]);
    const results = (await readFile(out, "utf8")).split(/\r?\n/);
    expect(results[0]).toContain("Address,Ref,result,reason_code,reason,enrollment_id");
    expect(results.filter((line) => line.includes("ENROLLED"))).toHaveLength(2);
    expect(portal.enrollments.total).toBe(before + 2);
  });

  test("is paused by Ctrl-C, which says how to go on; going on handles each row once", async () => {
    const rows = Array.from({ length: 40 }, (_, index) => addContact(`row${index}@lead.example`));
    const file = await leads(
      "many.csv",
      rows.map((_, index) => `row${index}@lead.example;r${index}`),
    );
    const before = portal.enrollments.total;
    const ctrlC = new AbortController();
    const running = run(["import", file, ...options], { interrupted: ctrlC.signal });
    await app.simulator.waitFor(() => portal.enrollments.total > before, { what: "the first row" });
    ctrlC.abort();
    const left = await running;
    expect(left).toMatchObject({ code: 130, stdout: "" });
    const id = /sequence-enroller import --resume (\d+)/.exec(left.stderr)?.[1] ?? "";
    const done = await run(["import", "--resume", id, "--json"]);
    expect([done.code, jsonOf(done)[0]?.["counts"]]).toEqual([
      0,
      expect.objectContaining({ rows: 40, enrolled: 40 }),
    ]);
    expect(portal.enrollments.total).toBe(before + 40);
  });
});

test("contacts are moved over from Close: told first, then enrolled, and its key is printed nowhere", async () => {
  addContact("moved@lead.example");
  const line = `import-close --sequence Welcome=${sequenceId} --sender somebody@close.example=${portal.admin.userId}`;
  const environment = { CLOSE_API_KEY: CLOSE_KEY };
  const before = portal.enrollments.total;
  const told = await run(line, { environment, columns: 80 });
  expect([told.code, portal.enrollments.total]).toEqual([1, before]);
  for (const shown of ["Welcome", "somebody@close.example", "CONTACT_NOT_FOUND"])
    expect(told.stdout).toContain(shown);
  const out = path.join(folder, "moved.csv");
  const moved = await run([...line.split(" "), "--start", "--json", "--out", out], { environment });
  expect(jsonOf(moved)).toMatchObject([{ status: "DONE", counts: { rows: 2, enrolled: 1, failed: 1 } }]);
  expect([moved.code, portal.enrollments.total]).toEqual([1, before + 1]);
  expect(await readFile(out, "utf8")).toContain("moved@lead.example");
  const printed = [told, moved].map(({ stdout, stderr }) => stdout + stderr).join("");
  expect(printed).not.toContain(CLOSE_KEY);
  const without = await run(line);
  expect(without).toMatchObject({ code: 2, stdout: "" });
});

describe("trouble", () => {
  test("with the key ends with 3, with the address with 4, and neither prints on stdout", async () => {
    expect(await run("list", { key: "sqe_AAAAAAAA_wrong" })).toMatchObject({ code: 3, stdout: "" });
    const readOnly = await giveKey(app.db.database, portal.portalId, { scopes: ["enrollments:read"] });
    const refused = await run("enroll --contact 1 --sequence Inbound", { key: readOnly });
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toContain("enrollments:write");
    const nobody = await runLine("list", { url: "http://127.0.0.1:9", key });
    expect([nobody.code, nobody.stderr]).toEqual([
      4,
      expect.stringContaining("cannot be reached (ECONNREFUSED)"),
    ]);
  });

  test("of too many requests is waited out, as long as the app says", async () => {
    const port = await freePort();
    await app.startAnother({ ROLE: "web", PORT: String(port), API_RATE_LIMIT: String(LIMIT) });
    const url = `http://127.0.0.1:${port}`;
    const busy = await giveKey(app.db.database, portal.portalId);
    const runs = await Promise.all(
      Array.from({ length: LIMIT + 4 }, () => runLine("senders --json", { url, key: busy })),
    );
    expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 0));
    expect(runs.some(({ stderr }) => /RATE_LIMITED: .* Trying again in \d+ s\./.test(stderr))).toBe(true);
  });

  test("of a reader who leaves, as in “| head -1”, ends a list quietly", async () => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", MAIN, "list", "--all", "--json", "--limit", "1"],
      {
        env: { ...process.env, SEQUENCE_ENROLLER_URL: app.publicUrl, SEQUENCE_ENROLLER_KEY: key },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let complaint = "";
    child.stderr.on("data", (piece) => (complaint += String(piece)));
    child.stdout.once("data", () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, complaint]).toEqual([0, ""]);
  });
});
