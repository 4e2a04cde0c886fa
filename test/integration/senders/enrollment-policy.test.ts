import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/enroll-contract.js";
import { createDirectory } from "#domain/directory/directory.js";
import { wakeWaiters } from "#domain/executions/resume.js";
import { toTheEnd } from "#domain/executions/slices.js";
import { findPeople } from "#domain/dry-run/find-people.js";
import { explainChoice } from "#domain/senders/explain-choice.js";
import { readPortalPolicy } from "#domain/senders/portal-policy.js";
import { createBreather } from "#platform/time/breather.js";
import { Openings } from "#domain/senders/windows/openings.js";
import { INITIAL_POLICY, type Policy } from "#domain/contract/policy.js";
import type { SimulatedUser } from "../../../src/simulator/portal/model.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { Execution } from "../../../src/simulator/workflow/execution.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp();
});

afterAll(() => running.close());

/** A connected portal, and what its admin can decide. */
class Stage {
  readonly portal: SimulatedPortal;
  readonly sequenceIds: readonly string[];
  /** Who could send when the portal was opened. */
  readonly users: readonly SimulatedUser[];

  private constructor(portal: SimulatedPortal) {
    this.portal = portal;
    this.sequenceIds = [...portal.sequences.keys()];
    this.users = [...portal.senders];
  }

  static async open(contacts = 0): Promise<Stage> {
    const portal = addPlainPortal(running.simulator, { contacts });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
    return new Stage(portal);
  }

  get id(): bigint {
    return BigInt(this.portal.portalId);
  }

  get prisma() {
    return running.db.database.prisma;
  }

  async query<T>(text: string, values: unknown[] = []): Promise<T[]> {
    const { rows } = await running.db.database.pool.query(text, [this.portal.portalId, ...values]);
    return rows as T[];
  }

  user(index: number): SimulatedUser {
    return this.users[index] as SimulatedUser;
  }

  contactOf(user: SimulatedUser, properties: Record<string, string | null> = {}): string {
    const { ownerId } = this.portal.ownerOfUser(user.userId);
    return this.portal.addContact({ properties: { hubspot_owner_id: ownerId, ...properties } }).id;
  }

  settings(data: {
    defaultSenderUserId?: bigint;
    onlyListedSenders?: boolean;
    pausedAt?: Date | null;
    maxHoldDays?: number;
  }) {
    const { id: portalId } = this;
    return this.prisma.portalSettings.upsert({
      where: { portalId },
      create: { portalId, ...data },
      update: data,
    });
  }

  sender(user: SimulatedUser, data: Parameters<Stage["prisma"]["senderSettings"]["update"]>[0]["data"]) {
    const key = { portalId: this.id, userId: BigInt(user.userId) };
    return this.prisma.senderSettings.upsert({
      where: { portalId_userId: key },
      create: { ...key, ...(data as object) },
      update: data,
    });
  }

  senderRow(user: SimulatedUser) {
    return this.prisma.senderSettings.findUnique({
      where: { portalId_userId: { portalId: this.id, userId: BigInt(user.userId) } },
    });
  }

  async rotation(users: readonly SimulatedUser[], keepsSender = false): Promise<string> {
    const { rotationId } = await this.prisma.rotation.create({
      data: {
        portalId: this.id,
        name: `Rotation ${users.map(({ userId }) => userId).join(" ")} ${keepsSender}`,
        keepsSender,
        members: { create: users.map(({ userId }) => ({ userId: BigInt(userId) })) },
      },
    });
    return String(rotationId);
  }

  async preset(changes: Partial<Policy>, isDefault = true): Promise<string> {
    if (isDefault) await this.prisma.preset.deleteMany({ where: { portalId: this.id, isDefault } });
    const { presetId } = await this.prisma.preset.create({
      data: {
        portalId: this.id,
        name: `Preset ${Math.random()}`,
        policy: { ...INITIAL_POLICY, ...changes },
        isDefault,
      },
    });
    return String(presetId);
  }

  run(contactIds: readonly string[], inputs: Record<string, string> = {}): WorkflowRun {
    return this.portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...contactIds],
      inputs: { sequence_id: this.sequenceIds[0] ?? "", sender_mode: "contact_owner", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  /** One contact through the action, to its end. */
  async enroll(contactId: string, inputs: Record<string, string> = {}): Promise<Execution["outputs"]> {
    const run = this.run([contactId], inputs);
    await run.finished;
    return run.executionOf(contactId).outputs;
  }

  posts(contactId: string): number {
    return this.portal.enrollments.factsOf(contactId).posts;
  }

  async waiting(contactId: string): Promise<{ due_in_s: number; last_problem: string; attempts: number }> {
    for (;;) {
      const [row] = await this.query<{ due_in_s: number; last_problem: string; attempts: number }>(
        `SELECT extract(epoch FROM due_at - now())::float8 AS due_in_s, last_problem, attempts FROM executions
          WHERE portal_id = $1 AND contact_id = $2 AND state = 'QUEUED' AND due_at > now() + interval '1 second'`,
        [contactId],
      );
      if (row !== undefined) return row;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async choiceOf(contactId: string) {
    const [row] = await this.query<{ sender_choice: { chosen: unknown; passedOver: { code: string }[] } }>(
      `SELECT sender_choice FROM executions WHERE portal_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT 1`,
      [contactId],
    );
    return row?.sender_choice;
  }

  /** As if the user had enrolled so many contacts that long ago. */
  sentBefore(user: SimulatedUser, count: number, ago: string) {
    return this.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request, enrollment_status,
                               sender_user_id, enrolled_at)
       SELECT $1, gen_random_uuid(), 'ENROLL', 'COMPLETED', now(), '1', '{}', 'ENROLLED', $2, now() - $4::interval
         FROM generate_series(1, $3::int)`,
      [user.userId, count, ago],
    );
  }
}

const waitForNobody = { ...INITIAL_POLICY.fallback, whenNobody: "fail" as const };

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

  test("over the cap: fails with the code where the policy says so, or waits for the place that frees up", async () => {
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
    await stage.query(`UPDATE executions SET due_at = now() WHERE portal_id = $1 AND contact_id = $2`, [
      first,
    ]);
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
        ...{ openings: new Openings(), breathe: createBreather() },
        ...{
          portal: await readPortalPolicy(pool, stage.id),
          contactId,
          sequenceId: stage.sequenceIds[0] ?? "",
          people,
          now: new Date(),
        },
        step: { senderMode: "contact_owner" },
        properties: stage.portal.contacts.get(contactId)?.properties ?? {},
        isInSequence: false,
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
    expect(outputs["error_message"]).toContain("let go");
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
    await stage.query(`UPDATE executions SET due_at = now() WHERE portal_id = $1 AND contact_id = $2`, [
      contactId,
    ]);
    expect((await stage.waiting(contactId)).due_in_s / 86_400).toBeCloseTo(10.5, 1);
    await stage.settings({ maxHoldDays: 8 });
    expect(await redeliver(run, contactId)).toBe(answer);
    await stage.query(
      `UPDATE executions SET due_at = now(), request = request || '{"notBefore": "2020-01-01T00:00:00.000Z"}'
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
    ["not_before", { not_before: "tomorrow" }, "Not before"],
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

/** HubSpot delivers the very call again; its answer. */
async function redeliver(run: WorkflowRun, contactId: string): Promise<string> {
  const { payload: body = "" } = run.executionOf(contactId);
  const url = running.publicUrl + ENROLL_ROUTE;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...running.simulator.sign({ method: "POST", url, body }) },
    body,
  });
  return response.text();
}
