import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { adminOf } from "../../support/actors.js";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { hiddenField } from "../../support/browser.js";
import { startUnenrollStage, type UnenrollStage } from "../../support/unenroll-stage.js";

const REPLACE = { if_already_enrolled: "replace" };
/** Long enough for a test to step in while the helper workflow is at work. */
const HELPER_MS = 400;

let stage: UnenrollStage;
let [oldSequence, newSequence] = ["", ""];

beforeAll(async () => {
  stage = await startUnenrollStage({ simulator: { flowDelayMs: HELPER_MS } });
  [oldSequence = "", newSequence = ""] = stage.sequenceIds;
});

afterAll(() => stage.close());

const pool = () => stage.running.db.database.pool;
const sequenceOf = (contactId: string) => stage.portal.enrollments.activeOf(contactId)?.sequenceId;
const visible = (page: string): string => page.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");

async function executionOf(contactId: string): Promise<string> {
  const { rows } = await pool().query<{ id: string }>("SELECT id FROM executions WHERE contact_id = $1", [
    contactId,
  ]);
  return rows[0]?.id ?? "";
}

const storyOf = async (contactId: string): Promise<string> =>
  visible((await stage.browser.get(`/settings/activity/${await executionOf(contactId)}`)).text);

/** What the page “Try it” answers for a contact and a step that replaces. */
async function tryIt(contact: string, sequence_id = newSequence): Promise<string> {
  const form_token = hiddenField((await stage.browser.get("/settings/try")).text, "form_token");
  const step = { contact, sequence_id, sender_mode: "contact_owner", ...REPLACE };
  return visible((await stage.browser.post("/settings/try", { form_token, ...step })).text);
}

async function post(path: string): Promise<void> {
  const form_token = hiddenField((await stage.browser.get("/settings/danger")).text, "form_token");
  await stage.browser.post(path, { form_token });
}

/** A step that replaces, as soon as the helper workflow was started for its contact. */
async function beingMoved() {
  const contactId = stage.enrolledContact(oldSequence);
  const run = stage.enroll([contactId], REPLACE);
  await stage.until(() => stage.isStamped(contactId), "the stamp");
  return { contactId, run };
}

describe("in an account that has not set unenrolling up", () => {
  test("a step that replaces leaves the contact where it is, and says what to do", async () => {
    const contactId = stage.enrolledContact(oldSequence);
    expect(await tryIt(contactId)).toMatch(
      /would stay there. The action would be marked as failed.*Settings → Unenroll/,
    );
    expect(await stage.outputsOf(stage.enroll([contactId], REPLACE))).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      enrollment_status: "ALREADY_ENROLLED",
      error_code: "ALREADY_ENROLLED",
      error_message: expect.stringContaining("An admin can turn it on under Settings → Unenroll"),
    });
    expect(sequenceOf(contactId)).toBe(oldSequence);
  });

  test("neither the API nor a preset takes it", async () => {
    const key = await giveKey(stage.running.db.database, stage.portal.portalId);
    const api = createApiClient(stage.running.publicUrl, key);
    const asked = { contact: { id: "1" }, sequence: { id: newSequence }, ifAlreadyEnrolled: "replace" };
    const answer = await api.post("/api/v1/enrollments", asked);
    expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
      ...[409, "NOT_SUPPORTED", "/ifAlreadyEnrolled"],
    ]);
    const draft = { name: "Replaces", policy: { ...INITIAL_POLICY, ifAlreadyEnrolled: "replace" as const } };
    const admin = adminOf(stage.portal.portalId);
    const saved = await savePreset(stage.running.db.database, admin, { draft, saved: undefined });
    expect(saved).toEqual({ kind: "cannot-replace" });
    expect((await stage.browser.get("/settings/presets/new")).text).not.toContain('value="replace"');
  });
});

