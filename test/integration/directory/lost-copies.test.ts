import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { createCopyStore, type CopyStore } from "#domain/directory/copy-store.js";
import { createDirectory } from "#domain/directory/directory.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { DirectoryRenewal } from "#worker/renewal/directory-renewal.js";
import { acquirePortal, LEASE_CTE, LeaseLost } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const ANN = { email: "ann@acme.example", firstName: "Ann", lastName: "Lee" };
const page = (...results: object[]) => Promise.resolve({ results, leftOut: [], after: undefined });

/** An account of one person, with one sequence. */
const gateway = {
  listOwners: ({ archived }: { archived: boolean }) =>
    archived ? page() : page({ ...ANN, id: "70", userId: 7n, type: "PERSON", archived: false }),
  readAccount: () => Promise.resolve({ timeZone: "Europe/Berlin", uiDomain: null }),
  listUsers: () => page({ ...ANN, id: 7n, superAdmin: true, seatNames: [] }),
  listSequences: () => page({ id: "31", name: "Outbound", folderId: null }),
} as unknown as PortalGateway;

let db: TestDatabase;
let portalId = 74_000n;
let copy: CopyStore;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  portalId += 1n;
  const { pool, prisma } = db.database;
  await prisma.portal.create({ data: { portalId, status: "CONNECTED", authorizedByUserId: 7n } });
  const { epoch } = await acquirePortal(pool, portalId);
  copy = createCopyStore({ pool, portalId, epoch, leaseCte: LEASE_CTE }, createDirectory({ pool }));
});

/** All that is stored of the account's people and sequences, and when it was read. */
async function stored(): Promise<unknown[]> {
  const { prisma } = db.database;
  const where = { portalId };
  return Promise.all([
    prisma.owner.findMany({ where }),
    prisma.user.findMany({ where }),
    prisma.sequence.findMany({ where }),
    prisma.portal.findMany({ where }),
  ]);
}

/** Begins a copy and makes this many steps of it; returns whether all of it is read. */
async function begin(steps: number): Promise<DirectoryRenewal> {
  const renewal = new DirectoryRenewal({ now: new Date() });
  for (let step = 0; step < steps; step += 1) await renewal.step({ gateway, copy });
  return renewal;
}

test.each([0, 1, 2, 3, 4])(
  "whoever lost the account after %i pages of its lists stores no further one, and stops",
  async (steps) => {
    const renewal = await begin(steps);
    expect(renewal.isRead).toBe(false);
    await acquirePortal(db.database.pool, portalId);
    const before = await stored();
    await expect(renewal.step({ gateway, copy })).rejects.toBeInstanceOf(LeaseLost);
    expect(await stored()).toEqual(before);
  },
);

test("an owner who lost the account after the last page does not record the copy as made", async () => {
  const renewal = await begin(5);
  expect(renewal.isRead).toBe(true);
  await acquirePortal(db.database.pool, portalId);
  const before = await stored();
  await expect(renewal.finish(copy)).rejects.toBeInstanceOf(LeaseLost);
  expect(await stored()).toEqual(before);
});
