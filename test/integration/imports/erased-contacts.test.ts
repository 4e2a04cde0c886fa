import { describe, expect, test } from "@jest/globals";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { until } from "../../support/authorizing.js";
import {
  addContacts,
  api,
  app,
  defaults,
  portal,
  reach,
  upload,
  useImportsStage,
} from "../../support/imports-stage.js";

useImportsStage();

const idOf = (email: string): string =>
  [...portal.contacts.values()].find(({ properties }) => properties["email"] === email)?.id ?? "";

/** HubSpot deletes a contact for privacy, and tells us. Resolves once every row of a file that may be of it was looked at. */
async function erase(email: string): Promise<void> {
  const contactId = idOf(email);
  const { pool } = app.db.database;
  portal.deleteContact(contactId);
  await applyContactChanges(pool, [{ kind: "erased", portalId: BigInt(portal.portalId), contactId }]);
  await until(async () => {
    const { rowCount } = await pool.query("SELECT FROM imports WHERE forget_after IS NOT NULL");
    return rowCount === 0;
  }, "rows are still looked at");
}

async function uploadWithDefaults(text: string): Promise<string> {
  const { body } = await upload(text);
  await api.ask("PATCH", `/api/v1/imports/${body.id}`, { body: { defaults: defaults() } });
  return body.id as string;
}

async function end(id: string, verb: "dry-run" | "start"): Promise<void> {
  await api.post(`/api/v1/imports/${id}/${verb}`);
  await reach(id, verb === "start" ? "DONE" : "CHECKED");
}

const resultsOf = async (id: string) =>
  (await api.get(`/api/v1/imports/${id}/results.csv`)).text.toLowerCase();

describe("a privacy deletion takes out of a file the rows of its contact alone:", () => {
  test.each(["dry-run", "start"] as const)(
    "after a %s, a row that HubSpot never knew stays as it is",
    async (verb) => {
      const [email = ""] = addContacts(1, `erased-${verb}`);
      const id = await uploadWithDefaults(`Email,Note\n${email},secret words\nother@lead.example,kept\n`);
      await end(id, verb);
      const { counts } = (await api.get(`/api/v1/imports/${id}`)).body;
      await erase(email);
      const results = await resultsOf(id);
      expect(results).not.toMatch(/secret words|erased-/);
      expect(results).toContain("other@lead.example,kept,");
      expect((await api.get(`/api/v1/imports/${id}`)).body.counts).toEqual(counts);
    },
  );

  test("another file that names the contact by address, and was never tried, loses that row", async () => {
    const [email = "", stays = ""] = addContacts(2, "twice");
    await end(await uploadWithDefaults(`Email\n${email}\n`), "start");
    const other = await uploadWithDefaults(
      `Email,Note\n${email.toUpperCase()},secret words\n${stays},kept\n`,
    );
    await erase(email);
    const results = await resultsOf(other);
    expect(results).not.toMatch(/secret words|twice0/);
    expect(results).toContain(`${stays},kept,`);
  });

  test("what was never tried keeps nothing of a contact that it names by address alone", async () => {
    const [kept = "", gone = ""] = addContacts(2, "unnamed");
    const id = await uploadWithDefaults(
      `Email,Note\n${kept},of one who stays\n${gone.toUpperCase()},secret words\n`,
    );
    await erase(gone);
    const left = await resultsOf(id);
    expect(left).not.toMatch(/secret words/);
    expect(left).not.toContain(gone);
    expect(left).toContain(`${kept},of one who stays,`);
    expect((await api.get(`/api/v1/imports/${id}`)).body.counts).toMatchObject({ rows: 2, failed: 1 });
  });
});

test("an enrollment that was asked for by an address before HubSpot knew it is erased with the contact, and no other", async () => {
  const ask = async (email: string) =>
    (await api.post("/api/v1/enrollments?wait=20", { ...defaults(), contact: { email } })).body;
  const [early, other] = [await ask("later0@lead.example"), await ask("stranger@lead.example")];
  expect([early.reason.code, other.reason.code]).toEqual(["CONTACT_NOT_FOUND", "CONTACT_NOT_FOUND"]);
  const [email = ""] = addContacts(1, "later");
  expect((await ask(email)).status).toBe("ENROLLED");
  await erase(email);
  const now = async (id: string) => (await api.get(`/api/v1/enrollments/${id}`)).body.contact;
  expect(await now(early.id as string)).toEqual({ id: null, email: null });
  expect(await now(other.id as string)).toEqual({ id: null, email: "stranger@lead.example" });
});
