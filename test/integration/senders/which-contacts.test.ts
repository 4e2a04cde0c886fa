import { beforeAll, describe, expect, test } from "@jest/globals";
import { Stage, redeliver, usePolicyStage } from "../../support/policy-stage.js";

usePolicyStage();

describe("which contacts are enrolled", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  test("one that opted out ends as UNSUBSCRIBED before a call is spent on it", async () => {
    const contactId = stage.contactOf(stage.user(0), { hs_email_optout: "true" });
    expect(await stage.enroll(contactId)).toMatchObject({
      enrollment_status: "FAILED",
      error_code: "UNSUBSCRIBED",
    });
    expect(stage.posts(contactId)).toBe(0);
  });

  test("a suppressed domain or property skips the contact", async () => {
    await stage.preset({
      suppression: {
        domains: ["rival.example"],
        property: { name: "lifecyclestage", values: ["Customer"] },
      },
    });
    const rival = stage.contactOf(stage.user(0), { email: "x@mail.rival.example" });
    const customer = stage.contactOf(stage.user(0), { lifecyclestage: "customer" });
    const other = stage.contactOf(stage.user(0), { lifecyclestage: "lead" });
    const blocked = { enrollment_status: "SKIPPED", error_code: "BLOCKED" };
    expect(await stage.enroll(rival)).toMatchObject(blocked);
    expect(await stage.enroll(customer)).toMatchObject(blocked);
    expect(await stage.enroll(other)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect([rival, customer].map((contactId) => stage.posts(contactId))).toEqual([0, 0]);
    await stage.preset({});
  });

  test("a cooldown counts from the contact's properties and from our own history", async () => {
    const cooling = { enrollment_status: "SKIPPED", error_code: "COOLDOWN_ACTIVE" };
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    const byProperty = stage.contactOf(stage.user(0), {
      hs_latest_sequence_enrolled: stage.sequenceIds[0] ?? "",
      hs_latest_sequence_enrolled_date: daysAgo(5),
    });
    expect(await stage.enroll(byProperty, { cooldown_days: "7" })).toMatchObject(cooling);
    expect(await stage.enroll(byProperty, { cooldown_days: "4" })).toMatchObject({
      enrollment_status: "ENROLLED",
    });

    const byHistory = stage.contactOf(stage.user(0));
    await stage.enroll(byHistory);
    stage.portal.endEnrollment(byHistory, "finished");
    const contact = stage.portal.contacts.get(byHistory);
    Object.assign(contact?.properties ?? {}, {
      hs_latest_sequence_enrolled: null,
      hs_latest_sequence_enrolled_date: null,
    });
    expect(await stage.enroll(byHistory, { cooldown_days: "1" })).toMatchObject(cooling);
    const another = { sequence_id: stage.sequenceIds[1] ?? "", cooldown_days: "1" };
    expect(await stage.enroll(byHistory, another)).toMatchObject(cooling);
    await stage.preset({ cooldown: { days: 0, scope: "sequence" } });
    expect(await stage.enroll(byHistory, another)).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(stage.posts(byHistory)).toBe(2);
    await stage.preset({});
  });

  test("a cooldown leaves it to “if already enrolled” what happens to a contact that is in a sequence", async () => {
    const inSequence = stage.contactOf(stage.user(0));
    stage.portal.enrollInUi(inSequence, { sequenceId: stage.sequenceIds[1] ?? "", agoMs: 3_600_000 });
    expect(await stage.enroll(inSequence, { cooldown_days: "30" })).toMatchObject({
      hs_execution_state: "SUCCESS",
      enrollment_status: "ALREADY_ENROLLED",
    });
    const fail = { cooldown_days: "30", if_already_enrolled: "fail" };
    expect(await stage.enroll(inSequence, fail)).toMatchObject({ error_code: "ALREADY_ENROLLED" });
    expect(stage.posts(inSequence)).toBe(0);
    stage.portal.endEnrollment(inSequence, "finished");
    expect(await stage.enroll(inSequence, { cooldown_days: "30" })).toMatchObject({
      error_code: "COOLDOWN_ACTIVE",
    });
  });

  test("“not before” holds the contact for its wait and a margin, the same at every delivery, and enrolls it then", async () => {
    const contactId = stage.contactOf(stage.user(0));
    const notBefore = new Date(Date.now() + 10.5 * 86_400_000).toISOString();
    const run = stage.run([contactId], { not_before: notBefore });
    await run.answered;
    const answer = run.executionOf(contactId).attempts[0]?.body ?? "";
    expect(answer).toContain('"P18D"');
    expect((await stage.waiting(contactId)).due_in_s / 86_400).toBeCloseTo(10.5, 1);
    const [row] = await stage.query<{ days: number }>(
      `SELECT extract(epoch FROM deadline_at - now())::float8 / 86400 AS days FROM executions WHERE portal_id = $1 AND contact_id = $2`,
      [contactId],
    );
    // The wait, and the six days that every contact has.
    expect(row?.days).toBeCloseTo(16.5, 1);
    // A reinstall makes waiting work due: the time is looked at again.
    await stage.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND contact_id = $2`,
      [contactId],
    );
    expect((await stage.waiting(contactId)).due_in_s / 86_400).toBeCloseTo(10.5, 1);
    await stage.settings({ maxHoldDays: 8 });
    expect(await redeliver(run, contactId)).toBe(answer);
    await stage.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond', request = request || '{"notBefore": "2020-01-01T00:00:00.000Z"}'
        WHERE portal_id = $1 AND contact_id = $2`,
      [contactId],
    );
    await run.finished;
    expect(run.executionOf(contactId).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  test("a longer hold than the settings allow is refused at once, at every delivery", async () => {
    await stage.settings({ maxHoldDays: 12 });
    const contactId = stage.contactOf(stage.user(0));
    const run = stage.run([contactId], { not_before: "2099-01-01" });
    await run.finished;
    const { outputs } = run.executionOf(contactId);
    expect(outputs).toMatchObject({ error_code: "INVALID_INPUT" });
    expect(outputs["error_message"]).toContain("Longest hold");
    const answer = run.executionOf(contactId).attempts[0]?.body ?? "";
    await stage.settings({ maxHoldDays: 100_000 });
    expect(await redeliver(run, contactId)).toBe(answer);
  });

  test("a step that waits for the current sequence's end asks for the longest hold", async () => {
    await stage.settings({ maxHoldDays: 45 });
    const contactId = stage.contactOf(stage.user(0));
    const run = stage.run([contactId], { if_already_enrolled: "wait" });
    await run.finished;
    expect(run.executionOf(contactId).attempts[0]?.body).toContain('"P45D"');
    const again = stage.run([contactId], { if_already_enrolled: "wait" });
    await again.answered;
    for (;;) {
      const rows = await stage.query(
        `SELECT FROM executions WHERE portal_id = $1 AND contact_id = $2 AND state = 'WATCHING' AND epoch IS NULL`,
        [contactId],
      );
      if (rows.length === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  test.each([
    ["rotation_id", { sender_mode: "rotation" }, "rotation"],
    ["preset_id", { preset_id: "none" }, "preset"],
    ["cooldown_days", { cooldown_days: "soon" }, "Cooldown"],
    ["not_before", { not_before: "tomorrow" }, "Enroll on or after"],
  ])("a wrong %s is told in a sentence that names the field", async (_field, inputs, word) => {
    const outputs = await stage.enroll(stage.contactOf(stage.user(0)), inputs);
    expect(outputs).toMatchObject({ error_code: "INVALID_INPUT" });
    expect(outputs["error_message"]).toContain(word);
  });

  test("while the portal is paused nothing is enrolled, and its work goes on when it is resumed", async () => {
    await stage.settings({ pausedAt: new Date() });
    const contactId = stage.contactOf(stage.user(0));
    const run = stage.run([contactId]);
    await run.answered;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(stage.posts(contactId)).toBe(0);
    await stage.settings({ pausedAt: null });
    await run.finished;
    expect(run.executionOf(contactId).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  test("a paused contact past its deadline ends as PORTAL_PAUSED", async () => {
    await stage.settings({ pausedAt: new Date() });
    const contactId = stage.contactOf(stage.user(0));
    const run = stage.run([contactId]);
    await run.answered;
    await stage.query(`UPDATE executions SET deadline_at = now() WHERE portal_id = $1 AND contact_id = $2`, [
      contactId,
    ]);
    await run.finished;
    expect(run.executionOf(contactId).outputs).toMatchObject({ error_code: "PORTAL_PAUSED" });
    expect(stage.posts(contactId)).toBe(0);
    await stage.settings({ pausedAt: null });
  });
});
