import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { changeRole, giveAccess, removeAccess } from "#domain/accounts/change-access.js";
import { requestErasure, setPaused } from "#domain/accounts/portal-pause.js";
import { changeAlerts } from "#domain/alerts/change-alerts.js";
import { sendTestAlert } from "#domain/alerts/test-alert.js";
import { recordChange, type AuditedChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { NotAllowed } from "#domain/contract/actor-rights.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { actOnExecution } from "#domain/history/act-on-execution.js";
import { startBulkJob, stopBulkJob } from "#domain/history/bulk-jobs.js";
import { savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { deletePreset, savePreset } from "#domain/policy/preset-store.js";
import { createRotation, deleteRotation, saveRotation } from "#domain/policy/rotation-store.js";
import { markSenders } from "#domain/policy/mark-senders.js";
import { clearRefusal, findSender, saveSender } from "#domain/policy/sender-store.js";
import { createCipher } from "#domain/vault/cipher.js";
import { createTokenStore } from "#domain/vault/store.js";
import { inPrismaTransaction, inTransaction } from "#platform/db/transaction.js";
import { adminOf, systemOf } from "../../support/actors.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { KEYS } from "../../support/site.js";

let db: TestDatabase;
let portalId = 81_000n;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  portalId += 1n;
  await db.database.prisma.portal.create({ data: { portalId, status: "CONNECTED" } });
});

const entries = () => db.database.prisma.auditEntry.findMany({ where: { portalId }, orderBy: { id: "asc" } });
const admin = () => adminOf(portalId, { userId: 1n, userEmail: "ada@acme.example" });
const desk = () => ({
  pool: db.database.pool,
  cipher: createCipher(KEYS),
  privateDestinations: new Set<string>(),
});

describe.each([
  [
    "pg",
    (change: AuditedChange) => inTransaction(db.database.pool, (tx) => recordChange(tx, admin(), change)),
  ],
  [
    "Prisma",
    (change: AuditedChange) =>
      inPrismaTransaction(db.database.prisma, (tx) => recordChange(tx, admin(), change)),
  ],
])("an entry written in a transaction of %s", (_driver, record) => {
  const preset = { subject: "preset", subjectName: "Outbound", action: "CHANGED" };

  test("says who changed what in whose account, with ids as text", async () => {
    await record({ ...preset, before: { userId: 2n ** 60n, days: [1] }, after: { userId: null, days: [] } });
    expect(await entries()).toMatchObject([
      {
        portalId,
        userId: 1n,
        userEmail: "ada@acme.example",
        ...preset,
        before: { userId: String(2n ** 60n), days: [1] },
        after: { userId: null, days: [] },
      },
    ]);
  });

  test("is left out where nothing changed, in whatever order it is told", async () => {
    await record({
      ...preset,
      before: { name: "A", at: { x: 1, y: [2] } },
      after: { at: { y: [2], x: 1 }, name: "A" },
    });
    expect(await entries()).toEqual([]);
  });

  test("is there for a deed, which has no state before or after", async () => {
    await record({ subject: "alerts", subjectName: "Test mail", action: "SENT" });
    await record({ ...preset, action: "CREATED", after: {} });
    expect(await entries()).toMatchObject([
      { action: "SENT", before: null, after: null },
      { action: "CREATED", before: null, after: {} },
    ]);
  });
});

describe("what is saved as it was", () => {
  test("leaves no entry, whatever it is", async () => {
    const { database } = db;
    const draft = { name: "Outbound", policy: INITIAL_POLICY };
    const made = await savePreset(database, admin(), { draft, saved: undefined });
    const rotation = { name: "DACH", keepsSender: false, members: [{ userId: 7n, weight: 1 }] };
    const rotationMade = await createRotation(database, admin(), rotation);
    if (made.kind !== "saved" || rotationMade.kind !== "created") throw new Error("not made");
    const settings = {
      webhookUrl: null,
      email: null,
      failureCount: 5,
      failurePercent: null,
      digest: null,
      version: 0,
    };
    expect(await changeAlerts(desk(), admin(), settings)).toEqual({ kind: "saved", waiting: 0 });
    const before = await entries();
    expect(before).toHaveLength(3);
    const sender = { userId: 7n, name: "Ann Lee" };
    const { choices } = await findSender(database, portalId, 7n);
    await savePreset(database, admin(), { draft, saved: { presetId: made.presetId, version: 1 } });
    const { rotationId } = rotationMade;
    await saveRotation(database, admin(), { rotationId, draft: rotation, version: 1 });
    await saveSender(database, admin(), { sender, choices, version: 0 });
    await markSenders(database, admin(), { senders: [{ ...sender, version: 1 }], isAllowed: null });
    await clearRefusal(database, admin(), sender);
    await savePortalPolicy(database, admin(), { policy: { onlyListedSenders: false }, shown: {} });
    expect(await changeAlerts(desk(), admin(), { ...settings, version: 1 })).toMatchObject({ kind: "saved" });
    await setPaused(database.pool, admin(), false);
    expect(await entries()).toEqual(before);
  });

  test("but another address of a webhook on the same host leaves one that does not tell it", async () => {
    const settings = { email: null, failureCount: null, failurePercent: null, digest: null };
    const saveUrl = (webhookUrl: string, version: number) =>
      changeAlerts(desk(), admin(), { ...settings, webhookUrl, version });
    expect(await saveUrl("https://hooks.example/first-secret", 0)).toMatchObject({ kind: "saved" });
    expect(await saveUrl("https://hooks.example/other-secret", 1)).toMatchObject({ kind: "saved" });
    const [, replaced] = await entries();
    expect(replaced?.after).toMatchObject({ alertWebhookUrl: "hooks.example", alertWebhookPath: "replaced" });
    expect(JSON.stringify((await entries()).map(({ before, after }) => [before, after]))).not.toContain(
      "secret",
    );
  });
});

