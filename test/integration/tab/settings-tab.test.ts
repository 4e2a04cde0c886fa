import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { seedExecutions } from "../../support/executions.js";
import type { ParsedBody } from "../../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { adminOf } from "../../support/actors.js";

type Ask = Parameters<SimulatedPortal["hubspotFetch"]>[1];

let running: RunningApp;
let portal: SimulatedPortal;
let other: SimulatedPortal;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator);
  other = addPlainPortal(running.simulator);
  for (const one of [portal, other]) {
    await running.install(one);
    await untilUsersAreKnown(one);
  }
});

afterAll(() => running.close());

const prisma = () => running.db.database.prisma;
const idOf = (one: SimulatedPortal): bigint => BigInt(one.portalId);

async function untilUsersAreKnown(one: SimulatedPortal): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  while ((await prisma().user.count({ where: { portalId: idOf(one) } })) === 0) {
    if (Date.now() > deadlineMs) throw new Error(`the users of portal ${one.portalId} were not copied`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As the tab asks, through HubSpot's proxy; the super admin unless another user is named. */
async function ask(
  path: string,
  request: Ask = {},
  from = portal,
): Promise<{ status: number; body: ParsedBody }> {
  const { status, body } = await from.hubspotFetch(`${running.publicUrl}/hubspot/settings/${path}`, request);
  return { status, body: JSON.parse(body) };
}

const defaults = async (from = portal): Promise<ParsedBody> => (await ask("defaults", {}, from)).body;
const save = (body: object, request: Ask = {}) => ask("defaults", { method: "PUT", body, ...request });
const auditEntries = () => prisma().auditEntry.findMany({ orderBy: { id: "asc" } });

function addPreset(name: string, one = portal) {
  return prisma().preset.create({ data: { portalId: idOf(one), name, policy: {} } });
}

describe("who gets an answer", () => {
  test.each([
    ["no signature", {}],
    ["a wrong one", { v3: "bad" }],
    ["a good one from six minutes ago", { v3: "stale" }],
    ["the older kind alone, which says nothing of the time", { v2: "good" }],
    ["the older kind beside a wrong one", { v2: "good", v3: "bad" }],
  ] as const)("a request with %s is refused, and nothing is told or changed", async (_what, signing) => {
    expect(await ask("overview", { signing })).toMatchObject({
      status: 401,
      body: { code: "SIGNATURE_REFUSED" },
    });
    const { version } = await defaults();
    const answer = await save({ version, senderUserId: null, presetId: null }, { signing });
    expect(answer.status).toBe(401);
  });

  test("a portal named in the caller's own URL, beside HubSpot's, is not believed", async () => {
    const answer = await ask(`overview?portalId=${other.portalId}`);
    expect(answer).toMatchObject({ status: 400, body: { code: "IDENTITY_UNREADABLE" } });
    expect((await ask("overview?user%49d=1")).status).toBe(400);
    expect((await ask("overview?page=2")).status).toBe(200);
  });

  test("a user who is no super admin is refused with a sentence to act on", async () => {
    const seller = [...portal.users.values()].find((user) => !user.superAdmin)!;
    for (const path of ["overview", "defaults"]) {
      expect(await ask(path, { userId: seller.userId })).toEqual({
        status: 403,
        body: { code: "NOT_AN_ADMIN", message: expect.stringContaining("super admins") },
      });
    }
    const { version } = await defaults();
    const change = { version, senderUserId: String(seller.userId), presetId: null };
    expect((await save(change, { userId: seller.userId })).status).toBe(403);
    expect((await defaults()).senderUserId).toBeNull();
  });

  test("a user whom an admin has let in on the settings site is answered", async () => {
    const seller = [...portal.users.values()].find((user) => !user.superAdmin)!;
    const key = { portalId: idOf(portal), userId: BigInt(seller.userId) };
    await prisma().portalAdmin.create({ data: key });
    expect((await ask("overview", { userId: seller.userId })).status).toBe(200);
    await prisma().portalAdmin.deleteMany({ where: key });
    expect((await ask("overview", { userId: seller.userId })).status).toBe(403);
  });

  test("once the permission to read users is gone, who was a super admin by the last list stays the only admin", async () => {
    const portalId = idOf(other);
    const { scopes } = await prisma().portal.findUniqueOrThrow({ where: { portalId } });
    const without = scopes.filter((scope) => scope !== "settings.users.read");
    await prisma().portal.update({ where: { portalId }, data: { scopes: without } });
    const another = [...other.users.values()].find(({ userId }) => userId !== other.admin.userId)!;
    expect((await ask("overview", {}, other)).status).toBe(200);
    expect(await ask("overview", { userId: another.userId }, other)).toMatchObject({
      status: 403,
      body: { code: "NOT_AN_ADMIN", message: expect.stringContaining("Ask a super admin to add you") },
    });
    await prisma().portal.update({ where: { portalId }, data: { scopes } });
  });

  test("an account without the app is told to install it", async () => {
    const stranger = addPlainPortal(running.simulator);
    expect(await ask("overview", {}, stranger)).toMatchObject({
      status: 404,
      body: { code: "NOT_INSTALLED" },
    });
  });
});

describe("the overview", () => {
  beforeEach(async () => {
    await prisma().execution.deleteMany();
  });

  test("counts today's contacts of this account, and all that wait", async () => {
    const portalId = idOf(portal);
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    const done = (enrollmentStatus: string, acceptedAt = new Date()) => ({
      portalId,
      enrollmentStatus,
      acceptedAt,
      state: "COMPLETED",
      sequenceId: "1",
    });
    const waiting = { portalId, state: "UNCERTAIN", acceptedAt: yesterday };
    await seedExecutions(running.db.database, [
      done("ENROLLED", yesterday),
      waiting,
      { ...waiting, state: "WATCHING", sequenceId: "1" },
      { ...waiting, state: "WATCHING", kind: "WAIT_FOR_SEQUENCE_END" },
      { ...waiting, state: "COMPLETED", enrollmentStatus: "FAILED" },
      done("ENROLLED"),
      done("ENROLLED"),
      done("ALREADY_ENROLLED"),
      done("SKIPPED"),
      done("FAILED"),
      { ...done("ENROLLED"), portalId: idOf(other) },
    ]);
    // Held out of the worker's hands until tomorrow, so that it is still waiting when it is counted.
    await prisma().execution.updateMany({
      where: { state: { in: ["UNCERTAIN", "WATCHING"] } },
      data: { dueAt: new Date(Date.now() + 86_400_000) },
    });
    const { status, body } = await ask("overview");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      connection: { isConnected: true, missingScopes: [] },
      pausedSince: null,
      trouble: null,
      today: {
        enrolled: 2,
        alreadyEnrolled: 1,
        skipped: 1,
        failed: 1,
        waiting: 2,
        isPartial: false,
      },
      siteUrl: `${running.publicUrl}/settings`,
    });
    const since = new Date(body.today.since);
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: body.timeZone, timeStyle: "medium" });
    expect(clock.format(since)).toBe("00:00:00");
    expect(Date.now() - since.getTime()).toBeLessThan(25 * 3_600_000);
  });

  test("shows a pause, missing permissions and trouble with HubSpot", async () => {
    const portalId = idOf(portal);
    const { scopes } = await prisma().portal.findUniqueOrThrow({ where: { portalId } });
    const pausedAt = new Date("2026-11-20T08:00:00Z");
    const drain = {
      circuitTrips: 2,
      circuitOpenedAt: new Date("2026-11-20T09:00:00Z"),
      circuitOpenUntil: new Date("2026-11-20T09:05:00Z"),
      circuitReason: "HubSpot answered 503.",
    };
    await prisma().portal.update({
      where: { portalId },
      data: { scopes: scopes.filter((scope) => scope !== "automation") },
    });
    await prisma().portalSettings.upsert({
      where: { portalId },
      create: { portalId, pausedAt },
      update: { pausedAt },
    });
    await prisma().portalDrain.update({ where: { portalId }, data: drain });
    expect((await ask("overview")).body).toMatchObject({
      connection: { missingScopes: ["automation"] },
      pausedSince: "2026-11-20T08:00:00.000Z",
      trouble: {
        since: "2026-11-20T09:00:00.000Z",
        restsUntil: "2026-11-20T09:05:00.000Z",
        lastFailure: "HubSpot answered 503.",
      },
    });
    await prisma().portal.update({ where: { portalId }, data: { scopes } });
    await prisma().portalSettings.delete({ where: { portalId } });
    await prisma().portalDrain.update({
      where: { portalId },
      data: { circuitTrips: 0, circuitOpenedAt: null, circuitOpenUntil: null, circuitReason: null },
    });
  });
});

