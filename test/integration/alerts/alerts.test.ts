import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createMailer, type Mailer } from "#domain/alerts/mailer.js";
import { claimDueAlerts } from "#domain/alerts/outbox/due-alerts.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { createPoster, type Poster } from "#platform/outbound/post.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { watchBacklogs, watchFailures } from "#worker/sweeps/watch-portals.js";
import { storeSenderRefusal } from "#worker/senders/store-sender-block.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createCipher } from "#domain/vault/cipher.js";
import { KEYS } from "../../support/site.js";
import { createLogger } from "#platform/observability/logger.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";
import { storeFlow } from "../../support/stored-flows.js";
import { startMailServer, type MailServerStandIn } from "../../support/mail-server.js";
import { startListener, type Listener } from "../../support/simulated-app.js";

const portalId = 62_515n;
const from = "Sequence Enroller <enroller@operator.example>";

const cipher = createCipher(KEYS);
const logger = createLogger({ level: "silent" });
let db: TestDatabase;
let mailServer: MailServerStandIn;
let mails: MailServerStandIn["mails"];
let mailer: Mailer;
let webhook: Listener;
let poster: Poster;

beforeAll(async () => {
  mailServer = await startMailServer();
  mailer = createMailer({ smtpUrl: mailServer.url(), from });
  webhook = await startListener(() => 204);
  poster = createPoster(new Set([new URL(webhook.url).host]));
});

afterAll(async () => {
  mailer.close();
  await poster.close();
  await webhook.close();
  await mailServer.close();
});

