import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createPoster } from "#platform/outbound/post.js";
import { createLogger } from "#platform/observability/logger.js";
import { createCipher } from "#domain/vault/cipher.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { KEYS } from "../../support/site.js";
import { startListener } from "../../support/simulated-app.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { storeSenderRefusal } from "#worker/senders/store-sender-block.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 62_516n;
let db: TestDatabase;

beforeEach(async () => {
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
  const { pool } = db.database;
  const { epoch } = (await acquirePortal(pool, portalId)) ?? { epoch: 0n };
  const owner = { pool, portalId, epoch, leaseCte: LEASE_CTE };
  const code = "INBOX_NOT_CONNECTED" as const;
  await storeSenderRefusal(owner, { userId: 7n, email: "noah@acme.example", code, message: "No inbox." });
});

afterEach(() => db.drop());

/** The message as it is posted to the account's webhook. */
async function told(): Promise<string> {
  const { pool, prisma } = db.database;
  const webhook = await startListener(() => 204);
  const poster = createPoster(new Set([new URL(webhook.url).host]));
  await prisma.portalSettings.create({ data: { portalId, alertWebhookUrl: `${webhook.url}/hook` } });
  const logger = createLogger({ level: "silent" });
  const [publicUrl, cipher] = ["https://enroller.example", createCipher(KEYS)];
  await sendDueAlerts({ pool, poster, mailer: undefined, publicUrl, cipher, logger });
  await poster.close();
  await webhook.close();
  const body = webhook.received[0]?.body ?? "{}";
  return (JSON.parse(body) as { message: string }).message;
}

test("an alert about a sender says how many contacts it has concerned since", async () => {
  const of = { portalId, acceptedAt: new Date() };
  const failed = { ...of, senderUserId: 7n, enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED" };
  const moved = {
    ...of,
    senderUserId: 8n,
    enrollmentStatus: "ENROLLED",
    senderChoice: { passedOver: [{ userId: "7", via: "contact_owner", code: "INBOX_NOT_CONNECTED" }] },
  };
  const before = new Date(Date.now() - 3_600_000);
  await seedExecutions(db.database, [
    ...[failed, failed, moved],
    { ...failed, senderUserId: 9n },
    { ...failed, acceptedAt: before, decidedAt: before },
  ]);
  expect(await told()).toMatch(
    /^noah@acme\.example can't send\..*\nAffected so far: 2 contacts not enrolled, 1 contact sent by someone else\.$/,
  );
});

test("an alert about a sender who has concerned no contact yet says nothing of them", async () => {
  expect(await told()).not.toContain("Affected");
});