describe("the default sender and preset", () => {
  let seller: string;

  beforeEach(async () => {
    await prisma().auditEntry.deleteMany();
    await prisma().portalSettings.deleteMany();
    await prisma().preset.deleteMany();
    seller = String([...portal.users.values()][1]!.userId);
  });

  test("are saved together, with a note of who did it, and come back with a new version", async () => {
    const preset = await addPreset("New customers");
    const before = await defaults();
    expect(before).toMatchObject({ senderUserId: null, presetId: null });
    expect(before.presets).toEqual([{ value: String(preset.presetId), label: "New customers" }]);
    expect(before.senders.map(({ value }: { value: string }) => value)).toContain(seller);

    const change = { version: before.version, senderUserId: seller, presetId: String(preset.presetId) };
    const { status, body } = await save(change);
    expect(status).toBe(200);
    expect(body).toMatchObject({ senderUserId: seller, presetId: String(preset.presetId) });
    expect(body.version).not.toBe(before.version);
    expect(await defaults()).toEqual(body);
    expect(await prisma().preset.findFirst()).toMatchObject({ isDefault: true, version: 0 });
    expect(await auditEntries()).toMatchObject([
      {
        portalId: idOf(portal),
        userId: BigInt(portal.admin.userId),
        userEmail: portal.admin.email,
        subject: "portal",
        action: "CHANGED",
        before: { defaultSenderUserId: null, defaultPreset: null },
        after: { defaultSenderUserId: seller, defaultPreset: "New customers" },
      },
    ]);
  });

  test("a portal and a user named in the body are not looked at", async () => {
    const theirs = await defaults(other);
    const { version } = await defaults();
    const answer = await save({
      version,
      senderUserId: seller,
      presetId: null,
      portalId: other.portalId,
      userId: 1,
    });
    expect(answer.status).toBe(200);
    expect(await defaults(other)).toEqual(theirs);
    expect(await auditEntries()).toMatchObject([
      { portalId: idOf(portal), userId: BigInt(portal.admin.userId) },
    ]);
  });

  test("two admins cannot overwrite each other unseen", async () => {
    const { version } = await defaults();
    const mine = String(portal.admin.userId);
    expect((await save({ version, senderUserId: seller, presetId: null })).status).toBe(200);
    expect(await save({ version, senderUserId: mine, presetId: null })).toMatchObject({
      status: 409,
      body: { code: "CHANGED_MEANWHILE" },
    });
    expect((await defaults()).senderUserId).toBe(seller);
    const both = await defaults();
    const racing = [mine, null].map((senderUserId) =>
      save({ version: both.version, senderUserId, presetId: null }),
    );
    expect((await Promise.all(racing)).map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await auditEntries()).toHaveLength(2);
  });

  test("a change of the default preset elsewhere counts as a change", async () => {
    const preset = await addPreset("New customers");
    const { version } = await defaults();
    await prisma().preset.updateMany({
      where: { portalId: idOf(portal), presetId: preset.presetId },
      data: { isDefault: true },
    });
    const changed = await defaults();
    expect((await save({ version, senderUserId: seller, presetId: null })).status).toBe(409);
    expect(await defaults()).toEqual(changed);
    expect(await auditEntries()).toEqual([]);
  });

  test("a change on the settings site at the same moment and one here: one is saved, the other is told", async () => {
    const presets = [await addPreset("One"), await addPreset("Two")];
    for (let round = 0; round < 20; round += 1) {
      const current = await defaults();
      const [mine, theirs] = round % 2 === 0 ? presets : presets.toReversed();
      const instead = current.presetId === null ? null : BigInt(current.presetId);
      const change = {
        policy: { defaultPresetId: mine?.presetId ?? null },
        shown: { defaultPresetId: instead, presetVersion: mine?.version ?? 0 },
      };
      const [outcome, answer] = await Promise.all([
        savePortalPolicy(running.db.database, adminOf(idOf(portal)), change),
        save({ version: current.version, senderUserId: null, presetId: String(theirs?.presetId) }),
      ]);
      expect([
        ["saved", 409],
        ["changed-meanwhile", 200],
        // Where one of them asks for what is so already, both have their way.
        ["saved", 200],
      ]).toContainEqual([outcome, answer.status]);
      expect(await prisma().preset.count({ where: { isDefault: true } })).toBe(1);
    }
  });

  test("HubSpot's own repeat of a save whose answer was lost succeeds and changes nothing", async () => {
    const { version } = await defaults();
    const change = { version, senderUserId: seller, presetId: null };
    const first = await save(change, { method: "POST" });
    expect(await save(change, { method: "POST" })).toEqual(first);
    expect(await auditEntries()).toHaveLength(1);
  });

  test("the default moves from one preset to another, and can be taken away", async () => {
    const [one, two] = [await addPreset("One"), await addPreset("Two")];
    const choose = async (presetId: bigint | null): Promise<number> => {
      const { version } = await defaults();
      const change = { version, senderUserId: null, presetId: presetId === null ? null : String(presetId) };
      return (await save(change)).status;
    };
    expect(await choose(one.presetId)).toBe(200);
    expect(await choose(two.presetId)).toBe(200);
    expect((await defaults()).presetId).toBe(String(two.presetId));
    expect(await choose(null)).toBe(200);
    expect(await prisma().preset.count({ where: { isDefault: true } })).toBe(0);
  });

  test("must be somebody and something of this account", async () => {
    const theirs = await addPreset("Theirs", other);
    const { version } = await defaults();
    const stranger = { version, senderUserId: "999999999", presetId: null };
    expect(await save(stranger)).toMatchObject({ status: 422, body: { code: "UNKNOWN_SENDER" } });
    const foreign = { version, senderUserId: null, presetId: String(theirs.presetId) };
    expect(await save(foreign)).toMatchObject({ status: 422, body: { code: "UNKNOWN_PRESET" } });
    expect(await defaults()).toMatchObject({ version, senderUserId: null, presetId: null });
    expect(await auditEntries()).toEqual([]);
  });

  test.each([
    ["an empty body", {}],
    ["a sender that is a number", { version: "0.", senderUserId: 5, presetId: null }],
    ["a sender in words", { version: "0.", senderUserId: "Ann'; --", presetId: null }],
  ])("%s is refused", async (_what, body) => {
    expect(await save(body)).toMatchObject({ status: 400, body: { code: "INVALID_BODY" } });
  });
});
