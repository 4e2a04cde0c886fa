import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { setUpImport } from "#domain/imports/change-import.js";
import { adminOf } from "../../support/actors.js";
import { createBrowser, hiddenField, type Browser, type BrowserAnswer } from "../../support/browser.js";
import { CLOSE_KEY, startCloseStandIn, type CloseStandIn } from "../../support/close-stand-in.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const PAGE = "/settings/imports";

let app: RunningApp;
let portal: SimulatedPortal;
let admin: Browser;
let close: CloseStandIn;

beforeAll(async () => {
  close = await startCloseStandIn({
    sequences: [{ id: "seq_1", name: "Welcome <b>" }],
    subscriptions: ["moved@lead.example", "stranger@lead.example"].map((email) => ({
      ...{ sequenceId: "seq_1", email, status: "active", sender: "ada@close.example" },
    })),
  });
  app = await startRunningApp({
    workIntervals: { workImports: 100 },
    environment: { CLOSE_API_URL: close.url },
  });
  portal = addPlainPortal(app.simulator);
  await app.install(portal);
  admin = createBrowser(app.publicUrl);
  const { location } = await admin.get("/settings/sign-in");
  const { portalId } = portal;
  const { userId } = portal.admin;
  await admin.get(app.simulator.authorize(location ?? "", { portalId, userId }));
  await until(async () => (await admin.get("/settings/try")).text.includes(sequenceId()));
});

afterAll(() => Promise.all([app.close(), close.close()]));

const sequenceId = () => [...portal.sequences.keys()][0] ?? "";

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const endsAt = Date.now() + 20_000; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function upload(file: string | Uint8Array<ArrayBuffer>, name = ""): Promise<BrowserAnswer> {
  const token = hiddenField((await admin.get(PAGE)).text, "form_token");
  const fields = [
    ["form_token", token],
    ["name", name],
  ];
  return admin.upload(PAGE, fields, file);
}

/** Presses a button of the import's page, with what its form holds beside `fields`. */
async function press(
  path: string,
  button: string,
  fields: Record<string, string> = {},
): Promise<BrowserAnswer> {
  const { text } = await admin.get(path);
  const version = text.includes('name="version"') ? hiddenField(text, "version") : "";
  const form = { form_token: hiddenField(text, "form_token"), version };
  return admin.post(`${path}/${button}`, { ...form, ...fields });
}

async function pageThat(path: string, shows: string): Promise<string> {
  let text = "";
  await until(async () => {
    ({ text } = await admin.get(path));
    return text.includes(shows);
  });
  return text;
}

const figuresOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/<strong>([\d,]+)<\/strong><span>([^<]+)<\/span>/g)].map(
      ([, count = "", name = ""]) => [name, count],
    ),
  );

const setUp = () => ({ column_email: "1", sequence_id: sequenceId(), sender_mode: "contact_owner" });

/** Contacts owned by a user who may send. */
function addContacts(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => {
    const email = `${name}${index}@lead.example`;
    portal.addContact({ properties: { email, hubspot_owner_id: [...portal.owners.keys()][0] ?? "" } });
    return email;
  });
}

