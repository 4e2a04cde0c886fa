import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ALERT_CHANNELS } from "#domain/alerts/outbox/alert.js";
import { claimDueAlerts } from "#domain/alerts/outbox/due-alerts.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { storeSenderRefusal } from "#worker/attempt/store-sender-block.js";
import { withAffected } from "#worker/sweeps/affected-contacts.js";
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

async function told(): Promise<string[]> {
  const { pool } = db.database;
  const due = await claimDueAlerts(pool, { limit: 10, claimSeconds: 60 });
  expect(due).toHaveLength(ALERT_CHANNELS.length);
  return Promise.all(due.map(async (alert) => (await withAffected(pool, alert)).message));
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
  for (const message of await told())
    expect(message).toMatch(
      /^noah@acme\.example can't send\..*\nAffected so far: 2 contacts not enrolled, 1 contact sent by someone else\.$/,
    );
});

test("an alert about a sender who has concerned no contact yet says nothing of them", async () => {
  for (const message of await told()) expect(message).not.toContain("Affected");
});
