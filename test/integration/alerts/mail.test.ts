import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createMailer, type Mailer } from "#domain/alerts/mailer.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { createPoster, type Poster } from "#platform/outbound/post.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { createCipher } from "#domain/vault/cipher.js";
import { KEYS } from "../../support/site.js";
import { createLogger } from "#platform/observability/logger.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { startMailServer, type MailServerStandIn } from "../../support/mail-server.js";
import { startListener, type Listener } from "../../support/simulated-app.js";

const portalId = 62_516n;
const from = "Sequence Enroller <enroller@operator.example>";

const cipher = createCipher(KEYS);
let db: TestDatabase;
let server: MailServerStandIn;
let mailer: Mailer;
let webhook: Listener;
let webhookStatus: number;
let poster: Poster;

beforeAll(async () => {
  server = await startMailServer();
  mailer = createMailer({ smtpUrl: server.url(), from });
  webhook = await startListener(() => webhookStatus);
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
  server.signIns.length = 0;
  webhook.received.length = 0;
  webhookStatus = 204;
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterEach(() => db.drop());

async function raiseTo(settings: { alertEmail?: string; alertWebhookUrl?: string }): Promise<void> {
  await db.database.prisma.portalSettings.create({ data: { portalId, ...settings } });
  await confirmAddresses(db.database.pool);
  await raiseAlert(db.database.pool, { portalId, kind: "BACKLOG_LATE", message: "9 contacts wait." });
}

/** A try of everything that is still to be sent, when its time has come. */
async function deliver(by: Mailer | undefined = mailer): Promise<void> {
  const { pool } = db.database;
  await pool.query("UPDATE alerts SET due_at = now() - interval '1 millisecond' WHERE outcome IS NULL");
  const logger = createLogger({ level: "silent" });
  await sendDueAlerts({ pool, poster, mailer: by, publicUrl: "https://enroller.example", cipher, logger });
}

const mailed = () => server.mails.map(({ to }) => to);
const alert = (channel = "EMAIL") => db.database.prisma.alert.findFirstOrThrow({ where: { channel } });

describe("a mailed alert", () => {
  test("reaches a recipient who was put off by a later try, and the others once", async () => {
    await raiseTo({ alertEmail: "ops@acme.example, sales@acme.example, it@acme.example" });
    server.refusals.set("sales@acme.example", "451 Greylisted, come back later");
    await deliver();
    expect(mailed()).toEqual(["ops@acme.example", "it@acme.example"]);
    expect(await alert()).toMatchObject({
      outcome: null,
      lastProblem: "The mail server put it off for sales@acme.example: 451 Greylisted, come back later",
    });
    server.refusals.clear();
    await deliver();
    await deliver();
    expect(mailed()).toEqual(["ops@acme.example", "it@acme.example", "sales@acme.example"]);
    expect(await alert()).toMatchObject({ outcome: "SENT", lastProblem: null, tries: 2 });
  });

  test("is not tried again for a recipient whom the server refuses for good, and says so", async () => {
    await raiseTo({ alertEmail: "ops@acme.example,gone@acme.example,later@acme.example" });
    server.refusals.set("gone@acme.example", "550 No such mailbox").set("later@acme.example", "421 Busy");
    await deliver();
    server.refusals.clear();
    await deliver();
    expect(mailed()).toEqual(["ops@acme.example", "later@acme.example"]);
    expect(await alert()).toMatchObject({
      outcome: "PARTLY_SENT",
      lastProblem: "The mail server refused it for gone@acme.example: 550 No such mailbox",
    });
  });

  test("that the server refuses for everybody is given up at once", async () => {
    await raiseTo({ alertEmail: "gone@acme.example" });
    server.refusals.set("*", "550 No such mailbox");
    await deliver();
    expect(await alert()).toMatchObject({ outcome: "FAILED", tries: 1 });
  });

  test("is given up after about a day of tries for addresses that were postponed all that time", async () => {
    await raiseTo({ alertEmail: "ops@acme.example, slow@acme.example" });
    server.refusals.set("slow@acme.example", "450 Mailbox busy");
    for (let tried = 1; tried <= 13; tried += 1) await deliver();
    expect(mailed()).toEqual(["ops@acme.example"]);
    expect(await alert()).toMatchObject({
      outcome: "PARTLY_SENT",
      tries: 12,
      lastProblem: "The mail server put it off for slow@acme.example: 450 Mailbox busy",
    });
  });

  test("waits for a server that fails as a whole, and keeps the reason", async () => {
    await raiseTo({ alertEmail: "ops@acme.example, it@acme.example" });
    const problemBy = async (smtpUrl: string) => {
      const failing = createMailer({ smtpUrl, from });
      await deliver(failing);
      failing.close();
      return (await alert()).lastProblem;
    };
    expect(await problemBy(server.url({ password: "wrong" }))).toBe(
      "The mail server does not accept this service's sign-in.",
    );
    expect(server.signIns).toHaveLength(1);
    expect(await problemBy("smtp://127.0.0.1:1")).toContain("could not be reached (");
    await deliver();
    expect(mailed()).toEqual(["ops@acme.example", "it@acme.example"]);
    expect(await alert()).toMatchObject({ outcome: "SENT", tries: 3 });
  });

  test("has the same Message-ID at each try, and another for each recipient", async () => {
    await raiseTo({ alertEmail: "ops@acme.example, it@acme.example" });
    await deliver();
    // As if the process had died before it could note what it had sent.
    await db.database.pool.query(
      "UPDATE alerts SET outcome = NULL, reached = '{}', ended_at = NULL WHERE channel = 'EMAIL'",
    );
    await deliver();
    const ids = server.mails.map(({ text }) => /^Message-ID: (<.*@operator\.example>)/im.exec(text)?.[1]);
    expect(ids).toEqual([ids[0], ids[1], ids[0], ids[1]]);
    expect(new Set(ids).size).toBe(2);
  });
});

describe("the mail server's password", () => {
  let plain: MailServerStandIn;

  beforeEach(async () => {
    plain = await startMailServer({ hasTls: false });
  });
  afterEach(() => plain.close());

  const sendBy = async (smtpUrl: string) => {
    const plainly = createMailer({ smtpUrl, from });
    const outcome = await plainly.send({
      id: "1",
      to: "ops@acme.example",
      subject: "Hello",
      text: "Hello",
      unsubscribeUrl: "https://enroller.example/alerts/unsubscribe",
    });
    plainly.close();
    return outcome;
  };

  test.each([
    ["", "as configured"],
    ["&requireTLS=false&ignoreTLS=true&opportunisticTLS=true", "even if its URL asks for that"],
  ])("is never sent in clear%s: a server without STARTTLS gets nothing, %s", async (query) => {
    const outcome = await sendBy(plain.url() + query);
    expect(outcome).toEqual({
      kind: "server-failed",
      reason: "The mail server offers no encryption (STARTTLS), so nothing was sent to it.",
    });
    expect([plain.signIns, plain.mails]).toEqual([[], []]);
  });

  test("is not sent to a server with an untrusted certificate", async () => {
    const outcome = await sendBy(server.url({ trusts: false }));
    expect(outcome.kind).toBe("server-failed");
    expect(server.signIns).toEqual([]);
  });

  test("is not needed for a server on this machine, which may then work without encryption", async () => {
    const url = new URL(plain.url());
    [url.username, url.password] = ["", ""];
    expect(await sendBy(url.href)).toEqual({ kind: "taken" });
  });
});

describe("a posted alert", () => {
  test("is tried again unless its receiver says that it is gone for good", async () => {
    await raiseTo({ alertWebhookUrl: `${webhook.url}/hook` });
    webhookStatus = 404;
    await deliver();
    expect(await alert("WEBHOOK")).toMatchObject({ outcome: null, tries: 1 });
    webhookStatus = 410;
    await deliver();
    expect(await alert("WEBHOOK")).toMatchObject({ outcome: "FAILED", tries: 2 });
  });
});
