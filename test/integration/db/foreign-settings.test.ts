import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { query } from "../../support/sql.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/**
 * Defaults that somebody else may have set for a server, a database or their role, each against what the app expects.
 * They hold until a new session's first statement has set them: a busy machine takes a moment for that.
 */
const FOREIGN = {
  timezone: "Asia/Kolkata",
  datestyle: "German, DMY",
  intervalstyle: "sql_standard",
  bytea_output: "escape",
  standard_conforming_strings: "off",
  extra_float_digits: "-15",
  array_nulls: "off",
  transform_null_equals: "on",
  search_path: "nowhere",
  default_transaction_isolation: "serializable",
  synchronous_commit: "off",
  statement_timeout: "400ms",
  lock_timeout: "1ms",
  idle_in_transaction_session_timeout: "1ms",
  idle_session_timeout: "1500ms",
};

let db: TestDatabase;
let running: RunningApp;

beforeAll(async () => {
  // Its settings are changed: it goes afterward.
  db = await createTestDatabase({ isFresh: true });
  const name = new URL(db.url).pathname.slice(1);
  for (const [setting, value] of Object.entries(FOREIGN))
    await query(db.url, `ALTER DATABASE ${name} SET ${setting} = '${value}'`);
  running = await startRunningApp({ environment: { DATABASE_URL: db.url } });
});

afterAll(async () => {
  await running.close();
  await db.drop();
});

test("the app works on a database whose sessions are set otherwise than it expects", async () => {
  const portal = addPlainPortal(running.simulator, { contacts: 30 });
  const browser = await running.install(portal);
  const page = await browser.open(`${running.publicUrl}/settings`);
  expect(page.status).toBe(200);
  const run = portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await run.finished;
  expect(run.executions.map(({ outputs }) => outputs["enrollment_status"])).toEqual(
    Array.from({ length: 30 }, () => "ENROLLED"),
  );
  const installed = await db.database.prisma.portal.findFirstOrThrow();
  expect(Math.abs(Number(installed.installedAt) - Date.now())).toBeLessThan(600_000);
});

test("no session is left to those defaults", async () => {
  const { rows } = await db.database.pool.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name`,
    [Object.keys(FOREIGN)],
  );
  expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
    timezone: "UTC",
    datestyle: "ISO, MDY",
    intervalstyle: "postgres",
    bytea_output: "hex",
    standard_conforming_strings: "on",
    extra_float_digits: "1",
    array_nulls: "on",
    transform_null_equals: "off",
    search_path: "public",
    default_transaction_isolation: "read committed",
    synchronous_commit: "on",
    statement_timeout: "15s",
    lock_timeout: "2s",
    idle_in_transaction_session_timeout: "5s",
    idle_session_timeout: "0",
  });
});