beforeEach(async () => {
  mails = mailServer.mails;
  mails.length = 0;
  webhook.received.length = 0;
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterEach(() => db.drop());

async function set(settings: {
  alertEmail?: string;
  alertWebhookUrl?: string;
  alertFailureCount?: number;
  alertFailurePercent?: number;
}) {
  await db.database.prisma.portalSettings.create({ data: { portalId, ...settings } });
  await confirmAddresses(db.database.pool);
}

async function deliver(): Promise<void> {
  const { pool } = db.database;
  await sendDueAlerts({ pool, poster, mailer, publicUrl: "https://enroller.example", cipher, logger });
}

const raise = (message = "HubSpot ended the app's access.") =>
  raiseAlert(db.database.pool, { portalId, kind: "PORTAL_DISCONNECTED", message });
const alerts = () => db.database.prisma.alert.findMany({ orderBy: [{ id: "asc" }] });
const minutesAgo = (count: number) => new Date(Date.now() - count * 60_000);

describe("an alert", () => {
  test("is mailed by the operator's server and posted to the webhook, each once", async () => {
    await set({ alertEmail: "ops@acme.example", alertWebhookUrl: `${webhook.url}/hook` });
    await raise();
    await deliver();
    await deliver();
    expect(mails).toHaveLength(1);
    expect(mails[0]?.to).toBe("ops@acme.example");
    for (const words of [
      "From: Sequence Enroller <enroller@operator.example>",
      "Subject: HubSpot ended the app's access (account 62515)",
      "HubSpot ended the app's access.",
      "https://enroller.example/settings",
    ])
      expect(mails[0]?.text).toContain(words);
    expect(webhook.received).toHaveLength(1);
    expect((await alerts()).map(({ outcome }) => outcome)).toEqual(["SENT", "SENT"]);
  });

  test("is mailed to each address separately, with a link to the page it is about", async () => {
    await set({ alertEmail: "ops@acme.example, sales@acme.example,it@acme.example" });
    await raiseAlert(db.database.pool, {
      portalId,
      kind: "BACKLOG_LATE",
      message: "9 contacts wait.",
      page: "/settings/activity?status=waiting",
    });
    await deliver();
    await deliver();
    expect(mails.map(({ to }) => to)).toEqual(["ops@acme.example", "sales@acme.example", "it@acme.example"]);
    expect(mails[0]?.text).toContain(
      "View details: https://enroller.example/settings/activity?status=waiting",
    );
    expect(mails[0]?.text).not.toContain("sales@acme.example");
  });

  test("goes only where an address is set", async () => {
    await set({ alertEmail: "ops@acme.example" });
    await raise();
    await deliver();
    expect((await alerts()).map(({ channel, outcome }) => [channel, outcome])).toEqual([
      ["EMAIL", "SENT"],
      ["WEBHOOK", "NOT_WANTED"],
    ]);
  });

  test("of one kind is repeated after an hour and not before; another kind is sent at once", async () => {
    await set({ alertEmail: "ops@acme.example" });
    await Promise.all([raise("first"), raise("second"), raise("third")]);
    await raiseAlert(db.database.pool, { portalId, kind: "SENDER_REFUSED", message: "Ann has no seat." });
    await deliver();
    expect(mails).toHaveLength(2);
    await db.database.prisma.alertMark.updateMany({ data: { raisedAt: minutesAgo(61) } });
    await raise("an hour later");
    await deliver();
    expect(mails).toHaveLength(3);
    expect(mails[2]?.text).toContain("an hour later");
  });

  test("cannot smuggle lines into the mail's head", async () => {
    await set({ alertEmail: "ops@acme.example" });
    await raise("Gone.\r\nBcc: everybody@acme.example\r\n\r\nBuy now");
    await deliver();
    const [head] = mails[0]?.text.split("\r\n\r\n") ?? [];
    expect(head).not.toContain("Bcc");
    expect(mails[0]?.to).toBe("ops@acme.example");
  });
});

describe("senders whom HubSpot refuses", () => {
  const texts = async () =>
    (await alerts()).filter(({ channel }) => channel === "EMAIL").map(({ message }) => message.split("\n"));

  async function refuse(...names: string[]): Promise<void> {
    const { pool } = db.database;
    const { epoch } = (await acquirePortal(pool, portalId)) ?? { epoch: 0n };
    const owner = { pool, portalId, epoch, leaseCte: LEASE_CTE };
    for (const name of names) {
      await storeSenderRefusal(owner, {
        userId: BigInt(name.slice(1)),
        email: `${name}@acme.example`,
        code: "INBOX_NOT_CONNECTED",
        message: "No inbox.",
      });
    }
  }

  const names = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `s${from + index}`);
  const lines = (message: string[]) => message.map((line) => /^(\w+)@\S+ can't send/.exec(line)?.[1]).sort();

  test("raise at most two alerts an hour: the first at once, all others together, each once", async () => {
    await set({ alertEmail: "ops@acme.example" });
    await refuse("s1");
    await refuse("s1", ...names(2, 10), ...names(2, 10));
    await refuse(...names(11, 20));
    const [first, gathered, ...more] = await texts();
    expect([first?.length, lines(first ?? []), more]).toEqual([1, ["s1"], []]);
    expect(lines(gathered ?? [])).toEqual(names(2, 20).sort());
    await deliver();
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toContain("View details: https://enroller.example/settings/senders/1#refusal");

    await db.database.pool.query(
      "UPDATE alerts SET due_at = due_at - interval '1 hour' WHERE outcome IS NULL",
    );
    await db.database.pool.query("UPDATE alert_marks SET raised_at = raised_at - interval '1 hour'");
    await deliver();
    expect(mails).toHaveLength(2);
    expect(mails[1]?.text).toContain("View details: https://enroller.example/settings/senders?show=troubled");
    await refuse("s21");
    expect(await texts()).toHaveLength(3);
    await deliver();
    expect(mails).toHaveLength(2);
  });

  test("are named until the alert is long enough, and then only counted as more", async () => {
    await refuse(...names(1, 60));
    const [, gathered = []] = await texts();
    const named = lines(gathered).filter((name) => name !== undefined);
    expect(named.length).toBeGreaterThan(20);
    expect(named.length).toBeLessThan(59);
    expect(gathered.slice(named.length)).toEqual(["There are more: see the settings pages."]);
  });

  test("are reported again if they were fixed and are refused an hour later, and not sooner", async () => {
    const { pool } = db.database;
    const putRight = () => pool.query("UPDATE senders SET refused_code = NULL");
    await refuse("s1");
    await putRight();
    await refuse("s1");
    expect(await texts()).toHaveLength(1);
    await pool.query("UPDATE alerts SET created_at = created_at - interval '1 hour'");
    await pool.query("UPDATE alert_marks SET raised_at = raised_at - interval '1 hour'");
    await putRight();
    await refuse("s1");
    expect(await texts()).toHaveLength(2);
  });
});

describe("many contacts not enrolled", () => {
  const decided = (count: number, seed: Partial<ExecutionSeed>) =>
    seedExecutions(
      db.database,
      Array.from({ length: count }, () => ({ portalId, enrollmentStatus: "ENROLLED", ...seed })),
    );
  const failed = { enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" };
  const raised = async () => {
    await watchFailures({ pool: db.database.pool, logger });
    return (await alerts()).filter(({ channel }) => channel === "EMAIL").map(({ message }) => message);
  };

  test("raise an alert by number once there are enough in an hour, with the most common reason", async () => {
    await set({ alertFailureCount: 3 });
    await decided(2, failed);
    await decided(9, { ...failed, acceptedAt: minutesAgo(61) });
    expect(await raised()).toEqual([]);
    await decided(1, { enrollmentStatus: "FAILED", errorCode: "BOUNCED" });
    expect(await raised()).toEqual([
      expect.stringContaining(
        "3 of 3 contacts (100%) weren't enrolled in the last hour. Top reason: The contact has no owner",
      ),
    ]);
    expect(await raised()).toHaveLength(1);
  });

  test("name the workflow that most of them came from, as its people call it", async () => {
    await set({ alertFailureCount: 3 });
    await storeFlow(db.database.pool, portalId, {
      flowId: "9001",
      workflowId: "71000001",
      name: "Webinar, live",
    });
    await decided(1, { ...failed, workflowId: "12" });
    await decided(2, { ...failed, workflowId: "71000001" });
    expect(await raised()).toEqual([
      expect.stringMatching(/owner.*Most came from the workflow “Webinar, live”\.$/),
    ]);
  });

  test("do not count what an admin canceled", async () => {
    await set({ alertFailureCount: 3, alertFailurePercent: 10 });
    await decided(30, { enrollmentStatus: "FAILED", errorCode: "CANCELLED" });
    await decided(2, failed);
    expect(await raised()).toEqual([]);
    await decided(1, failed);
    expect(await raised()).toEqual([expect.stringContaining("3 of 3 contacts")]);
    const { page } = (await alerts())[0] ?? {};
    expect(page).toMatch(/^\/settings\/activity\?status=failed&code=OWNER_MISSING&since=2\d{3}-/);
  });

  test("raise an alert by share if the hour had enough contacts", async () => {
    await set({ alertFailurePercent: 25 });
    await decided(10, failed);
    expect(await raised()).toEqual([]);
    await decided(31, {});
    expect(await raised()).toEqual([]);
    await decided(1, failed);
    expect(await raised()).toEqual([expect.stringContaining("11 of 42")]);
  });

  test("raise no alert if no threshold is set, or for a disconnected portal", async () => {
    await decided(30, failed);
    expect(await raised()).toEqual([]);
    await set({ alertFailureCount: 1 });
    await db.database.prisma.portal.updateMany({ data: { status: "DISCONNECTED" } });
    expect(await raised()).toEqual([]);
  });
});

describe("two processes that deliver at once", () => {
  test("take different alerts, and wait for each other's at no time", async () => {
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO alerts (portal_id, kind, message) SELECT $1, 'TEST', n::text FROM generate_series(1, 10) AS n`,
      [portalId],
    );
    const claim = (database: object) => claimDueAlerts(database as never, { limit: 5, claimSeconds: 60 });
    const first = await pool.connect();
    try {
      // Claimed by a process that has not committed yet.
      await first.query("BEGIN");
      const theirs = await claim(first);
      const ours = await claim(pool);
      await first.query("COMMIT");
      const ids = [...theirs, ...ours].map(({ id }) => id);
      expect(new Set(ids).size).toBe(10);
      expect([...theirs, ...ours].map(({ tries }) => tries)).toEqual(Array.from({ length: 10 }, () => 1));
    } finally {
      first.release();
    }
    expect(await claim(pool)).toEqual([]);
  });
});

describe("a backlog", () => {
  const waiting = (count: number, seed: Partial<ExecutionSeed>) =>
    seedExecutions(
      db.database,
      Array.from({ length: count }, () => ({ portalId, ...seed })),
    );
  const inHours = (count: number) => new Date(Date.now() + count * 3_600_000);
  const raised = async () => {
    await watchBacklogs({ pool: db.database.pool, logger });
    return (await alerts()).filter(({ channel }) => channel === "EMAIL").map(({ message }) => message);
  };

  test("that is worked off in time raises no alert", async () => {
    await waiting(100, { acceptedAt: minutesAgo(60), deadlineAt: inHours(10) });
    await seedExecutions(
      db.database,
      Array.from({ length: 12 }, () => ({ portalId, enrollmentStatus: "ENROLLED" })),
    );
    expect(await raised()).toEqual([]);
  });

  test("whose last contacts will be late at the present pace raises one", async () => {
    await waiting(100, { acceptedAt: minutesAgo(60), deadlineAt: inHours(5) });
    await seedExecutions(
      db.database,
      Array.from({ length: 12 }, () => ({ portalId, enrollmentStatus: "ENROLLED" })),
    );
    expect(await raised()).toEqual([
      expect.stringContaining(
        "100 contacts are waiting and about 12 are processed an hour. The first will miss its deadline on",
      ),
    ]);
  });

  test("that nobody processes is late from a day before its first deadline", async () => {
    await waiting(1, { acceptedAt: minutesAgo(30), deadlineAt: inHours(30) });
    expect(await raised()).toEqual([]);
    await waiting(1, { acceptedAt: minutesAgo(30), deadlineAt: inHours(20) });
    expect(await raised()).toEqual([expect.stringContaining("are waiting and none were processed lately")]);
  });

  test("does not count contacts that wait for a date, however many", async () => {
    const putOff = { acceptedAt: minutesAgo(120), lastProblem: "Not to be enrolled before a date." };
    await waiting(1_000, { ...putOff, dueAt: inHours(20 * 24), deadlineAt: inHours(27 * 24) });
    await seedExecutions(db.database, [{ portalId, enrollmentStatus: "ENROLLED" }]);
    expect(await raised()).toEqual([]);
    // Their day has come, a moment ago: nothing can be said of their pace yet.
    await db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE state = 'QUEUED'`,
    );
    expect(await raised()).toEqual([]);
  });

  test("reports contacts that become due too late behind an existing line", async () => {
    await waiting(100, { acceptedAt: minutesAgo(60), deadlineAt: inHours(24) });
    await waiting(10, {
      acceptedAt: minutesAgo(90),
      lastProblem: "Not to be enrolled before a date.",
      dueAt: inHours(5),
      deadlineAt: inHours(8.5),
    });
    await seedExecutions(
      db.database,
      Array.from({ length: 12 }, () => ({ portalId, enrollmentStatus: "ENROLLED" })),
    );
    expect(await raised()).toEqual([
      expect.stringContaining("100 contacts are waiting and about 12 are processed an hour"),
    ]);
  });

  test("of a few minutes raises none yet", async () => {
    await waiting(5, { acceptedAt: minutesAgo(5), deadlineAt: inHours(0.1) });
    expect(await raised()).toEqual([]);
  });
});
