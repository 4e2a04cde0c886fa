import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { findDuePortals, findOverduePortals, hasQueuedWork } from "#worker/sweeps/wake-due-portals.js";
import { findUnusedGrants } from "#worker/sweeps/watch-idle-portals.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

let db: TestDatabase;
let portalId = 71_000n;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

/** Each test has an account of its own, connected and at rest: its lists were read, and nothing is open. */
beforeEach(async () => {
  portalId += 1n;
  const read = { directorySyncedAt: now(-60), usersReadAt: now(-60) };
  await prisma().portal.create({ data: { portalId, status: "CONNECTED", ...read } });
});

const prisma = () => db.database.prisma;
const now = (seconds: number): Date => new Date(Date.now() + seconds * 1_000);
const seed = (given: Omit<ExecutionSeed, "portalId">) =>
  seedExecutions(db.database, [{ portalId, dueAt: now(-1), ...given }]);
const portal = (data: object) => prisma().portal.update({ where: { portalId }, data });
const pause = () => prisma().portalSettings.create({ data: { portalId, pausedAt: new Date() } });
const openCircuit = (until: Date) =>
  prisma().portalDrain.create({ data: { portalId, circuitOpenUntil: until } });
const makeFlow = (dueAt: Date) =>
  prisma().madeFlow.create({
    data: { portalId, requestKey: "k", recipe: "FORM", name: "Webinar", definition: {}, dueAt },
  });
const putIn = (dueAt: Date) =>
  prisma().flowEntry.create({ data: { portalId, requestId: "r", flowId: "1", contactId: "151", dueAt } });
const isDue = async () => (await findDuePortals(db.database.pool)).includes(portalId);
const isOverdue = async () => (await findOverduePortals(db.database.pool)).includes(portalId);

describe("an account is found by the sweep, though every wake was lost,", () => {
  test.each<[what: string, begin: () => Promise<unknown>]>([
    ["when a contact is due", () => seed({})],
    ["when a contact in doubt is due", () => seed({ state: "UNCERTAIN" })],
    ["when a contact that waits for its sequence's end is due", () => seed({ state: "WATCHING" })],
    ["when a completion is due", () => seed({ state: "DECIDED" })],
    ["when an owner died over an attempt", () => seed({ state: "ATTEMPTING", dueAt: now(3_600) })],
    ["when its lists were asked for", () => portal({ directoryRequestedAt: now(-1) })],
    ["when its list of users was asked for", () => portal({ usersRequestedAt: now(-1) })],
    [
      "when its lists were never read",
      () => portal({ directoryRequestedAt: now(-1), directorySyncedAt: null }),
    ],
    [
      "when it is paused and something may have been sent",
      () => Promise.all([pause(), seed({ state: "UNCERTAIN" })]),
    ],
    ["when a workflow is to be made", () => makeFlow(now(-1))],
    ["when a contact is to be put in a workflow", () => putIn(now(-1))],
    ["when it is spared no longer", () => Promise.all([openCircuit(now(-1)), seed({})])],
  ])("%s", async (_what, begin) => {
    expect(await isDue()).toBe(false);
    await begin();
    expect(await isDue()).toBe(true);
  });

  test.each<[what: string, begin: () => Promise<unknown>]>([
    ["a workflow is to be made later", () => makeFlow(now(60))],
    ["a contact is put in a workflow later", () => putIn(now(60))],
    ["a contact is due later", () => seed({ dueAt: now(60) })],
    ["a contact in doubt is due later", () => seed({ state: "UNCERTAIN", dueAt: now(60) })],
    ["a look is due later", () => seed({ state: "WATCHING", dueAt: now(60) })],
    ["a completion is due later", () => seed({ state: "DECIDED", dueAt: now(60) })],
    ["all is done", () => seed({ enrollmentStatus: "ENROLLED" })],
    ["its lists are to be read later", () => portal({ directoryRequestedAt: now(60) })],
    ["its users are to be read later", () => portal({ usersRequestedAt: now(60) })],
    ["its lists were read since they were asked for", () => portal({ directoryRequestedAt: now(-61) })],
    ["its users were read since they were asked for", () => portal({ usersRequestedAt: now(-61) })],
    ["it is paused", () => Promise.all([pause(), seed({})])],
    ["it is spared", () => Promise.all([openCircuit(now(60)), seed({ state: "DECIDED" })])],
    ["it is gone", () => Promise.all([portal({ status: "DISCONNECTED" }), seed({})])],
  ])("but not while %s", async (_what, begin) => {
    await begin();
    expect(await isDue()).toBe(false);
  });
});

describe("whether there is somebody to enroll", () => {
  test("is asked of this account's contacts that are due, and not while it is paused", async () => {
    const work = () => hasQueuedWork(db.database.pool, portalId);
    await seedExecutions(db.database, [{ portalId: portalId + 100_000n, dueAt: now(-1) }]);
    await seed({ dueAt: now(60) });
    await seed({ state: "WATCHING" });
    expect(await work()).toBe(false);
    await seed({});
    expect(await work()).toBe(true);
    await pause();
    expect(await work()).toBe(false);
  });
});

describe("an account that cannot be called", () => {
  const late = { deadlineAt: now(-1) };

  test.each<[what: string, begin: () => Promise<unknown>]>([
    ["is gone", () => portal({ status: "DISCONNECTED" })],
    ["is paused", () => pause()],
    ["is spared", () => openCircuit(now(60))],
  ])("because it %s is found once something of it is past its time", async (_what, begin) => {
    await seed({ deadlineAt: now(60) });
    await begin();
    expect(await isOverdue()).toBe(false);
    for (const state of ["QUEUED", "UNCERTAIN", "WATCHING"]) {
      await seed({ ...late, state });
      expect([state, await isOverdue()]).toEqual([state, true]);
      await prisma().execution.deleteMany({ where: { portalId, deadlineAt: { lt: new Date() } } });
      expect([state, await isOverdue()]).toEqual([state, false]);
    }
  });

  test("is the only kind looked at: any other gives up its contacts as it comes to them", async () => {
    await seed(late);
    expect(await isOverdue()).toBe(false);
    await openCircuit(now(-1));
    expect(await isOverdue()).toBe(false);
  });
});

describe("a grant that nobody used", () => {
  const hasGrantFor = (hours: number) =>
    prisma().portalToken.create({
      data: {
        portalId,
        accessTokenSealed: "sealed",
        refreshTokenSealed: "sealed",
        accessExpiresAt: now(-hours * 3_600),
      },
    });
  const isUnused = async () => (await findUnusedGrants(db.database.pool)).includes(portalId);

  test("for most of a day is used, to learn whether the account still has the app", async () => {
    await hasGrantFor(21);
    expect(await isUnused()).toBe(true);
    await portal({ status: "DISCONNECTED" });
    expect(await isUnused()).toBe(false);
  });

  test("for a few hours is left alone", async () => {
    await hasGrantFor(19);
    expect(await isUnused()).toBe(false);
  });
});
