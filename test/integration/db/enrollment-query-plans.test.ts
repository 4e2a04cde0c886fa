import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { PoolClient } from "pg";
import { acceptBatch } from "#domain/enrollments/accept-batch.js";
import type { ChangeFence } from "#domain/enrollments/change-fence.js";
import { listEnrollments } from "#domain/enrollments/list-enrollments.js";
import type { Ownership } from "#domain/executions/claim.js";
import { readNextEmails, storeContactIds } from "#domain/executions/known-contacts.js";
import { acquirePortal } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { costOf, FEW } from "../../support/query-plans.js";

let db: TestDatabase;
let epoch: bigint;

beforeAll(async () => {
  db = await createTestDatabase({ isFresh: true });
  ({ epoch } = await acquirePortal(db.database.pool, LISTED));
});

afterAll(() => db.drop());

const cost = <T>(work: (owner: Ownership) => Promise<T>) =>
  costOf(db.database.pool, work, { portalId: LISTED, epoch });

const LISTED = 7_004n;
const fence = { read: () => Promise.resolve(new Date(Date.now() + 60_000)) } as unknown as ChangeFence;

/** A batch whose contacts are known, with one by address at its beginning and the others behind it. */
beforeAll(async () => {
  await db.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, is_held, state, source, lane, reference, contact_id, contact_email, sequence_id, request, due_at, deadline_at)
     SELECT $1, 'listed-' || n, 'ENROLL', false, 'QUEUED', 'api', 2, 'order-' || n,
            CASE WHEN n = 5 OR n > 3900 THEN 'unknown' ELSE n::text END, 'p' || n || '@lead.example', '1', '{}',
            now() - interval '1 hour' + n * interval '1 millisecond', now() + interval '1 day' FROM generate_series(1, 4000) AS n`,
    [LISTED],
  );
});

test.each<[string, Parameters<typeof listEnrollments>[2]]>([
  ["the newest", { filter: {}, sort: "-createdAt", limit: 50 }],
  ["those changed last", { filter: {}, sort: "updatedAt", limit: 50 }],
  ["a contact's", { filter: { contactId: "17" }, sort: "-createdAt", limit: 50 }],
  ["a contact's by their changes", { filter: { contactId: "17" }, sort: "updatedAt", limit: 50 }],
  ["those with a reference", { filter: { reference: "order-17" }, sort: "-createdAt", limit: 50 }],
])("listing %s", async (_what, question) => {
  const { read, result } = await cost((owner) =>
    listEnrollments({ pool: owner.pool, fence }, LISTED, question),
  );
  expect(result.enrollments.length).toBeGreaterThan(0);
  expect(read).toBeLessThan(FEW * 2);
});

test("listing what changed since, from the middle of many", async () => {
  const { rows } = await db.database.pool.query<{ updated_at: Date }>(
    "SELECT updated_at FROM executions WHERE portal_id = $1 ORDER BY updated_at, id OFFSET 2000 LIMIT 1",
    [LISTED],
  );
  const filter = { updatedAfter: rows[0]?.updated_at };
  const { read } = await cost((owner) =>
    listEnrollments({ pool: owner.pool, fence }, LISTED, {
      filter,
      sort: "updatedAt",
      limit: 50,
    }),
  );
  expect(read).toBeLessThan(FEW * 2);
});

test("finding the addresses to be looked up next, however many known contacts come before the others", async () => {
  const { read, result } = await cost((owner) => readNextEmails(owner, 100));
  expect(result.map(({ email }) => email)).toEqual(["p5@lead.example"]);
  expect(read).toBeLessThanOrEqual(400);
});

test("storing whom executions are about", async () => {
  const { rows } = await db.database.pool.query<{ id: string }>(
    "SELECT id FROM executions WHERE portal_id = $1 AND contact_id = 'unknown'",
    [LISTED],
  );
  const found = rows.map(({ id }, index) => ({ executionId: BigInt(id), contactId: String(index) }));
  const { read } = await cost(async (owner) => storeContactIds(owner, found));
  expect(read).toBeLessThanOrEqual(found.length);
});

test("finding which references of a batch were used", async () => {
  const rows = Array.from({ length: 100 }, (_, index) => ({
    callbackId: `new-${index}`,
    wish: { contact: { id: "1" }, sequence: { id: "0" }, reference: `order-${index}` },
  }));
  const actor = {
    kind: "apiKey",
    portalId: LISTED,
    keyId: 1n,
    name: "",
    scopes: ["enrollments:write"],
  } as const;
  const { read } = await cost((owner) => acceptBatch(owner.pool as unknown as PoolClient, actor, rows));
  expect(read).toBeLessThanOrEqual(100);
});
