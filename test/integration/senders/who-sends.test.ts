import { beforeAll, describe, expect, test } from "@jest/globals";
import { createDirectory } from "#domain/directory/directory.js";
import { wakeWaiters } from "#domain/executions/resume.js";
import { toTheEnd } from "#domain/executions/slices.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import { explainChoice } from "#domain/senders/explain-choice.js";
import { readPortalPolicy } from "#domain/senders/portal-policy.js";
import { createBreather } from "#platform/time/breather.js";
import { Openings } from "#domain/senders/windows/openings.js";
import { running, Stage, waitForNobody, usePolicyStage } from "../../support/policy-stage.js";

usePolicyStage();

describe("who sends", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  test("a sender the admin does not allow is passed over, and the default sender takes the contact", async () => {
    const [owner, colleague] = [stage.user(0), stage.user(1)];
    await stage.sender(owner, { isAllowed: false });
    const refused = await stage.enroll(stage.contactOf(owner));
    expect(refused).toMatchObject({ enrollment_status: "FAILED", error_code: "SENDER_NOT_ALLOWED" });
    await stage.settings({ defaultSenderUserId: BigInt(colleague.userId) });
    await stage.preset({ fallback: { rotationId: null, toDefaultSender: true, whenNobody: "wait" } });
    const contactId = stage.contactOf(owner);
    expect(await stage.enroll(contactId)).toMatchObject({
      enrollment_status: "ENROLLED",
      sender_email: colleague.email,
    });
    expect(await stage.choiceOf(contactId)).toMatchObject({
      chosen: { userId: String(colleague.userId), via: "default_sender" },
      passedOver: [{ userId: String(owner.userId), via: "contact_owner", code: "SENDER_NOT_ALLOWED" }],
    });
    await stage.sender(owner, { isAllowed: null });
  });

  test("with a list of senders, whoever is not on it may not send", async () => {
    await stage.preset({});
    await stage.settings({ onlyListedSenders: true });
    await stage.sender(stage.user(1), { isAllowed: true });
    expect(await stage.enroll(stage.contactOf(stage.user(2)))).toMatchObject({
      error_code: "SENDER_NOT_ALLOWED",
    });
    expect(await stage.enroll(stage.contactOf(stage.user(1)))).toMatchObject({
      enrollment_status: "ENROLLED",
    });
    await stage.settings({ onlyListedSenders: false });
  });

  test("the inbox's own address and alias are sent, where the admin entered them", async () => {
    const user = stage.user(2);
    user.inboxAddress = "other@mail.acme.example";
    user.aliases.push("alias@mail.acme.example");
    await stage.sender(user, {
      sendAsEmail: "other@mail.acme.example",
      senderAlias: "alias@mail.acme.example",
    });
    const contactId = stage.contactOf(user);
    expect(await stage.enroll(contactId)).toMatchObject({ sender_email: "other@mail.acme.example" });
    expect(stage.portal.enrollments.latestOf(contactId)).toMatchObject({
      senderEmail: "other@mail.acme.example",
      senderAliasAddress: "alias@mail.acme.example",
    });
  });

  test("another user property of the contact names the sender, read from HubSpot where the call lacks it", async () => {
    const user = stage.user(3);
    const presetId = await stage.preset(
      { sender: { mode: "contact_property", property: "account_manager" } },
      false,
    );
    const inputs = { sender_mode: "portal_default", preset_id: presetId };
    const { ownerId } = stage.portal.ownerOfUser(user.userId);
    const managed = stage.contactOf(stage.user(1), { account_manager: ownerId });
    expect(await stage.enroll(managed, inputs)).toMatchObject({ sender_email: user.email });
    const unmanaged = stage.contactOf(stage.user(1), { account_manager: null });
    expect(await stage.enroll(unmanaged, inputs)).toMatchObject({ error_code: "OWNER_MISSING" });
  });

  test("a sender without an inbox is found out once, marked, told of in an alert, and passed over without a call", async () => {
    const [broken, next] = [stage.user(0), stage.user(1)];
    broken.hasConnectedInbox = false;
    const rotationId = await stage.rotation([next]);
    await stage.preset({ fallback: { rotationId, toDefaultSender: false, whenNobody: "wait" } });
    const contacts = [0, 1, 2].map(() => stage.contactOf(broken));
    for (const contactId of contacts) {
      expect(await stage.enroll(contactId)).toMatchObject({
        enrollment_status: "ENROLLED",
        sender_email: next.email,
      });
    }
    expect(contacts.map((contactId) => stage.posts(contactId))).toEqual([2, 1, 1]);
    expect(await stage.senderRow(broken)).toMatchObject({ refusedCode: "INBOX_NOT_CONNECTED" });
    const alerts = await stage.query<{ message: string; channel: string }>(
      `SELECT message, channel FROM alerts WHERE portal_id = $1 AND kind = 'SENDER_REFUSED' ORDER BY channel`,
    );
    expect(alerts.map(({ channel }) => channel)).toEqual(["EMAIL", "WEBHOOK"]);
    expect(alerts[0]?.message).toContain(broken.email);
    expect((await stage.choiceOf(contacts[0] ?? ""))?.passedOver).toMatchObject([
      { code: "INBOX_NOT_CONNECTED" },
    ]);
  });

  test("an hour later one contact tries the repaired inbox, and its success clears the mark", async () => {
    const repaired = stage.user(0);
    repaired.hasConnectedInbox = true;
    await stage.sender(repaired, { refusedAt: new Date(Date.now() - 3_700_000) });
    await stage.preset({});
    expect(await stage.enroll(stage.contactOf(repaired))).toMatchObject({ sender_email: repaired.email });
    expect(await stage.senderRow(repaired)).toMatchObject({ refusedCode: null, refusedAt: null });
  });

  test("without a fallback the contact ends with the code of the sender it was meant for", async () => {
    const seatless = stage.user(0);
    seatless.hasSequencesPermission = false;
    const outputs = await stage.enroll(stage.contactOf(seatless));
    expect(outputs).toMatchObject({ enrollment_status: "FAILED", error_code: "SENDER_NOT_PERMITTED" });
    seatless.hasSequencesPermission = true;
    await stage.sender(seatless, { refusedCode: null, refusedAt: null });
  });

  test("a rotation takes turns, keeps a contact with its sender where asked, and says when it has nobody", async () => {
    const users = [stage.user(0), stage.user(1), stage.user(3)];
    const rotationId = await stage.rotation(users, true);
    const inputs = { sender_mode: "rotation", rotation_id: rotationId };
    const contacts = Array.from({ length: 9 }, () => stage.contactOf(stage.user(0)));
    const run = stage.run(contacts, inputs);
    await run.finished;
    const senders = run.executions.map(({ outputs }) => outputs["sender_user_id"]);
    for (const { userId } of users)
      expect(senders.filter((sender) => sender === String(userId))).toHaveLength(3);

    for (const contactId of contacts.slice(0, 3)) {
      const before = run.executionOf(contactId).outputs["sender_user_id"];
      stage.portal.endEnrollment(contactId, "finished");
      expect(await stage.enroll(contactId, inputs)).toMatchObject({ sender_user_id: before });
      expect(await stage.choiceOf(contactId)).toMatchObject({ chosen: { via: "kept_sender" } });
    }
    for (const user of users) await stage.sender(user, { isAllowed: false });
    expect(await stage.enroll(stage.contactOf(stage.user(0)), inputs)).toMatchObject({
      enrollment_status: "FAILED",
      error_code: "NO_SENDER_AVAILABLE",
    });
    for (const user of users) await stage.sender(user, { isAllowed: null });
  });

  test("what the step leaves open is decided by its preset; a preset that is gone is a wrong input", async () => {
    const presetId = await stage.preset(
      { sender: { mode: "specific_user", userId: String(stage.user(3).userId) } },
      false,
    );
    const inputs = { sender_mode: "portal_default", preset_id: presetId };
    expect(await stage.enroll(stage.contactOf(stage.user(0)), inputs)).toMatchObject({
      sender_email: stage.user(3).email,
    });
    expect(await stage.enroll(stage.contactOf(stage.user(0)), { ...inputs, preset_id: "999" })).toMatchObject(
      { error_code: "INVALID_INPUT" },
    );
  });
});

