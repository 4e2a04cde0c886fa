import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { findPortalPolicy, savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import { deletePreset, findPreset, savePreset } from "#domain/policy/preset-store.js";
import { createRotation, deleteRotation, findRotation, saveRotation } from "#domain/policy/rotation-store.js";
import { markSenders } from "#domain/policy/mark-senders.js";
import { findSender } from "#domain/policy/sender-store.js";
import { undoChange } from "#domain/policy/undo-change.js";
import { adminOf } from "../../support/actors.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const PORTAL = 4_455_667n;
const ADA = adminOf(PORTAL, { userId: 7n });
const BO = adminOf(PORTAL, { userId: 8n });
const KEY = "a-key";
let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(
    `INSERT INTO portals (portal_id, status, scopes, updated_at) VALUES ($1, 'CONNECTED', '{oauth}', now())`,
    [PORTAL],
  );
});
afterAll(() => db.drop());
beforeEach(async () => {
  const tables = "undo_steps, presets, rotations, rotation_members, senders, portal_settings, audit_entries";
  await db.database.pool.query(`TRUNCATE ${tables}`);
});

const undo = (actor = ADA, key = KEY) => undoChange(db.database, actor, key);
const actions = async () =>
  (await db.database.prisma.auditEntry.findMany({ orderBy: { id: "asc" } })).map(({ action }) => action);

async function addPreset(name = "House rules", policy = INITIAL_POLICY): Promise<bigint> {
  const outcome = await savePreset(db.database, ADA, { draft: { name, policy }, saved: undefined });
  if (outcome.kind !== "saved") throw new Error(outcome.kind);
  return outcome.presetId;
}

async function addRotation(name = "Inbound"): Promise<bigint> {
  const members = [
    { userId: 1n, weight: 2 },
    { userId: 2n, weight: 1 },
  ];
  const outcome = await createRotation(db.database, ADA, { name, keepsSender: true, members });
  if (outcome.kind !== "created") throw new Error(outcome.kind);
  return outcome.rotationId;
}

test("a deleted preset comes back under its id and as the default, once, however often it is asked for", async () => {
  const presetId = await addPreset();
  await savePortalPolicy(db.database, ADA, { policy: { defaultPresetId: presetId }, shown: {} });
  await deletePreset(db.database, ADA, { presetId, version: 1, undoKey: KEY });
  const ends = await Promise.all([undo(), undo(), undo()]);
  expect(ends).toEqual(Array(3).fill({ kind: "undone", of: "preset" }));
  expect(await findPreset(db.database, PORTAL, presetId)).toMatchObject({
    name: "House rules",
    policy: INITIAL_POLICY,
    isDefault: true,
  });
  expect(await actions()).toEqual(["CREATED", "CHANGED", "DELETED", "UNDONE"]);
});

test("a changed preset is as it was before, and a form that was filled in meanwhile is refused", async () => {
  const presetId = await addPreset();
  const draft = { name: "Other", policy: { ...INITIAL_POLICY, checkOptOut: false } };
  await savePreset(db.database, ADA, { draft, saved: { presetId, version: 1 }, undoKey: KEY });
  expect(await undo()).toEqual({ kind: "undone", of: "preset" });
  expect(await findPreset(db.database, PORTAL, presetId)).toMatchObject({ name: "House rules", version: 3 });
  const late = await savePreset(db.database, BO, { draft, saved: { presetId, version: 2 } });
  expect(late.kind).toBe("changed-meanwhile");
});

test("what somebody changed since stays, and nothing of it is put back", async () => {
  const presetId = await addPreset();
  const change = (name: string, version: number, undoKey?: string) =>
    savePreset(db.database, BO, {
      draft: { name, policy: INITIAL_POLICY },
      saved: { presetId, version },
      ...(undoKey === undefined ? {} : { undoKey }),
    });
  await change("Second", 1, KEY);
  await change("Third", 2);
  expect(await undo(BO)).toEqual({ kind: "changed-meanwhile" });
  expect((await findPreset(db.database, PORTAL, presetId))?.name).toBe("Third");
});

