import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { applyAction } from "#domain/history/admin-actions.js";
import type { ContactChange } from "#domain/contacts/contact-change.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { storeIntents } from "#domain/executions/intent.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { createLogger } from "#platform/observability/logger.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { applyLateFates } from "#worker/sweeps/apply-late-fates.js";
import { deleteOldRecords } from "#worker/sweeps/delete-old-records.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

const logger = createLogger({ level: "silent" });
const portalId = 5n;
const ADDRESS = "ann@private.example";
let db: TestDatabase;

beforeEach(async () => {
  db = await createTestDatabase();
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES (5, 'CONNECTED')`);
});

afterEach(() => db.drop());

const apply = (...changes: ContactChange[]) => applyContactChanges(db.database.pool, changes);
const merged = (from: string, into: string): ContactChange => ({
  kind: "merged",
  portalId,
  contactIds: [from],
  into,
});
const erased = (contactId: string): ContactChange => ({ kind: "erased", portalId, contactId });

async function enrolled(contactId: string, seed: Partial<ExecutionSeed> = {}): Promise<void> {
  const request = { senderMode: "contact_owner", properties: { email: ADDRESS } };
  const who = { portalId, contactId, contactEmail: ADDRESS, sequenceId: "3", request };
  await seedExecutions(db.database, [{ ...who, enrollmentStatus: "ENROLLED", ...seed }]);
}

async function stored(): Promise<{ contact_id: string; contact_email: string | null; state: string }[]> {
  return (await db.database.pool.query(`SELECT contact_id, contact_email, state FROM executions ORDER BY id`))
    .rows;
}

const NOTHING = expect.objectContaining({ contact_id: "erased", contact_email: null });

/** Tables in which some row, as text, holds one of the words. */
async function tablesHolding(words: readonly string[]): Promise<string[]> {
  const { pool } = db.database;
  const { rows } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
        -- Checksums: any four digits may be among theirs.
        AND table_name <> '_prisma_migrations'`,
  );
  const holding: string[] = [];
  for (const { name } of rows) {
    const found = await pool.query(
      `SELECT FROM ${name} AS t WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos(t::text, word) > 0) LIMIT 1`,
      [words],
    );
    if (found.rowCount !== 0) holding.push(name);
  }
  return holding;
}

/** Every order of the deliveries. */
function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

describe("a contact that is erased long after it was merged into another one", () => {
  beforeEach(async () => {
    await enrolled("1001", { lastProblem: `no inbox for ${ADDRESS}` });
    await enrolled("1002", { state: "QUEUED", enrollmentStatus: null });
    await apply(merged("1001", "1002"));
    await db.database.pool.query(`UPDATE contact_fates SET told_at = now() - interval '90 days'`);
    await deleteOldRecords(db.database.pool, () => false);
  });

  test("leaves no address and no words of it under the other one's id, which goes on", async () => {
    await apply(erased("1001"));
    await apply(erased("1001"));
    expect(await tablesHolding([ADDRESS])).toEqual([]);
    expect(await stored()).toEqual([
      { contact_id: "1002", contact_email: null, state: "COMPLETED" },
      { contact_id: "1002", contact_email: null, state: "QUEUED" },
    ]);
    const { rows } = await db.database.pool.query(
      `SELECT has_waited, request ? 'properties' AS has_properties, request ? 'sequencesBefore' AS knows_sequences
         FROM executions WHERE state = 'QUEUED'`,
    );
    // It is judged by what HubSpot says then, but for which enrollments are older than ours.
    expect(rows).toEqual([{ has_waited: true, has_properties: false, knows_sequences: true }]);
  });

  test("lets the other one be enrolled afterward, and erased, too", async () => {
    await apply(erased("1001"));
    await enrolled("1002");
    await applyLateFates(db.database.pool, logger);
    expect((await stored()).at(-1)).toMatchObject({ contact_id: "1002", contact_email: ADDRESS });
    await apply(erased("1002"));
    expect(await tablesHolding([ADDRESS, "1002"])).toEqual([]);
  });
});