describe("a sender who cannot send now", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  test("over the cap: fails with the code if the policy says so, or waits for the next free place", async () => {
    const user = stage.user(0);
    await stage.sender(user, { dailyCap: 2 });
    await stage.sentBefore(user, 1, "23 hours");
    await stage.preset({ fallback: waitForNobody });
    expect(await stage.enroll(stage.contactOf(user))).toMatchObject({ enrollment_status: "ENROLLED" });
    const over = stage.contactOf(user);
    expect(await stage.enroll(over)).toMatchObject({ error_code: "SENDER_LIMIT_REACHED" });
    expect(stage.posts(over)).toBe(0);

    await stage.preset({});
    const [first, second, third] = [0, 1, 2].map(() => stage.contactOf(user)) as [string, string, string];
    stage.run([first]);
    const hour = 3_600;
    expect((await stage.waiting(first)).due_in_s).toBeGreaterThan(0.9 * hour);
    expect((await stage.waiting(first)).due_in_s).toBeLessThan(1.1 * hour);
    expect(await stage.waiting(first)).toMatchObject({ attempts: 0 });
    // Each takes the next place: that of the enrollment just made, then the one the first will have left.
    stage.run([second]);
    expect((await stage.waiting(second)).due_in_s / hour).toBeCloseTo(24, 0);
    stage.run([third]);
    expect((await stage.waiting(third)).due_in_s / hour).toBeCloseTo(25, 0);
    expect(await stage.choiceOf(third)).toMatchObject({
      chosen: null,
      passedOver: [{ code: "SENDER_LIMIT_REACHED", freeAt: expect.any(String) }],
    });
    // A day later all of them have been served.
    await stage.query(
      `UPDATE executions SET enrolled_at = enrolled_at - interval '25 hours' WHERE portal_id = $1`,
    );
    await stage.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND contact_id = $2`,
      [first],
    );
    await running.simulator.waitFor(() => stage.portal.enrollments.latestOf(first) !== undefined);
  });

  test("a dry run tells the same and touches nothing; a raised cap wakes those who wait", async () => {
    const user = stage.user(0);
    await stage.sender(user, { dailyCap: 1 });
    await stage.sentBefore(user, 1, "1 hour");
    const contactId = stage.contactOf(user);
    const run = stage.run([contactId]);
    await stage.waiting(contactId);
    const stored = (): Promise<unknown[]> => stage.query(`SELECT e FROM executions e WHERE portal_id = $1`);
    const before = await stored();
    const { pool } = running.db.database;
    const people = findPeople({
      portalId: stage.id,
      directory: createDirectory({ pool }),
      readOwner: () => Promise.resolve(undefined),
      readOwnerOfUser: () => Promise.resolve(undefined),
    });
    const explain = async () =>
      explainChoice(pool, {
        openings: new Openings(),
        breathe: createBreather(),
        portal: await readPortalPolicy(pool, stage.id),
        contactId,
        sequenceId: stage.sequenceIds[0] ?? "",
        people,
        now: new Date(),
        step: { senderMode: "contact_owner" },
        properties: stage.portal.contacts.get(contactId)?.properties ?? {},
        readEnrollment: () => Promise.resolve(undefined),
        patienceMs: 5 * 86_400_000,
      });
    expect(await explain()).toMatchObject({ kind: "decided", decision: { kind: "wait" } });
    await stage.sender(user, { dailyCap: 500 });
    expect(await explain()).toMatchObject({ decision: { kind: "send", sender: { email: user.email } } });
    expect(await stored()).toEqual(before);
    await toTheEnd(wakeWaiters(pool, stage.id));
    await run.finished;
    expect(run.executionOf(contactId).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });

  test("a wait past the contact's deadline is refused at once", async () => {
    const user = stage.user(1);
    await stage.sender(user, { dailyCap: 1, away: [] });
    const far = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    await stage.sender(user, { away: [{ from: "2020-01-01", to: far }] });
    const outputs = await stage.enroll(stage.contactOf(user));
    expect(outputs).toMatchObject({ error_code: "NO_SENDER_AVAILABLE" });
    expect(outputs["error_message"]).toContain("after the contact's deadline");
  });

  test("outside the window: waits for its opening, and nothing is sent", async () => {
    const user = stage.user(2);
    const minute = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
    const opens = (minute + 120) % 1_440;
    await stage.sender(user, {
      timeZone: "UTC",
      windowStartMinute: opens,
      windowEndMinute: (opens + 60) % 1_440,
    });
    const contactId = stage.contactOf(user);
    stage.run([contactId]);
    const { due_in_s } = await stage.waiting(contactId);
    expect(due_in_s).toBeGreaterThan(118 * 60);
    expect(due_in_s).toBeLessThanOrEqual(120 * 60);
    expect(stage.posts(contactId)).toBe(0);
  });

  test("over HubSpot's own limit: the next sender takes the contact, and the limited one rests for an hour", async () => {
    const [limited, next] = [stage.user(3), stage.user(0)];
    await stage.sender(next, { dailyCap: 100 });
    limited.dailyLimit = 0;
    const rotationId = await stage.rotation([limited, next]);
    const inputs = { sender_mode: "rotation", rotation_id: rotationId };
    const contacts = [0, 1].map(() => stage.contactOf(next));
    for (const contactId of contacts)
      expect(await stage.enroll(contactId, inputs)).toMatchObject({ sender_email: next.email });
    // One of the two was meant for the limited sender first; none is after that.
    expect(contacts.reduce((sum, contactId) => sum + stage.posts(contactId), 0)).toBe(3);
    const further = stage.contactOf(next);
    await stage.enroll(further, inputs);
    expect(stage.posts(further)).toBe(1);
    const row = await stage.senderRow(limited);
    expect(row?.limitedUntil?.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    const contactId = stage.contactOf(limited);
    stage.run([contactId]);
    expect((await stage.waiting(contactId)).due_in_s).toBeLessThanOrEqual(3_600);
  });
});
