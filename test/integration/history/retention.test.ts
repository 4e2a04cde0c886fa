import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { endErasure, eraseNext } from "#domain/history/erase.js";
import { readContactHistories } from "#domain/senders/contact-history.js";
import { pruneHistory } from "#worker/sweeps/prune-history.js";
import { createLogger } from "#platform/observability/logger.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const logger = createLogger({ level: "silent" });
let db: TestDatabase;

beforeEach(async () => {
  db = await createTestDatabase();
});

afterEach(() => db.drop());

const prune = (isEnding = () => false) => pruneHistory({ pool: db.database.pool, logger, isEnding });

/** Executions of a portal, one for each age in days, in the order in which they were accepted. */
async function store(portalId: number, ages: readonly number[], state = "COMPLETED"): Promise<void> {
  await db.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, deadline_at, contact_id, request)
     SELECT $1::bigint, 'ap-' || $3::text || '-' || age, 'ENROLL', $3::text, now() - age * interval '1 day', now(), '1', '{}'
       FROM unnest($2::float8[]) WITH ORDINALITY AS row (age, place) ORDER BY place`,
    [portalId, ages, state],
  );
}

async function keep(portalId: number, days: number): Promise<void> {
  await db.database.pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [
    portalId,
  ]);
  await db.database.pool.query(`INSERT INTO portal_settings (portal_id, retention_days) VALUES ($1, $2)`, [
    portalId,
    days,
  ]);
}

async function kept(portalId: number): Promise<string[]> {
  const { rows } = await db.database.pool.query<{ callback_id: string }>(
    `SELECT callback_id FROM executions WHERE portal_id = $1 ORDER BY id`,
    [portalId],
  );
  return rows.map(({ callback_id }) => callback_id);
}

test("finished executions go after 400 days, whatever their end", async () => {
  for (const state of ["COMPLETED", "COMPLETION_REFUSED", "COMPLETION_ABANDONED"])
    await store(1, [500, 400.1, 399, 1], state);
  expect(await prune()).toBe(6);
  expect(await kept(1)).toEqual([
    "ap-COMPLETED-399",
    "ap-COMPLETED-1",
    "ap-COMPLETION_REFUSED-399",
    "ap-COMPLETION_REFUSED-1",
    "ap-COMPLETION_ABANDONED-399",
    "ap-COMPLETION_ABANDONED-1",
  ]);
});

test("what is not finished stays, however old, and does not keep others", async () => {
  await store(1, [900], "DECIDED");
  await store(1, [800, 2]);
  expect(await prune()).toBe(1);
  expect(await kept(1)).toEqual(["ap-DECIDED-900", "ap-COMPLETED-2"]);
});

test("each portal keeps its own time, never less than HubSpot may ask again", async () => {
  await keep(1, 30);
  await keep(2, 1);
  for (const portalId of [1, 2, 3]) await store(portalId, [500, 100, 20, 7.5]);
  expect(await prune()).toBe(6);
  expect(await kept(1)).toEqual(["ap-COMPLETED-20", "ap-COMPLETED-7.5"]);
  expect(await kept(2)).toEqual(["ap-COMPLETED-7.5"]);
  expect(await kept(3)).toEqual(["ap-COMPLETED-100", "ap-COMPLETED-20", "ap-COMPLETED-7.5"]);
});

test("thousands go step by step", async () => {
  await store(
    1,
    Array.from({ length: 2_345 }, (_, index) => 900 - index / 100),
  );
  await store(1, [3]);
  expect(await prune()).toBe(2_345);
  expect(await kept(1)).toEqual(["ap-COMPLETED-3"]);
});

test("two processes do not do it at once, and the next one may", async () => {
  await store(1, [500]);
  let second: Promise<number | undefined> | undefined;
  // Asked before the first step: while this one holds the lock.
  const first = prune(() => {
    second ??= prune();
    return false;
  });
  expect(await first).toBe(1);
  expect(await second).toBeUndefined();
  expect(await prune()).toBe(0);
});

test("a stopping process leaves the rest for later", async () => {
  await store(1, [500]);
  expect(await prune(() => true)).toBe(0);
  expect(await kept(1)).toHaveLength(1);
});

test("retention counts from the end: what waited for months stays as long as anything else that ended that day", async () => {
  await keep(1, 8);
  await store(1, [200, 100, 50]);
  await db.database.pool.query(
    `UPDATE executions SET decided_at = now() - interval '1 minute', enrolled_at = now() - interval '1 minute',
            enrollment_status = 'ENROLLED', sender_user_id = 7, sequence_id = '3' WHERE callback_id = 'ap-COMPLETED-200'`,
  );
  await db.database.pool.query(
    `UPDATE executions SET decided_at = now() - interval '90 days', completed_at = now() - interval '7 days'
      WHERE callback_id = 'ap-COMPLETED-100'`,
  );
  expect(await prune()).toBe(1);
  expect(await kept(1)).toEqual(["ap-COMPLETED-200", "ap-COMPLETED-100"]);
});

test("an admin's erasure leaves what a sender's cap still counts, however long ago it was accepted", async () => {
  await store(1, [200, 100]);
  await db.database.pool.query(
    `UPDATE executions SET decided_at = now(), enrolled_at = now(), enrollment_status = 'ENROLLED', sender_user_id = 7,
            contact_email = 'ann@example.com' WHERE callback_id = 'ap-COMPLETED-200'`,
  );
  const erasure = { portalId: 1n, requestedAt: new Date() };
  expect(await eraseNext(db.database.pool, { ...erasure, after: 0n, limit: 500 })).toBeUndefined();
  const { rows } = await db.database.pool.query(`SELECT callback_id, contact_email FROM executions`);
  expect(rows).toEqual([{ callback_id: "ap-COMPLETED-200", contact_email: null }]);
});

test("an admin's second erasure writes no row that the first one left blank, whatever its end was", async () => {
  const { pool } = db.database;
  for (const state of ["COMPLETED", "COMPLETION_REFUSED", "COMPLETION_ABANDONED"])
    await store(1, [3, 2], state);
  await pool.query(
    `UPDATE executions SET enrollment_status = 'FAILED', error_code = 'UNSUBSCRIBED', error_message = 'ann@example.com is out'
      WHERE callback_id LIKE '%-3'`,
  );
  await pool.query(
    `UPDATE executions SET enrollment_status = 'ENROLLED', contact_email = 'bea@example.com', request = '{"a": 1}',
            outputs = '{"sender": "Cy"}', sender_choice = '{"mode": "rotation"}', reference = 'bea', last_problem = 'HTTP 500',
            completion_problem = 'HTTP 400' WHERE callback_id LIKE '%-2'`,
  );
  const erase = () => eraseNext(pool, { portalId: 1n, requestedAt: new Date(), after: 0n, limit: 500 });
  const writtenBy = async (work: () => Promise<unknown>) => {
    const versions = async () =>
      (
        await pool.query<{ callback_id: string; version: string }>(
          "SELECT callback_id, concat(ctid, ' ', xmin, ' ', xmax) AS version FROM executions ORDER BY id",
        )
      ).rows;
    const before = await versions();
    await work();
    const unchanged = new Set(before.map(({ version }) => version));
    return (await versions()).filter(({ version }) => !unchanged.has(version)).map((row) => row.callback_id);
  };
  expect(await writtenBy(erase)).toHaveLength(6);
  expect(await writtenBy(erase)).toEqual([]);
  await store(1, [1]);
  await pool.query(
    `UPDATE executions SET contact_email = 'dan@example.com' WHERE callback_id = 'ap-COMPLETED-1'`,
  );
  expect(await writtenBy(erase)).toEqual(["ap-COMPLETED-1"]);
});

describe("a cooldown outlives retention", () => {
  const question = { contactId: "1", sequenceId: "3" };
  const enrolledDaysAgo = (days: number, request: string) =>
    db.database.pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, decided_at, completed_at, enrolled_at, deadline_at,
                               contact_id, sequence_id, sender_user_id, enrollment_status, request)
       SELECT 1, 'ap-cooldown-' || $1, 'ENROLL', 'COMPLETED', at, at, at, at, at, '1', '3', 7, 'ENROLLED', $2::jsonb
         FROM (SELECT now() - $1::int * interval '1 day' AS at) AS day`,
      [days, request],
    );
  const history = async () => (await readContactHistories(db.database.pool, 1n, [question]))[0];

  test("as long as the longest cooldown of the account's presets asks, or the step's own", async () => {
    await keep(1, 8);
    await db.database.pool.query(
      `INSERT INTO presets (portal_id, name, policy, updated_at) VALUES (1, 'Slow', '{"cooldown": {"days": 60, "scope": "sequence"}}', now())`,
    );
    await enrolledDaysAgo(90, '{"cooldownDays": 100}');
    await enrolledDaysAgo(30, "{}");
    expect(await prune()).toBe(2);
    const known = await history();
    expect(known?.lastSenderUserId).toBe(7n);
    expect(Math.round((Date.now() - (known?.lastEnrolledInSequenceAt?.getTime() ?? 0)) / 86_400_000)).toBe(
      30,
    );
  });

  test("and no longer: what no cooldown asks for is forgotten with the execution", async () => {
    await keep(1, 8);
    await enrolledDaysAgo(30, "{}");
    expect(await prune()).toBe(1);
    expect(await history()).toBeUndefined();
    await db.database.pool.query(
      `INSERT INTO past_enrollments VALUES (1, '1', '3', now() - interval '30 days', 7, now() - interval '1 hour')`,
    );
    await prune();
    expect((await db.database.pool.query(`SELECT FROM past_enrollments`)).rowCount).toBe(0);
  });

  test("and moves with a merge, and goes with a privacy deletion or the deletion of the history", async () => {
    const { pool } = db.database;
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES (1, 'CONNECTED')`);
    const remember = () =>
      pool.query(
        `INSERT INTO past_enrollments VALUES (1, '9', '3', now() - interval '30 days', 7, now() + interval '1 day')`,
      );
    await remember();
    await applyContactChanges(pool, [{ kind: "merged", portalId: 1n, contactIds: ["9"], into: "1" }]);
    expect((await history())?.lastSenderUserId).toBe(7n);
    await applyContactChanges(pool, [{ kind: "erased", portalId: 1n, contactId: "1" }]);
    expect((await pool.query(`SELECT FROM past_enrollments`)).rowCount).toBe(0);
    await remember();
    await endErasure(pool, { portalId: 1n, requestedAt: new Date() });
    expect((await pool.query(`SELECT FROM past_enrollments`)).rowCount).toBe(0);
  });
});

test("audit entries go after two years, alerts and bulk jobs that ended after ninety days, memories of contacts after four", async () => {
  const { pool } = db.database;
  await pool.query(`INSERT INTO portals (portal_id, status) VALUES (1, 'CONNECTED')`);
  await pool.query(
    `INSERT INTO audit_entries (portal_id, at, subject, subject_name, action)
     SELECT 1, now() - days * interval '1 day', 'portal', days::text, 'CHANGED' FROM unnest(ARRAY[731, 700]) AS days`,
  );
  await pool.query(
    `INSERT INTO alerts (portal_id, kind, message, ended_at)
     SELECT 1, 'TEST', coalesce(days::text, 'open'), now() - days * interval '1 day' FROM unnest(ARRAY[91, 80, NULL]) AS days`,
  );
  await pool.query(
    `INSERT INTO bulk_jobs (portal_id, action, filter, before_id, user_email, ended_at)
     SELECT 1, 'RETRY', '{}', 0, coalesce(days::text, 'open'), now() - days * interval '1 day' FROM unnest(ARRAY[91, 80, NULL]) AS days`,
  );
  await pool.query(
    `INSERT INTO contact_fates (portal_id, contact_key, told_at)
     SELECT 1, days::text, now() - days * interval '1 day' FROM unnest(ARRAY[5, 3]) AS days`,
  );
  await prune();
  const left = async (column: string, table: string) =>
    (await pool.query<{ value: string }>(`SELECT ${column} AS value FROM ${table} ORDER BY 1`)).rows.map(
      ({ value }) => value,
    );
  expect(await left("subject_name", "audit_entries")).toEqual(["700"]);
  expect(await left("message", "alerts")).toEqual(["80", "open"]);
  expect(await left("user_email", "bulk_jobs")).toEqual(["80", "open"]);
  expect(await left("contact_key", "contact_fates")).toEqual(["3"]);
});

test("what cannot be read of one account is told to the operator, and keeps no other account's history", async () => {
  const { pool } = db.database;
  for (const portalId of [1, 2]) {
    await keep(portalId, 100);
    await store(portalId, [900, 1]);
  }
  // A document that this release did not write, and a row that cannot be deleted.
  await pool.query(`INSERT INTO presets (portal_id, name, policy) VALUES
    (1, 'of another release', '{"cooldown": {"days": "P30D"}}'), (2, 'without days', '{"cooldown": {"days": 1e9}}')`);
  expect(await prune()).toBe(2);
  await store(1, [901]);
  await store(2, [901]);
  await pool.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken''; END'`,
  );
  await pool.query(
    `CREATE TRIGGER refuse BEFORE DELETE ON executions FOR EACH ROW WHEN (OLD.portal_id = 1) EXECUTE FUNCTION refuse()`,
  );
  const lines: string[] = [];
  const told = createLogger({
    level: "info",
    destination: { write: (line: string) => void lines.push(line) },
  });
  expect(await pruneHistory({ pool, logger: told, isEnding: () => false })).toBe(1);
  expect(await kept(2)).toEqual(["ap-COMPLETED-1"]);
  expect(lines.filter((line) => /"level":"error".*account could not be deleted/.test(line))).toHaveLength(1);
});