describe("an admin", () => {
  test("uploads a file, sees what would happen, starts it, and takes the results along", async () => {
    const [first = "", second = ""] = addContacts(2, "page");
    portal.addContact({ properties: { email: "out@lead.example", hs_email_optout: "true" } });
    const rows = [`Ada <b>;${first}`, `Zoe;${second}`, `Again;${first}`, "Out;out@lead.example", "No;nobody"];
    const uploaded = await upload(["Name;Mail", ...rows].join("\n"));
    expect(uploaded.status).toBe(303);
    const path = new URL(uploaded.location ?? "").pathname;

    const { text } = await admin.get(path);
    expect(text).toContain("leads.csv");
    expect(text).toContain("Ada &lt;b>");
    expect(text).toMatch(/id="column_email"[^]*?<option value="1" selected/);
    const incomplete = await press(path, "setup", { ...setUp(), sequence_id: "", then: "dry-run" });
    expect([incomplete.status, incomplete.text.includes("Choose a sequence.")]).toEqual([422, true]);
    expect((await press(path, "setup", { ...setUp(), then: "dry-run" })).status).toBe(303);
    const tried = await pageThat(path, "What would happen to 5 rows");
    expect(figuresOf(tried)).toEqual({
      ...{
        "Would be enrolled": "2",
        "Already in a sequence": "0",
        "Would wait": "0",
        "Would be skipped": "0",
      },
      ...{ "Would not be enrolled": "1", "Duplicate rows": "1", "Rows with an error": "1" },
    });
    expect(tried).toContain("UNSUBSCRIBED");
    expect(portal.enrollments.total).toBe(0);

    await press(path, "start");
    const done = await pageThat(path, "Download results");
    await pageThat(path, "Done</span>");
    expect(portal.enrollments.total).toBe(2);
    expect(done).not.toContain("Start enrolling");
    const { text: results } = await admin.get(`${path}/results.csv`);
    expect(results).toContain(`${second},ENROLLED,,,`);
    const part = await admin.get(`${path}/progress`);
    expect(part.text).toMatch(/^<section class="card" id="progress"/);
    const audit = (await admin.get("/settings/audit")).text;
    for (const told of ["leads.csv", "started", "exported", "tried without enrolling"])
      expect(audit).toContain(told);
  });

  test("pauses, resumes, cancels and deletes an import", async () => {
    const emails = addContacts(300, "many");
    const uploaded = await upload(`Name,Email\n${emails.map((email) => `x,${email}`).join("\n")}`, "Many");
    const path = new URL(uploaded.location ?? "").pathname;
    await press(path, "setup", { ...setUp(), then: "save" });
    expect((await press(path, "start")).status).toBe(303);
    await press(path, "pause");
    await pageThat(path, "Paused</span>");
    expect((await press(path, "resume")).location).toBe(app.publicUrl + path);
    await press(path, "cancel");
    const ended = await pageThat(path, "Canceled</span>");
    expect(ended).toContain("Delete this import");
    expect((await press(path, "pause")).status).toBe(303);
    expect((await admin.get(path)).text).toContain("the import has already moved on.");
    await admin.post(`${path}/delete`, { form_token: hiddenField(ended, "form_token") });
    expect((await admin.get(path)).status).toBe(404);
    expect((await admin.get(PAGE)).text).not.toContain(">Many<");
  });

  test("is told of another admin's choice instead of starting by it", async () => {
    const uploaded = await upload("Name,Email\nx,a@lead.example\n", "Shared");
    const path = new URL(uploaded.location ?? "").pathname;
    await press(path, "setup", { ...setUp(), then: "save" });
    const version = hiddenField((await admin.get(path)).text, "version");
    const other = adminOf(BigInt(portal.portalId), { userEmail: "other@acme.example" });
    const id = BigInt(path.split("/").at(-1) ?? "");
    await setUpImport(app.db.database.pool, other, { id, mapping: { email: "Name" } });
    const saved = await press(path, "setup", { ...setUp(), column_reference: "0", then: "save", version });
    expect([saved.status, saved.text.includes("Column of the email address")]).toEqual([409, true]);
    const started = await press(path, "dry-run", { version });
    expect(started.status).toBe(303);
    const { text } = await admin.get(path);
    expect(text).toContain("another admin changed the setup");
    expect(text).toContain("Needs setup");
  });

  test("reads what is wrong with a file, also one of which the first row is too long", async () => {
    const long = `Email\n${"x".repeat(20_000)}\n${"a@lead.example\n".repeat(400_000)}`;
    for (const [file, status, said] of [
      ["", 422, "The file is empty."],
      ["Email\n", 422, "no rows below its header"],
      [long, 413, "is longer than 16 KiB"],
    ] as const) {
      const answer = await upload(file, "Kept name");
      expect([answer.status, answer.text.includes(said)]).toEqual([status, true]);
      expect(answer.text).toContain('value="Kept name"');
    }
    const { rows } = await app.db.database.pool.query("SELECT FROM imports WHERE state = 'UPLOADING'");
    expect(rows).toEqual([]);
  });

  test("reads Close by its key, maps its sequences, sees who is not in HubSpot, and enrolls the others", async () => {
    portal.addContact({
      properties: { email: "moved@lead.example", hubspot_owner_id: [...portal.owners.keys()][0] ?? "" },
    });
    const read = async (key: string) => {
      const form_token = hiddenField((await admin.get(PAGE)).text, "form_token");
      return admin.post(`${PAGE}/close`, { form_token, close_key: key, close_name: "Moving over" });
    };
    const wrong = await read("");
    expect([wrong.status, wrong.text.includes("Moving over")]).toEqual([422, true]);
    // Close is away for a moment: meanwhile the key is kept, and cannot be read where it is kept.
    close.answers.push({ status: 503, headers: { "Retry-After": "0.3" } });
    const made = await read(CLOSE_KEY);
    expect(made.status).toBe(303);
    const path = new URL(made.location ?? "").pathname;
    const sealed = async () => {
      const { rows } = await app.db.database.pool.query<{ key: string | null }>(
        "SELECT source_key AS key FROM imports WHERE source = 'CLOSE' ORDER BY id DESC LIMIT 1",
      );
      return rows[0]?.key;
    };
    const kept = await sealed();
    expect(kept).not.toContain(CLOSE_KEY);
    expect(kept).toEqual(expect.any(String));
    const shown = await pageThat(path, "Status in Close");
    expect(await sealed()).toBeNull();
    expect(shown).toContain("Welcome &lt;b>");
    expect(shown).toContain("ada@close.example");
    expect(shown).not.toContain(CLOSE_KEY);
    const choices = { ...setUp(), close_status: "active", close_sequence_0: sequenceId() };
    const incomplete = await press(path, "setup", { ...choices, close_sequence_0: "", then: "dry-run" });
    expect(incomplete.status).toBe(422);
    expect((await press(path, "setup", { ...choices, then: "dry-run" })).status).toBe(303);
    const tried = await pageThat(path, "What would happen to 2 rows");
    expect(figuresOf(tried)).toMatchObject({ "Would be enrolled": "1", "Would not be enrolled": "1" });
    expect(tried).toContain("CONTACT_NOT_FOUND");
    const before = portal.enrollments.total;
    await press(path, "start");
    await pageThat(path, "Done</span>");
    expect(portal.enrollments.total).toBe(before + 1);
    expect(app.logLines.some((line) => JSON.stringify(line).includes(CLOSE_KEY))).toBe(false);
  });
});
