import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { DatabaseError } from "pg";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { applyLateFates } from "#worker/sweeps/apply-late-fates.js";
import { eachPortal } from "#worker/sweeps/each-portal.js";
import { resealEveryWebhook } from "#worker/sweeps/reseal-webhooks.js";
import { sendDueAlerts } from "#worker/sweeps/send-alerts.js";
import { tellOfFixedUserLists } from "#worker/sweeps/watch-idle-portals.js";
import { watchBacklogs, watchFailures, watchOwnFaults } from "#worker/sweeps/watch-portals.js";
import { createLogger } from "#platform/observability/logger.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";
import { KEYS } from "../../support/site.js";

/** The first of the accounts that are gone through cannot be served. */
const ILL = 61_001n;
const WELL = 61_002n;

let db: TestDatabase;
let complaints: Record<string, unknown>[];
const logger = createLogger({
  level: "error",
  destination: { write: (line: string) => void complaints.push(JSON.parse(line) as Record<string, unknown>) },
});

beforeEach(async () => {
  complaints = [];
  db = await createTestDatabase();
  for (const portalId of [ILL, WELL])
    await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED", scopes: [] } });
});

afterEach(() => db.drop());

const pool = () => db.database.pool;

/** Lets nothing be written of the ill account in a table. */
const spoil = (table: string) =>
  pool().query(`ALTER TABLE ${table} ADD CONSTRAINT ill CHECK (portal_id <> ${ILL}) NOT VALID`);

const told = async () =>
  (await db.database.prisma.alert.findMany({ where: { channel: "EMAIL" }, orderBy: { id: "asc" } })).map(
    ({ portalId, kind }) => `${portalId} ${kind}`,
  );

const minutesAgo = (count: number) => new Date(Date.now() - count * 60_000);

/** Everything both accounts are to be alerted of. */
async function makeTrouble(): Promise<void> {
  for (const portalId of [ILL, WELL]) {
    await db.database.prisma.portalSettings.create({ data: { portalId, alertFailureCount: 1 } });
    await seedExecutions(db.database, [
      { portalId, enrollmentStatus: "FAILED", errorCode: "BOUNCED" },
      { portalId, acceptedAt: minutesAgo(30), deadlineAt: minutesAgo(-5) },
    ]);
    await db.database.prisma.portalDrain.create({
      data: { portalId, circuitTrips: 1, circuitCause: "VAULT_KEY_UNKNOWN", circuitOpenedAt: minutesAgo(40) },
    });
    const twoDaysAgo = minutesAgo(2 * 24 * 60);
    await db.database.prisma.portal.update({
      where: { portalId },
      data: { usersReadAt: twoDaysAgo, usersRefusedAt: twoDaysAgo },
    });
  }
}

test("alerts of other accounts are raised though those of one cannot be, and the operator reads which", async () => {
  await makeTrouble();
  await spoil("alerts");
  for (const watch of [watchFailures, watchBacklogs, watchOwnFaults, tellOfFixedUserLists])
    await watch({ pool: pool(), logger });
  expect(await told()).toEqual(
    ["FAILURES_HIGH", "BACKLOG_LATE", "SERVICE_FAULT", "USER_LIST_OLD"].map((kind) => `${WELL} ${kind}`),
  );
  expect(complaints.map(({ portalId }) => portalId)).toEqual(Array.from({ length: 4 }, () => String(ILL)));
});

test("accounts are watched though one cannot be looked at, and the operator reads which", async () => {
  await makeTrouble();
  await db.database.prisma.portalSettings.update({
    where: { portalId: ILL },
    data: { alertFailureCount: null, alertFailurePercent: 2_000_000_000 },
  });
  const decided = { portalId: ILL, enrollmentStatus: "FAILED", errorCode: "BOUNCED" };
  await seedExecutions(
    db.database,
    Array.from({ length: 20 }, () => decided),
  );
  await watchFailures({ pool: pool(), logger });
  expect(await told()).toEqual([`${WELL} FAILURES_HIGH`]);
  expect(complaints.map(({ portalId }) => portalId)).toEqual([String(ILL)]);
});

test("alerts of other accounts are sent though what became of one cannot be noted", async () => {
  for (const portalId of [ILL, WELL])
    await raiseAlert(pool(), { portalId, kind: "FAILURES_HIGH", message: "Many." });
  await pool().query(
    `ALTER TABLE alerts ADD CONSTRAINT ill CHECK (portal_id <> ${ILL} OR ended_at IS NULL) NOT VALID`,
  );
  await sendDueAlerts({
    pool: pool(),
    logger,
    mailer: undefined,
    cipher: createCipher(KEYS),
    poster: { post: () => Promise.reject(new Error("no")), close: () => Promise.resolve() },
    publicUrl: "https://enroller.example",
  });
  const alerts = await db.database.prisma.alert.findMany({ orderBy: { portalId: "asc" } });
  expect(alerts.map(({ portalId, outcome }) => [portalId, outcome])).toEqual([
    ...[0, 1].map(() => [ILL, null]),
    ...[0, 1].map(() => [WELL, "NOT_WANTED"]),
  ]);
  expect(complaints.map(({ portalId }) => portalId)).toEqual([String(ILL), String(ILL)]);
});

test("what came late of a contact that is gone is erased though another account cannot be looked at", async () => {
  for (const portalId of [ILL, WELL]) {
    await applyContactChanges(pool(), [{ kind: "erased", portalId, contactId: "1001" }]);
    await seedExecutions(db.database, [{ portalId, contactId: "1001", acceptedAt: minutesAgo(10) }]);
  }
  await spoil("contact_fate_checks");
  await applyLateFates(pool(), logger);
  const { rows } = await pool().query(`SELECT portal_id, contact_id FROM executions ORDER BY portal_id`);
  expect(rows).toEqual([
    { portal_id: String(ILL), contact_id: "1001" },
    { portal_id: String(WELL), contact_id: "erased" },
  ]);
});

test("webhooks are sealed though the seal of another account's does not open", async () => {
  await db.database.prisma.portalSettings.createMany({
    data: [
      { portalId: ILL, alertWebhookSealed: "v1.lost.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA" },
      { portalId: WELL, alertWebhookUrl: "https://hooks.example/secret" },
    ],
  });
  await resealEveryWebhook({ pool: pool(), cipher: createCipher(KEYS), logger });
  const { alertWebhookUrl } = await db.database.prisma.portalSettings.findUniqueOrThrow({
    where: { portalId: WELL },
  });
  expect(alertWebhookUrl).toBeNull();
  expect(complaints).toMatchObject([{ portalId: String(ILL) }]);
});

test("a row of one account that somebody holds keeps no other waiting, and a database that is gone ends the round", async () => {
  const raise = (portalId: bigint) =>
    raiseAlert(pool(), { portalId, kind: "FAILURES_HIGH", message: "Many." });
  const roundWith = (code: string) =>
    eachPortal([{ portalId: ILL }, { portalId: WELL }], { logger, what: "no" }, async ({ portalId }) => {
      if (portalId === ILL) throw Object.assign(new DatabaseError("no", 2, "error"), { code });
      await raise(portalId);
    });
  await expect(roundWith("57P01")).rejects.toThrow("no");
  expect(await told()).toEqual([]);
  await roundWith("55P03");
  expect(await told()).toEqual([`${WELL} FAILURES_HIGH`]);
});