describe("in an account that has set unenrolling up", () => {
  beforeAll(() => stage.switchOn());

  let entries = 0;
  beforeEach(() => {
    entries = stage.portal.flowEntries.length;
  });

  test("a step that replaces takes the contact out of its sequence and enrolls it in its own, once", async () => {
    const contactId = stage.enrolledContact(oldSequence);
    expect(await tryIt(contactId)).toMatch(/The action would take the contact out, .* then enroll/);
    expect(await stage.outputsOf(stage.enroll([contactId], REPLACE))).toMatchObject({
      hs_execution_state: "SUCCESS",
      enrollment_status: "ENROLLED",
      sequence_id: newSequence,
      error_code: "",
    });
    const all = stage.portal.enrollments.of(contactId);
    expect(all.map(({ sequenceId, ended }) => [sequenceId, ended])).toEqual([
      [oldSequence, "unenrolled"],
      [newSequence, undefined],
    ]);
    expect(stage.isStamped(contactId)).toBe(false);
    expect(await storyOf(contactId)).toMatch(
      /which this enrollment replaces.*Helper workflow started.*Out of its sequence.*Enrolled/,
    );
  });

  test("the API takes it, and a preset offers it", async () => {
    const contactId = stage.enrolledContact(oldSequence);
    const key = await giveKey(stage.running.db.database, stage.portal.portalId);
    const api = createApiClient(stage.running.publicUrl, key);
    const { email } = [...stage.portal.users.values()][0] ?? { email: "" };
    const asked = {
      contact: { id: contactId },
      sequence: { id: newSequence },
      sender: { mode: "specific_user", email },
      ifAlreadyEnrolled: "replace",
    };
    const { status, body } = await api.post("/api/v1/enrollments?wait=30", asked);
    expect([status, body.status, body.sequence.id]).toEqual([200, "ENROLLED", newSequence]);
    expect((await stage.browser.get("/settings/presets/new")).text).toContain('value="replace"');
  });

  test("a contact in the very sequence is left in it, as a success, without a helper workflow", async () => {
    const contactId = stage.enrolledContact(newSequence);
    expect(await tryIt(contactId)).toContain("There is nothing to replace");
    expect(await stage.outputsOf(stage.enroll([contactId], REPLACE))).toMatchObject({
      hs_execution_state: "SUCCESS",
      enrollment_status: "ALREADY_ENROLLED",
    });
    expect([sequenceOf(contactId), stage.portal.flowEntries.length]).toEqual([newSequence, entries]);
  });

  test("a contact in its cooldown stays where it is", async () => {
    const contactId = stage.enrolledContact(oldSequence);
    const run = stage.enroll([contactId], { ...REPLACE, cooldown_days: "30" });
    expect(await stage.outputsOf(run)).toMatchObject({
      enrollment_status: "SKIPPED",
      error_code: "COOLDOWN_ACTIVE",
    });
    expect([sequenceOf(contactId), stage.portal.flowEntries.length]).toEqual([oldSequence, entries]);
  });

  test("a contact that cannot be enrolled after it left is said to be in no sequence, with the cause", async () => {
    const { contactId, run } = await beingMoved();
    Object.assign(stage.portal.contacts.get(contactId) ?? {}, { suppression: "bounced" });
    expect(await stage.outputsOf(run)).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      enrollment_status: "FAILED",
      error_code: "REPLACE_INCOMPLETE",
      error_message: expect.stringMatching(/may be in no sequence now\..*bounced/),
    });
    expect(sequenceOf(contactId)).toBeUndefined();
    expect(await storyOf(contactId)).toMatch(/may be in no sequence now.*Out of its sequence/);
  });

  test("a cancel during the move ends it, leaves no stamp and tells where the contact may be", async () => {
    const { contactId, run } = await beingMoved();
    const id = await executionOf(contactId);
    await post(`/settings/activity/${id}/cancel`);
    expect(await stage.outputsOf(run)).toMatchObject({
      error_code: "REPLACE_INCOMPLETE",
      error_message: expect.stringContaining("An admin canceled"),
    });
    await stage.until(() => !stage.isStamped(contactId), "the emptied property");
    expect(sequenceOf(contactId)).not.toBe(newSequence);
  });

  test("a deadline that passes during the move ends it, leaves no stamp and tells where the contact may be", async () => {
    const { contactId, run } = await beingMoved();
    await pool().query("UPDATE executions SET deadline_at = now() WHERE contact_id = $1", [contactId]);
    expect(await stage.outputsOf(run)).toMatchObject({
      hs_execution_state: "FAIL_CONTINUE",
      error_code: "REPLACE_INCOMPLETE",
      error_message: expect.stringMatching(/may be in no sequence now/),
    });
    await stage.until(() => !stage.isStamped(contactId), "the emptied property");
    expect(stage.portal.enrollments.of(contactId)).toHaveLength(1);
    expect(await storyOf(contactId)).toMatch(/may be in no sequence now/);
  });

  test("a pause during the move lets the contact out, tells so, and enrolls it after the resume", async () => {
    const { contactId, run } = await beingMoved();
    await post("/settings/danger/pause");
    await stage.until(async () => {
      const { rows } = await pool().query<{ state: string }>(
        "SELECT state FROM executions WHERE contact_id = $1",
        [contactId],
      );
      return rows[0]?.state === "QUEUED";
    }, "the return to the line");
    expect(sequenceOf(contactId)).toBeUndefined();
    expect(await storyOf(contactId)).toContain("The contact is in no sequence meanwhile.");
    await post("/settings/danger/resume");
    expect(await stage.outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(sequenceOf(contactId)).toBe(newSequence);
  });

  test("a disconnect during the move ends nothing: it goes on when the account is connected again", async () => {
    const { contactId, run } = await beingMoved();
    await pool().query("UPDATE portals SET status = 'DISCONNECTED'");
    await stage.until(() => sequenceOf(contactId) === undefined, "the helper workflow");
    expect(stage.isStamped(contactId)).toBe(true);
    await stage.running.install(stage.portal, "unenroll");
    expect(await stage.outputsOf(run)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect([sequenceOf(contactId), stage.isStamped(contactId)]).toEqual([newSequence, false]);
  });
});
