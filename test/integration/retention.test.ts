import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { pruneHistory } from "../../src/jobs/prune-history.js";
import { createLogger } from "../../src/observability/logger.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

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
