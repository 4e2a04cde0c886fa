import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { deliverMail } from "#domain/alerts/deliver-mail.js";
import { createMailer, type Mailer } from "#domain/alerts/mailer.js";
import { claimDueAlerts, endTry, settleAddress } from "#domain/alerts/outbox/due-alerts.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { createPoster, type Poster } from "#platform/outbound/post.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { createLogger } from "#platform/observability/logger.js";
import { createCipher } from "#domain/vault/cipher.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { startMailServer, type MailServerStandIn } from "../../support/mail-server.js";
import { startListener, type Listener } from "../../support/simulated-app.js";
import { KEYS } from "../../support/site.js";

const portalId = 62_517n;
const MINUTE = 60_000;
const publicUrl = "https://enroller.example";
const cipher = createCipher(KEYS);

let db: TestDatabase;
let server: MailServerStandIn;
let mailer: Mailer;
let webhook: Listener;
let poster: Poster;
let answer: { status: number; headers: Record<string, string> };

beforeAll(async () => {
  server = await startMailServer();
  mailer = createMailer({ smtpUrl: server.url(), from: "Enroller <enroller@operator.example>" });
  webhook = await startListener(() => ({ ...answer, body: {} }));
  poster = createPoster(new Set([new URL(webhook.url).host]));
});

afterAll(async () => {
  mailer.close();
  await poster.close();
  await webhook.close();
  await server.close();
});

beforeEach(async () => {
  server.mails.length = 0;
  server.refusals.clear();
  answer = { status: 503, headers: {} };
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterEach(() => db.drop());

const pool = () => db.database.pool;
const alertOf = (channel: string) => db.database.prisma.alert.findFirstOrThrow({ where: { channel } });

async function raiseTo(settings: { alertEmail?: string; alertWebhookUrl?: string }): Promise<void> {
  await db.database.prisma.portalSettings.create({ data: { portalId, ...settings } });
  await confirmAddresses(db.database.pool);
  await raiseAlert(pool(), { portalId, kind: "BACKLOG_LATE", message: "9 contacts wait." });
}

function deliver(): Promise<void> {
  const logger = createLogger({ level: "silent" });
  return sendDueAlerts({ pool: pool(), poster, mailer, publicUrl, cipher, logger });
}

async function dueInMs(channel: string): Promise<number> {
  return (await alertOf(channel)).dueAt.getTime() - Date.now();
}

const claimOne = async (channel: string) => {
  await pool().query("UPDATE alerts SET due_at = now() - interval '1 millisecond' WHERE outcome IS NULL");
  const claimed = await claimDueAlerts(pool(), { limit: 10, claimSeconds: 240 });
  const [alert] = claimed.filter((one) => one.channel === channel);
  if (alert === undefined) throw new Error("nothing was claimed");
  return alert;
};

describe("an alert that did not arrive is tried again", () => {
  test("within seconds at first, then after gaps that grow to hours, and not before", async () => {
    await raiseTo({ alertWebhookUrl: `${webhook.url}/hook` });
    await deliver();
    expect(await dueInMs("WEBHOOK")).toBeGreaterThan(1_000);
    expect(await dueInMs("WEBHOOK")).toBeLessThanOrEqual(5_000);
    await deliver();
    expect(webhook.received).toHaveLength(1);
    await pool().query("UPDATE alerts SET tries = 10, due_at = now() - interval '1 millisecond'");
    await deliver();
    expect(await dueInMs("WEBHOOK")).toBeGreaterThan(40 * MINUTE);
    expect(await dueInMs("WEBHOOK")).toBeLessThanOrEqual(4 * 60 * MINUTE);
    await pool().query("UPDATE alerts SET tries = 11, due_at = now() - interval '1 millisecond'");
    await deliver();
    expect(await alertOf("WEBHOOK")).toMatchObject({
      outcome: "FAILED",
      tries: 12,
      lastProblem: "Your webhook returned 503.",
    });
    expect((await alertOf("WEBHOOK")).endedAt).not.toBeNull();
  });

  test("no sooner than its receiver asks", async () => {
    await raiseTo({ alertWebhookUrl: `${webhook.url}/hook` });
    answer = { status: 429, headers: { "retry-after": "600" } };
    await deliver();
    expect(await dueInMs("WEBHOOK")).toBeGreaterThan(9 * MINUTE);
    expect(await dueInMs("WEBHOOK")).toBeLessThanOrEqual(10 * MINUTE);
  });

  test("also after a redirect, which nobody follows", async () => {
    await raiseTo({ alertWebhookUrl: `${webhook.url}/hook` });
    answer = { status: 302, headers: { location: `${webhook.url}/elsewhere` } };
    const before = webhook.received.length;
    await deliver();
    expect(webhook.received.slice(before).map(({ url }) => url)).toEqual(["/hook"]);
    expect(await alertOf("WEBHOOK")).toMatchObject({ outcome: null, tries: 1 });
  });
});

describe("a process that was thought dead, whose alert another one has claimed since", () => {
  test("stores nothing more, neither an address nor an end", async () => {
    await raiseTo({ alertEmail: "ops@acme.example", alertWebhookUrl: `${webhook.url}/hook` });
    const late = await claimOne("EMAIL");
    const current = await claimOne("EMAIL");
    const before = await alertOf("EMAIL");
    expect(await settleAddress(pool(), late, { address: "ops@acme.example", claimSeconds: 1 })).toBe(false);
    await endTry(pool(), late, { outcome: "FAILED", problem: "late" });
    await endTry(pool(), late, { retryInMs: 1, problem: "late" });
    expect(await alertOf("EMAIL")).toEqual(before);
    expect(await settleAddress(pool(), current, { address: "ops@acme.example", claimSeconds: 240 })).toBe(
      true,
    );
    expect(await alertOf("EMAIL")).toMatchObject({ reached: ["ops@acme.example"], outcome: null });
  });

  test("sends no more mails after the current one", async () => {
    await raiseTo({ alertEmail: "ops@acme.example, sales@acme.example, it@acme.example" });
    const late = await claimOne("EMAIL");
    await claimOne("EMAIL");
    const mailed = await deliverMail(late, { pool: pool(), mailer, publicUrl, cipher, claimSeconds: 240 });
    expect(mailed).toBeUndefined();
    expect(server.mails.map(({ to }) => to)).toEqual(["ops@acme.example"]);
  });

  test("does not reopen a finished alert", async () => {
    await raiseTo({ alertEmail: "ops@acme.example" });
    const claimed = await claimOne("EMAIL");
    await endTry(pool(), claimed, { outcome: "SENT" });
    const before = await alertOf("EMAIL");
    await endTry(pool(), claimed, { retryInMs: 1, problem: "late" });
    expect(await settleAddress(pool(), claimed, { address: "it@acme.example", claimSeconds: 1 })).toBe(false);
    expect(await alertOf("EMAIL")).toEqual(before);
  });
});

test("each address of a mail keeps the alert to its process for the time of a further one", async () => {
  await raiseTo({ alertEmail: "ops@acme.example, it@acme.example" });
  const claimed = await claimOne("EMAIL");
  await pool().query("UPDATE alerts SET due_at = now() + interval '1 second'");
  await settleAddress(pool(), claimed, { address: "ops@acme.example", claimSeconds: 240 });
  expect(await dueInMs("EMAIL")).toBeGreaterThan(3 * MINUTE);
  expect(await dueInMs("WEBHOOK")).toBeLessThanOrEqual(1_000);
});
