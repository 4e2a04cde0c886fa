import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedUser } from "../../../src/simulator/portal/model.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createBrowser, hiddenField, type Browser, type BrowserAnswer } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let browser: Browser;
let owner: SimulatedUser;
let colleague: SimulatedUser;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator);
  browser = createBrowser(running.publicUrl);
  const { location = "" } = await browser.get("/oauth/install");
  const admin = { portalId: portal.portalId, userId: portal.admin.userId };
  await browser.get(running.simulator.authorize(location, admin));
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  [owner, colleague] = [...portal.senders] as [SimulatedUser, SimulatedUser];
});

afterAll(() => running.close());

const prisma = () => running.db.database.prisma;
const portalId = () => BigInt(portal.portalId);
const sequenceId = () => [...portal.sequences.keys()][0] ?? "";

function contactOf(user: SimulatedUser, properties: Record<string, string | null> = {}): string {
  const { ownerId } = portal.ownerOfUser(user.userId);
  return portal.addContact({ properties: { hubspot_owner_id: ownerId, ...properties } }).id;
}

const emailOf = (contactId: string) => portal.contacts.get(contactId)?.properties["email"] ?? "";

/** Sends a form of the settings site, as it stands on its page. */
async function submit(path: string, fields: Record<string, string>): Promise<BrowserAnswer> {
  const { text } = await browser.get(`/settings/${path}`);
  const version = /name="version" value="(\d+)"/.exec(text)?.[1] ?? "0";
  return browser.post(`/settings/${path}`, {
    form_token: hiddenField(text, "form_token"),
    version,
    ...fields,
  });
}

/** While a worker drains the account, questions of the site have two places in HubSpot's window; at rest they have them all. */
async function untilAtRest(): Promise<void> {
  const where = { portalId: portalId(), isReleased: true };
  while ((await prisma().portalDrain.count({ where })) === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What the page says, without its marks. */
async function askAbout(contact: string): Promise<string> {
  await untilAtRest();
  const question = { contact, sequence_id: sequenceId(), sender_mode: "contact_owner" };
  const { text } = await submit("try", question);
  return (
    /<section class="card answer".*?<\/section>|<p class="notice.*?<\/p>/s
      .exec(text)?.[0]
      ?.replace(/<[^>]*>/g, "") ?? text
  );
}

function run(contactId: string) {
  return portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [contactId],
    inputs: { sequence_id: sequenceId(), sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
}

async function untilWaiting(contactId: string): Promise<void> {
  const where = {
    portalId: portalId(),
    contactId,
    state: "QUEUED",
    dueAt: { gt: new Date(Date.now() + 60_000) },
  };
  while ((await prisma().execution.count({ where })) === 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

describe("asking what would happen", () => {
  test("finds a contact by id and by address, names its owner as sender, and sends nothing", async () => {
    const contactId = contactOf(owner);
    for (const contact of [contactId, emailOf(contactId)]) {
      const said = await askAbout(contact);
      expect(said).toContain("Would be enrolled.");
      expect(said).toContain(`${owner.email} would send.`);
      expect(said).toContain("No. HubSpot shows the contact in no sequence.");
    }
    expect(await askAbout("nobody@nowhere.example")).toContain("HubSpot has no such contact.");
    expect(portal.enrollments.factsOf(contactId).posts).toBe(0);
    expect(await prisma().execution.count({ where: { portalId: portalId() } })).toBe(0);
  });

  test("passes over an owner whom HubSpot refused for want of an inbox, until the admin saves the sender", async () => {
    const refusal = { refusedCode: "INBOX_NOT_CONNECTED", refusedAt: new Date() };
    const key = { portalId: portalId(), userId: BigInt(owner.userId) };
    await prisma().senderSettings.create({ data: { ...key, ...refusal, windowDays: [] } });
    await prisma().portalSettings.upsert({
      where: { portalId: portalId() },
      create: { portalId: portalId(), defaultSenderUserId: BigInt(colleague.userId) },
      update: { defaultSenderUserId: BigInt(colleague.userId) },
    });
    const fallback = { ...INITIAL_POLICY.fallback, toDefaultSender: true };
    const { presetId } = await prisma().preset.create({
      data: {
        portalId: portalId(),
        name: "Falls back",
        isDefault: true,
        policy: { ...INITIAL_POLICY, fallback },
      },
    });
    const contactId = contactOf(owner);
    const said = await askAbout(contactId);
    expect(said).toContain("preset Falls back");
    expect(said).toMatch(/Skipped.*contact owner.*has no connected inbox/s);
    expect(said).toContain(`${colleague.email} would send.`);
    expect((await submit(`senders/${owner.userId}`, { allowed: "" })).status).toBe(303);
    expect(await askAbout(contactId)).toContain(`${owner.email} would send.`);
    await prisma().preset.delete({ where: { portalId_presetId: { portalId: portalId(), presetId } } });
  });

  test("refuses a contact within its cooldown, by what HubSpot knows of it now", async () => {
    const policy = { ...INITIAL_POLICY, cooldown: { days: 30, scope: "any" } };
    const { presetId } = await prisma().preset.create({
      data: { portalId: portalId(), name: "Cool", isDefault: true, policy },
    });
    const contactId = contactOf(owner, { hs_latest_sequence_enrolled_date: new Date().toISOString() });
    const said = await askAbout(contactId);
    expect(said).toContain("Would not be enrolled.");
    expect(said).toMatch(/Not allowed.*Cooldown.*30 days/s);
    await prisma().preset.delete({ where: { portalId_presetId: { portalId: portalId(), presetId } } });
  });
});

describe("a change an admin saves", () => {
  test("reaches contacts that wait for a sender's cap within seconds", async () => {
    expect((await submit(`senders/${owner.userId}`, { daily_cap: "1" })).status).toBe(303);
    const [first, second] = [contactOf(owner), contactOf(owner)];
    await run(first).finished;
    const waiting = run(second);
    await untilWaiting(second);
    const said = await askAbout(contactOf(owner));
    expect(said).toContain("Would wait.");
    expect(said).toContain("has used their daily cap: 1 enrollment in 24 hours");
    const savedAtMs = Date.now();
    expect((await submit(`senders/${owner.userId}`, { daily_cap: "50" })).status).toBe(303);
    await waiting.finished;
    expect(waiting.executionOf(second).outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    expect(Date.now() - savedAtMs).toBeLessThan(15_000);
  });

  test("leaves the dry run an answer while HubSpot is down: by what came with the contact's last call", async () => {
    const contactId = contactOf(owner);
    await run(contactId).finished;
    running.simulator.setFaults({ contacts: { errorBefore: 1 } });
    const said = await askAbout(emailOf(contactId));
    expect(said).toContain("We couldn't reach HubSpot. This result uses the contact's data from");
    expect(said).toContain(`${owner.email} would send.`);
    expect(await askAbout("nobody@nowhere.example")).toContain(
      "We couldn't reach HubSpot to look up this contact",
    );
  });
});
