import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { raiseDigests } from "#worker/sweeps/raise-digests.js";
import { createLogger } from "#platform/observability/logger.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const portalId = 62_518n;
const logger = createLogger({ level: "silent" });
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
  await db.database.prisma.portalSettings.create({ data: { portalId } });
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.database.pool.query("TRUNCATE alerts, alert_marks, executions");
});

const work = () => raiseDigests({ pool: db.database.pool, logger });
const set = (alertDigest: string | null) =>
  db.database.prisma.portalSettings.updateMany({ data: { alertDigest } });
const messages = async () =>
  (await db.database.prisma.alert.findMany({ where: { channel: "EMAIL" }, orderBy: { id: "asc" } })).map(
    ({ kind, message }) => [kind, message],
  );

/** The start of yesterday, or of the day before until 8 AM, in UTC: what a daily summary covers now. */
function coveredDay(): Date {
  const at = new Date(Date.now() - 8 * 3_600_000);
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() - 1));
}

test("a daily summary tells the numbers, why contacts were not enrolled and who is near their cap", async () => {
  const at = new Date(coveredDay().getTime() + 12 * 3_600_000);
  const failed = { enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED" };
  const seeds = [
    ...Array.from({ length: 3 }, () => ({ enrollmentStatus: "ENROLLED", enrolledAt: new Date() })),
    ...[failed, failed, { enrollmentStatus: "SKIPPED", errorCode: "UNSUBSCRIBED" }],
    { enrollmentStatus: "ALREADY_ENROLLED" },
  ];
  await seedExecutions(
    db.database,
    seeds.map((seed, index) => ({ portalId, contactId: `${index + 1}`, senderUserId: 7n, ...seed })),
  );
  await db.database.pool.query("UPDATE executions SET decided_at = $1", [at]);
  // Today's are for tomorrow's.
  await db.database.pool.query("UPDATE executions SET decided_at = now() WHERE contact_id = '1'");
  const sender = { portalId, userId: 7n, dailyCap: 3, windowDays: [] };
  await db.database.prisma.senderSettings.create({ data: sender });
  await set("DAILY");
  await work();
  const [[kind, message = ""] = []] = await messages();
  expect(kind).toBe("DIGEST");
  expect(message.split("\n")).toEqual([
    expect.stringMatching(/^\w+ \d+: 2 enrolled, 3 not enrolled, 1 already in a sequence\.$/),
    "2 not enrolled: No inbox is connected for the sender.",
    expect.stringMatching(/^1 not enrolled: The contact has opted out of email/),
    "Near their daily cap: User 7 (3 of 3).",
  ]);
});

test("comes once in its time, whatever many workers do, and whether it is switched off and on again", async () => {
  await set("DAILY");
  await Promise.all([work(), work(), work()]);
  await work();
  await set(null);
  await work();
  await set("DAILY");
  await work();
  expect((await messages()).length).toBe(1);
  await db.database.pool.query("UPDATE alert_marks SET raised_at = raised_at - interval '1 day'");
  await Promise.all([work(), work()]);
  expect((await messages()).length).toBe(2);
  expect((await messages())[0]?.[1]).toMatch(/: no contacts reached the action\.$/);
});

test("of a week comes once a week, and none comes if none is wanted or the account is gone", async () => {
  await set("WEEKLY");
  await Promise.all([work(), work()]);
  await db.database.pool.query("UPDATE alert_marks SET raised_at = raised_at - interval '7 days'");
  await work();
  expect((await messages()).length).toBe(2);
  await db.database.pool.query("TRUNCATE alerts, alert_marks");
  await set(null);
  await work();
  await set("DAILY");
  await db.database.prisma.portal.updateMany({ data: { status: "DISCONNECTED" } });
  await work();
  expect(await messages()).toEqual([]);
});
