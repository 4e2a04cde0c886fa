import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

let stage: UnenrollStage;
let api: ApiClient;

beforeAll(async () => {
  stage = await startUnenrollStage();
  const key = await giveKey(stage.running.db.database, stage.portal.portalId, { name: "Nightly" });
  api = createApiClient(stage.running.publicUrl, key);
});

afterAll(() => stage.close());

const pool = () => stage.running.db.database.pool;
const ask = (contactId: string, headers = {}) =>
  api.post(`/api/v1/contacts/${contactId}/unenroll`, undefined, headers);

async function ended(id: string) {
  let body: unknown;
  await stage.until(async () => {
    ({ body } = await api.get(`/api/v1/unenrollments/${id}`));
    return (body as { status: string }).status !== "PENDING";
  }, "the end of the unenrollment");
  return body;
}

async function pause(isPaused: boolean): Promise<void> {
  const page = await stage.browser.get("/settings/danger");
  const form_token = hiddenField(page.text, "form_token");
  await stage.browser.post(`/settings/danger/${isPaused ? "pause" : "resume"}`, { form_token });
}

describe("the API", () => {
  test("refuses while the account has not switched unenrolling on, and says where that is done", async () => {
    const answer = await ask(stage.enrolledContact());
    expect([answer.status, answer.body]).toEqual([
      409,
      expect.objectContaining({
        code: "NOT_SUPPORTED",
        detail: expect.stringContaining("Settings → Unenroll"),
      }),
    ]);
    await stage.switchOn();
  });

  test("takes a contact out of its sequence, and notes which key asked for it", async () => {
    const contactId = stage.enrolledContact();
    const { status, headers, body } = await ask(contactId);
    expect([status, body]).toEqual([
      202,
      { id: expect.any(String), contactId, status: "PENDING", reason: null },
    ]);
    expect(headers.get("location")).toBe(`/api/v1/unenrollments/${body.id}`);
    expect(await ended(body.id)).toEqual({ id: body.id, contactId, status: "UNENROLLED", reason: null });
    expect(stage.portal.enrollments.activeOf(contactId)).toBeUndefined();
    expect(stage.isStamped(contactId)).toBe(false);
    const { rows } = await pool().query(
      "SELECT user_email, action FROM audit_entries WHERE subject_name = $1",
      [`execution ${body.id}`],
    );
    expect(rows).toEqual([{ user_email: "API key “Nightly”", action: "ASKED_TO_UNENROLL" }]);
  });

  test("finds the open request when it is asked again, and answers an Idempotency-Key as before", async () => {
    await pause(true);
    const contactId = stage.enrolledContact();
    const key = { "Idempotency-Key": "once" };
    const answers = await Promise.all([ask(contactId), ask(contactId), ask(contactId)]);
    const ids = new Set(answers.map(({ body }) => body.id));
    expect([answers.map(({ status }) => status), ids.size]).toEqual([[202, 202, 202], 1]);
    const first = await ask(contactId, key);
    await pause(false);
    expect(await ended(first.body.id)).toMatchObject({ status: "UNENROLLED" });
    const again = await ask(contactId, key);
    expect([again.body, again.headers.get("idempotent-replayed")]).toEqual([first.body, "true"]);
    // Without the key it is a new request: the old one is over.
    expect((await ask(contactId)).body.id).not.toBe(first.body.id);
  });

  test("says when a contact is in no sequence, or HubSpot does not know it", async () => {
    const { id } = stage.portal.addContact();
    expect(await ended((await ask(id)).body.id)).toMatchObject({ status: "NOT_ENROLLED", reason: null });
    expect(await ended((await ask("99999999")).body.id)).toMatchObject({
      status: "NOT_ENROLLED",
      reason: { code: "CONTACT_NOT_FOUND", message: expect.any(String) },
    });
  });

  test("says when an admin canceled it, which leaves the contact where it is, without a stamp", async () => {
    await pause(true);
    const contactId = stage.enrolledContact();
    const { id } = (await ask(contactId)).body;
    await stage.until(
      async () => (await api.get(`/api/v1/unenrollments/${id}`)).status === 200,
      "the request",
    );
    const { text } = await stage.browser.get(`/settings/activity/${id}`);
    await stage.until(async () => {
      await stage.browser.post(`/settings/activity/${id}/cancel`, {
        form_token: hiddenField(text, "form_token"),
      });
      const { rows } = await pool().query(
        "SELECT FROM executions WHERE id = $1 AND error_code = 'CANCELLED'",
        [id],
      );
      return rows.length === 1;
    }, "the cancel");
    await pause(false);
    expect(await ended(id)).toMatchObject({ status: "TIMED_OUT", reason: { code: "CANCELLED" } });
    await stage.until(async () => {
      const { rows } = await pool().query("SELECT FROM unenrollments WHERE state <> 'DONE'");
      return rows.length === 0;
    }, "the end of all unenrollments");
    expect(stage.portal.enrollments.activeOf(contactId)).toBeDefined();
    expect(stage.isStamped(contactId)).toBe(false);
  });
});

describe("the story of a contact whom we enrolled", () => {
  const visible = (page: string): string => page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  const latestOf = async (contactId: string): Promise<string> => {
    const { rows } = await pool().query<{ id: string }>(
      "SELECT max(id)::text AS id FROM executions WHERE contact_id = $1",
      [contactId],
    );
    return rows[0]?.id ?? "";
  };

  test("offers to unenroll, asks before, and tells how it came out", async () => {
    const { id: contactId } = stage.portal.addContact();
    expect(await stage.outputsOf(stage.enroll([contactId]))).toMatchObject({ enrollment_status: "ENROLLED" });
    const enrolled = await latestOf(contactId);
    const story = await stage.browser.get(`/settings/activity/${enrolled}`);
    const path = `/settings/unenroll/contact/${enrolled}`;
    expect(story.text).toContain(`href="${path}"`);
    const question = await stage.browser.get(path);
    expect(visible(question.text)).toMatch(/since .* ends the sequence for the contact/);
    expect(stage.portal.enrollments.activeOf(contactId)).toBeDefined();
    const form_token = hiddenField(question.text, "form_token");
    const done = await stage.browser.post(path, { form_token });
    const asked = await latestOf(contactId);
    expect(done.location).toMatch(new RegExp(`/settings/activity/${asked}\\?done=unenroll$`));
    expect(await ended(asked)).toMatchObject({ status: "UNENROLLED" });
    const told = visible((await stage.browser.get(`/settings/activity/${asked}`)).text);
    expect(told).toMatch(/Asked for .* By \S+@\S+ : “Unenroll from sequence”/);
    expect(told).toMatch(/Helper workflow started .* Out of its sequence .* is not in .* anymore\./);
    expect(told).toMatch(/No workflow is waiting for it\./);
  });

  test("offers it no more once the contact is out, and does nothing for a form that was left open", async () => {
    const { id: contactId } = stage.portal.addContact();
    await stage.outputsOf(stage.enroll([contactId]));
    const enrolled = await latestOf(contactId);
    const path = `/settings/unenroll/contact/${enrolled}`;
    const form_token = hiddenField((await stage.browser.get(path)).text, "form_token");
    await stage.browser.post(path, { form_token });
    await ended(await latestOf(contactId));
    const before = await latestOf(contactId);
    expect((await stage.browser.post(path, { form_token })).location).toMatch(new RegExp(`${path}$`));
    expect(await latestOf(contactId)).toBe(before);
    expect((await stage.browser.get(`/settings/activity/${enrolled}`)).text).not.toContain(path);
    expect((await stage.browser.get(path)).text).toContain("We don't know of a sequence this contact is in.");
  });
});