describe("merges and a privacy deletion", () => {
  const chain = [merged("1001", "1002"), merged("1002", "1003"), erased("1003")];

  test("leave nothing of the contact, in whatever order and however often they are delivered", async () => {
    for (const order of orders(chain)) {
      await db.database.pool.query(`TRUNCATE executions, contact_fates`);
      for (const contactId of ["1001", "1002", "1003"]) await enrolled(contactId);
      for (const change of order) await apply(change);
      for (const change of order) await apply(change);
      expect(await stored()).toEqual([NOTHING, NOTHING, NOTHING]);
      expect(await tablesHolding([ADDRESS, "1001", "1002", "1003"])).toEqual([]);
    }
  });

  test("do so in one delivery, too, and leave everybody else alone", async () => {
    for (const contactId of ["1001", "1002", "1003", "1004"]) await enrolled(contactId);
    await apply(...chain.toReversed());
    expect(await stored()).toEqual([
      ...[NOTHING, NOTHING, NOTHING],
      { contact_id: "1004", contact_email: ADDRESS, state: "COMPLETED" },
    ]);
  });

  test("merges alone end at the contact that is left, in any order", async () => {
    for (const order of orders([merged("1001", "1002"), merged("1002", "1003"), merged("1003", "1004")])) {
      await db.database.pool.query(`TRUNCATE executions, contact_fates`);
      await enrolled("1001");
      for (const change of order) await apply(change);
      expect((await stored()).map(({ contact_id }) => contact_id)).toEqual(["1004"]);
    }
  });

  test("an erasure is final: a merge reported later does not bring the contact back", async () => {
    await apply(erased("1001"));
    await enrolled("1001");
    await apply(merged("1001", "1002"));
    expect(await stored()).toEqual([NOTHING]);
    expect(await tablesHolding([ADDRESS, "1001"])).toEqual([]);
  });

  test.each([
    ["in order", (told: ContactChange[]) => told],
    ["in reverse", (told: ContactChange[]) => told.toReversed()],
    [
      "evens first",
      (told: ContactChange[]) => [
        ...told.filter((_, at) => at % 2 === 0),
        ...told.filter((_, at) => at % 2 === 1),
      ],
    ],
  ])("leave nothing even if a delivery reports a hundred merges in a row, %s", async (_how, order) => {
    const ids = Array.from({ length: 101 }, (_, index) => String(1001 + index));
    const chainOf = ids.slice(1).map((into, index) => merged(ids[index] ?? "", into));
    await enrolled("1001");
    await enrolled("1050");
    await apply(...order(chainOf));
    expect((await stored()).map(({ contact_id }) => contact_id)).toEqual(["1101", "1101"]);
    await apply(erased("1101"));
    expect(await stored()).toEqual([NOTHING, NOTHING]);
    expect(await tablesHolding([ADDRESS])).toEqual([]);
    const { rows } = await db.database.pool.query(`SELECT FROM contact_fates WHERE became_id IS NOT NULL`);
    expect(rows).toEqual([]);
  });

  test("circular merges end at their newest contact, whichever appears later, and are erased as one", async () => {
    await enrolled("1001");
    await apply(
      merged("1001", "1002"),
      merged("1002", "1003"),
      merged("1003", "1001"),
      merged("1000", "1001"),
    );
    expect((await stored()).map(({ contact_id }) => contact_id)).toEqual(["1003"]);
    await enrolled("1000");
    await enrolled("1002");
    await applyLateFates(db.database.pool, logger);
    expect((await stored()).map(({ contact_id }) => contact_id)).toEqual(["1003", "1003", "1003"]);
    await apply(erased("1003"));
    expect(await stored()).toEqual([NOTHING, NOTHING, NOTHING]);
  });
});

