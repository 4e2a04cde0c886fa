import { afterAll, beforeAll, beforeEach } from "@jest/globals";
import { createCopyStore, type CopyStore } from "#domain/directory/copy-store.js";
import { createDirectory } from "#domain/directory/directory.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { Owner, PortalGateway } from "#platform/hubspot/gateway.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { DirectoryRenewal } from "#worker/renewal/directory-renewal.js";
import { createTestDatabase, type TestDatabase } from "./database.js";

let db: TestDatabase;

export let portalId = 8_100n;

/** A database for a test file, and in it a portal for each test, whose directory nobody has copied yet. */
export function useDirectoryCopies(): void {
  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    portalId += 1n;
    await pool().query(
      `INSERT INTO portals (portal_id, status, authorized_by_user_id) VALUES ($1, 'CONNECTED', 1)`,
      [portalId],
    );
  });
}

export const pool = () => db.database.pool;

/** The portal, taken as a worker takes it. */
export async function acquire(): Promise<{ owner: Ownership; copy: CopyStore }> {
  const { epoch } = await acquirePortal(pool(), portalId);
  const owner = { pool: pool(), portalId, epoch, leaseCte: LEASE_CTE };
  return { owner, copy: createCopyStore(owner, createDirectory({ pool: pool() })) };
}

export const ownerOf = (number: number, archived = false): Owner => ({
  id: String(number),
  userId: BigInt(number),
  email: `u${number}@acme.example`,
  firstName: "U",
  lastName: String(number),
  type: "PERSON",
  archived,
});

/** A list of `count` entries, a hundred a page. */
export function pageOf<Entry>(count: number, after: string | undefined, make: (number: number) => Entry) {
  const from = Number(after ?? 0);
  const to = Math.min(count, from + 100);
  const results = Array.from({ length: to - from }, (_, index) => make(from + index + 1));
  return Promise.resolve({ results, after: to < count ? String(to) : undefined, leftOut: [] });
}

/** HubSpot's lists, all of the same length. */
export function gatewayOf(count: number, changes: Partial<PortalGateway> = {}): PortalGateway {
  return {
    listOwners: ({ after, archived }: { after?: string | undefined; archived: boolean }) =>
      pageOf(archived ? 0 : count, after, (number) => ownerOf(number)),
    listSequences: ({ after }: { after?: string | undefined }) =>
      pageOf(count, after, (number) => ({ id: String(number), name: `Sequence ${number}`, folderId: null })),
    listUsers: ({ after }: { after?: string | undefined }) =>
      pageOf(count, after, (number) => {
        const { email, firstName, lastName } = ownerOf(number);
        return {
          id: BigInt(number),
          email,
          firstName,
          lastName,
          superAdmin: number === 1,
          seatNames: ["Sales"],
        };
      }),
    readAccount: () => Promise.resolve({ timeZone: "UTC", uiDomain: null }),
    ...changes,
  } as unknown as PortalGateway;
}

/** Of HubSpot's lists, not yet read. */
export async function begin(maxPages?: number): Promise<DirectoryRenewal> {
  const state = await createDirectory({ pool: pool() }).state(portalId);
  if (state === undefined) throw new Error("no such portal");
  return new DirectoryRenewal(state, maxPages === undefined ? {} : { maxPages });
}

/** Reads and stores a whole copy. */
export async function renew(copy: CopyStore, gateway: PortalGateway, maxPages?: number): Promise<void> {
  const renewal = await begin(maxPages);
  while (!renewal.isRead) await renewal.step({ gateway, copy });
  await renewal.finish(copy);
}

export async function count(text: string): Promise<number> {
  const { rows } = await pool().query<{ count: number }>(`SELECT count(*)::int AS count FROM ${text}`, [
    portalId,
  ]);
  return rows[0]?.count ?? 0;
}

/** How many of them are not archived. */
export const activeOwners = () => count("owners WHERE portal_id = $1 AND NOT is_archived");

/** What the admin is told of the last copy. */
export async function problem(): Promise<string | null | undefined> {
  const { rows } = await pool().query<{ directory_error: string | null }>(
    `SELECT directory_error FROM portals WHERE portal_id = $1`,
    [portalId],
  );
  return rows[0]?.directory_error;
}