describe("a key that has no scope", () => {
  /** Every verb of the account, as the actor would call it. */
  const verbs: Record<string, (actor: Actor) => Promise<unknown>> = {
    savePreset: (actor) =>
      savePreset(db.database, actor, { draft: { name: "X", policy: INITIAL_POLICY }, saved: undefined }),
    deletePreset: (actor) => deletePreset(db.database, actor, { presetId: 1n, version: 1 }),
    createRotation: (actor) =>
      createRotation(db.database, actor, { name: "X", keepsSender: false, members: [] }),
    saveRotation: (actor) =>
      saveRotation(db.database, actor, {
        rotationId: 1n,
        version: 1,
        draft: { name: "X", keepsSender: false, members: [] },
      }),
    deleteRotation: (actor) => deleteRotation(db.database, actor, { rotationId: 1n, version: 1 }),
    saveSender: async (actor) =>
      saveSender(db.database, actor, {
        sender: { userId: 7n, name: "Ann" },
        version: 0,
        choices: (await findSender(db.database, portalId, 7n)).choices,
      }),
    markSenders: (actor) => markSenders(db.database, actor, { senders: [], isAllowed: true }),
    clearRefusal: (actor) => clearRefusal(db.database, actor, { userId: 7n, name: "Ann" }),
    savePortalPolicy: (actor) =>
      savePortalPolicy(db.database, actor, { policy: { maxHoldDays: 9 }, shown: {} }),
    pause: (actor) => setPaused(db.database.pool, actor, true),
    requestErasure: (actor) => requestErasure(db.database.pool, actor),
    giveAccess: (actor) => giveAccess(db.database.pool, actor, { userId: 8n, label: "Bo", role: "admin" }),
    changeRole: (actor) => changeRole(db.database.pool, actor, { userId: 8n, label: "Bo", role: "viewer" }),
    removeAccess: (actor) => removeAccess(db.database.pool, actor, { userId: 8n, label: "Bo" }),
    changeAlerts: (actor) =>
      changeAlerts(desk(), actor, {
        webhookUrl: null,
        email: null,
        failureCount: 1,
        failurePercent: null,
        digest: null,
        version: 0,
      }),
    sendTestAlert: (actor) => sendTestAlert(desk(), actor, "EMAIL"),
    actOnExecution: (actor) => actOnExecution(db.database.pool, actor, { action: "CANCEL", id: 1n }),
    startBulkJob: (actor) => startBulkJob(db.database.pool, actor, { action: "CANCEL", filter: {} }),
    stopBulkJob: (actor) => stopBulkJob(db.database.pool, actor, 1n),
    disconnect: async (actor) =>
      createTokenStore({ pool: db.database.pool, mayTakeOver: () => Promise.resolve(false) }).disconnect({
        actor,
        reason: "Gone.",
      }),
  };

  test.each(Object.entries(verbs))("is refused by %s, and nothing is written", async (_verb, call) => {
    const actor: Actor = { kind: "apiKey", portalId, keyId: 1n, name: "Nightly", scopes: [] };
    // Verbs refuse by a rejection, whichever way they are written.
    await expect((async () => call(actor))()).rejects.toBeInstanceOf(NotAllowed);
    expect(await entries()).toEqual([]);
    const { status } = await db.database.prisma.portal.findUniqueOrThrow({ where: { portalId } });
    expect([status, await db.database.prisma.portalSettings.count({ where: { portalId } })]).toEqual([
      "CONNECTED",
      0,
    ]);
  });
});

test("the operator's disconnect is the operator's in the audit", async () => {
  const store = createTokenStore({ pool: db.database.pool, mayTakeOver: () => Promise.resolve(false) });
  const actor = systemOf(portalId, "operator");
  for (let again = 0; again < 2; again += 1) await store.disconnect({ actor, reason: "Deleted." });
  expect(await entries()).toMatchObject([
    { userEmail: "The operator of this service", action: "DISCONNECTED", after: { reason: "Deleted." } },
  ]);
});