describe("executions that appear after the contact is gone", () => {
  test("a call that was on its way is erased and released; one for a merged contact continues as the other", async () => {
    await apply(erased("1001"), merged("1005", "1006"));
    await enrolled("1001", { state: "QUEUED", enrollmentStatus: null });
    await enrolled("1005", { state: "QUEUED", enrollmentStatus: null });
    expect(await applyLateFates(db.database.pool, logger)).toEqual(new Set([portalId]));
    expect(await stored()).toEqual([
      { contact_id: "erased", contact_email: null, state: "DECIDED" },
      { contact_id: "1006", contact_email: ADDRESS, state: "QUEUED" },
    ]);
    expect(await applyLateFates(db.database.pool, logger)).toEqual(new Set());
  });

  test("and is still found once minutes have passed since the last look", async () => {
    await apply(erased("1001"));
    await enrolled("1009");
    await db.database.pool.query(`UPDATE executions SET accepted_at = now() - interval '5 minutes'`);
    await applyLateFates(db.database.pool, logger);
    await enrolled("1001");
    await applyLateFates(db.database.pool, logger);
    expect((await stored()).at(-1)).toEqual(NOTHING);
  });

  test("an admin's retry that is made at the same moment does not keep a copy", async () => {
    const { pool } = db.database;
    await enrolled("1001", { enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" });
    const { rows } = await pool.query<{ id: string }>(`SELECT id FROM executions`);
    const ids = rows.map(({ id }) => BigInt(id));
    const admin = await pool.connect();
    let erasing: Promise<unknown> = Promise.resolve();
    try {
      await admin.query("BEGIN");
      expect(await applyAction(admin, "RETRY", { portalId, ids })).toBe(1);
      erasing = apply(erased("1001"));
      await admin.query("COMMIT");
    } finally {
      admin.release();
    }
    await erasing;
    await applyLateFates(pool, logger);
    expect(await stored()).toEqual([NOTHING, NOTHING]);
    const client = await pool.connect();
    expect(await applyAction(client, "RETRY", { portalId, ids })).toBe(0);
    client.release();
  });
});

test("a finding about a contact that was erased meanwhile is not written back", async () => {
  const { pool } = db.database;
  const { epoch } = await acquirePortal(pool, portalId);
  await enrolled("1001", { state: "ATTEMPTING", enrollmentStatus: null, kind: "CHECK_ENROLLMENT" });
  await enrolled("1001", { state: "ATTEMPTING", enrollmentStatus: null });
  await pool.query(`UPDATE executions SET epoch = $1`, [epoch]);
  const { rows } = await pool.query<{ id: string }>(`SELECT id FROM executions ORDER BY id`);
  const ids = rows.map(({ id }) => BigInt(id));
  await apply(erased("1001"));
  const owner = { pool, portalId, epoch, leaseCte: LEASE_CTE };
  const intent = { senderUserId: 7n, senderEmail: "bo@acme.example", senderChoice: { chosen: ADDRESS } };
  await storeIntents(
    owner,
    ids.map((executionId) => ({ executionId, ...intent })),
    [],
  );
  const outcome = {
    executionState: "FAIL_CONTINUE",
    enrollmentStatus: "FAILED",
    errorCode: "BOUNCED",
    errorMessage: ADDRESS,
    outputs: { email: ADDRESS },
  };
  const result = { to: "DECIDED", outcome, senderChoice: { chosen: ADDRESS } } as never;
  expect(
    await writeFindings(
      owner,
      ids.map((id) => ({ id, from: "ATTEMPTING", result })),
    ),
  ).toBe(2);
  expect(await tablesHolding([ADDRESS, "1001"])).toEqual([]);
});

describe("what an admin typed to find the contact", () => {
  const job = (search: object, state = "RUNNING") =>
    db.database.pool.query(
      `INSERT INTO bulk_jobs (portal_id, action, filter, before_id, state) VALUES (5, 'RETRY', $1, 1, $2)`,
      [JSON.stringify({ outcome: "failed", ...search }), state],
    );
  const entry = (search: object) =>
    db.database.pool.query(
      `INSERT INTO audit_entries (portal_id, subject, subject_name, action, after) VALUES (5, 'executions', $1, 'RETRIED', $2)`,
      [JSON.stringify(search), JSON.stringify({ job: "1", filter: { outcome: "failed", ...search } })],
    );

  test("goes with it from bulk jobs and the audit; a job that still runs for the contact alone is stopped", async () => {
    await enrolled("1001");
    for (const search of [{ search: ADDRESS }, { search: "Ann@Private" }, { contactId: "1001" }]) {
      await job(search);
      await job(search, "DONE");
      await entry(search);
    }
    await job({ search: "@private.example" });
    await job({ search: "bob@private.example" });
    await apply(erased("1001"));
    expect(await tablesHolding([ADDRESS, "Ann@Private", "1001"])).toEqual([]);
    const { rows } = await db.database.pool.query(
      `SELECT filter ->> 'search' AS search, state FROM bulk_jobs ORDER BY id`,
    );
    expect(rows.map(({ state }) => state as string)).toEqual([
      ...["STOPPED", "DONE", "STOPPED", "DONE", "STOPPED", "DONE"],
      ...["RUNNING", "RUNNING"],
    ]);
    expect(rows.slice(-2).map(({ search }) => search as string)).toEqual([
      "@private.example",
      "bob@private.example",
    ]);
  });
});