test("a deleted preset stays away while another has its name, or its rotation is gone", async () => {
  const rotationId = await addRotation();
  const fallback = { ...INITIAL_POLICY.fallback, rotationId: rotationId.toString() };
  const presetId = await addPreset("House rules", { ...INITIAL_POLICY, fallback });
  await deletePreset(db.database, ADA, { presetId, version: 1, undoKey: KEY });
  const other = await addPreset();
  expect(await undo()).toEqual({ kind: "name-taken" });
  await deletePreset(db.database, ADA, { presetId: other, version: 1 });
  await deleteRotation(db.database, ADA, { rotationId, version: 1, undoKey: "rotation" });
  expect(await undo()).toEqual({ kind: "rotation-gone" });
  // Once the rotation is back, under its id, so can be the preset.
  expect(await undo(ADA, "rotation")).toEqual({ kind: "undone", of: "rotation" });
  expect(await undo()).toEqual({ kind: "undone", of: "preset" });
});

test("a rotation comes back with its members, their weights and what they have had", async () => {
  const rotationId = await addRotation();
  await db.database.pool.query("UPDATE rotation_members SET picks = 5 WHERE user_id = 1");
  const draft = { name: "Renamed", keepsSender: false, members: [{ userId: 3n, weight: 1 }] };
  await saveRotation(db.database, ADA, { rotationId, draft, version: 1, undoKey: KEY });
  await undo();
  const members = [
    { userId: 1n, weight: 2 },
    { userId: 2n, weight: 1 },
  ];
  const back = { name: "Inbound", keepsSender: true, members };
  expect(await findRotation(db.database, PORTAL, rotationId)).toMatchObject(back);
  await deleteRotation(db.database, ADA, { rotationId, version: 3, undoKey: "deleted" });
  await undo(ADA, "deleted");
  expect(await findRotation(db.database, PORTAL, rotationId)).toMatchObject(back);
});

test("marks on a list of senders, and who may send at all, are as they were", async () => {
  const senders = [1n, 2n].map((userId) => ({ userId, name: `User ${userId}`, version: 0 }));
  await markSenders(db.database, ADA, { senders, isAllowed: false, undoKey: KEY });
  expect(await undo()).toEqual({ kind: "undone", of: "marks" });
  expect((await findSender(db.database, PORTAL, 1n)).choices.isAllowed).toBeNull();
  await markSenders(db.database, ADA, {
    senders: senders.map((sender) => ({ ...sender, version: 2 })),
    isAllowed: true,
    undoKey: "marks",
  });
  await savePortalPolicy(db.database, ADA, {
    policy: { onlyListedSenders: true },
    shown: {},
    undoKey: "policy",
  });
  expect((await findPortalPolicy(db.database, PORTAL)).policy.onlyListedSenders).toBe(true);
  expect(await undo(ADA, "policy")).toEqual({ kind: "undone", of: "policy" });
  expect((await findPortalPolicy(db.database, PORTAL)).policy.onlyListedSenders).toBe(false);
  // One of the two was changed since: neither goes back.
  await markSenders(db.database, BO, {
    senders: [{ userId: 2n, name: "User 2", version: 3 }],
    isAllowed: false,
  });
  expect(await undo(ADA, "marks")).toEqual({ kind: "changed-meanwhile" });
  expect((await findSender(db.database, PORTAL, 1n)).choices.isAllowed).toBe(true);
});

test("a change is taken back by whoever made it alone, within ten minutes, in their own account", async () => {
  const presetId = await addPreset();
  await deletePreset(db.database, ADA, { presetId, version: 1, undoKey: KEY });
  expect(await undo(BO)).toEqual({ kind: "unknown" });
  expect(await undo({ ...ADA, portalId: 1n })).toEqual({ kind: "unknown" });
  expect(await undo(ADA, "another")).toEqual({ kind: "unknown" });
  await db.database.pool.query("UPDATE undo_steps SET created_at = now() - interval '11 minutes'");
  expect(await undo()).toEqual({ kind: "too-late" });
  expect(await findPreset(db.database, PORTAL, presetId)).toBeUndefined();
});

test("what can be taken back no longer is forgotten with the next change", async () => {
  const first = await addPreset();
  await deletePreset(db.database, ADA, { presetId: first, version: 1, undoKey: "old" });
  await db.database.pool.query("UPDATE undo_steps SET created_at = now() - interval '2 hours'");
  const second = await addPreset();
  await deletePreset(db.database, ADA, { presetId: second, version: 1, undoKey: "new" });
  expect((await db.database.prisma.undoStep.findMany()).map(({ key }) => key)).toEqual(["new"]);
});
