import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { APP_TABLES } from "#platform/db/tables.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { createLogger } from "#platform/observability/logger.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createEmptyDatabase } from "../../support/database.js";
import { query, withDatabase } from "../../support/sql.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const CONTACTS = 6;

const logger = createLogger({ level: "silent" });
const start = (url: string) => applyMigrations({ url, logger, connectPatienceMs: 0 });

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("the awaited state did not come");
    await sleep(50);
  }
}

describe("an app that runs, whose database does not let it work anymore,", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let browser: Browser;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
    browser = await running.install(portal);
  });

  afterAll(() => running.close());

  beforeEach(() => void running.logLines.splice(0));

  const sql = (text: string) => query(running.db.url, text);
  const read = async (path: string) => (await fetch(running.publicUrl + path)).text();
  const told = () => running.logLines.filter(({ level, cause }) => level === "error" && cause !== undefined);
  const drain = () => running.db.database.prisma.portalDrain.findFirst();
  const settings = () => browser.open(`${running.publicUrl}/settings`);

  const enrollAll = () =>
    portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });

  test("keeps what HubSpot sends, stops, tells the operator and admins why, and continues once it may", async () => {
    await sql("REVOKE UPDATE ON executions FROM CURRENT_USER");
    const run = enrollAll();
    await until(async () => (await drain())?.circuitCause === "DATABASE_RIGHTS_MISSING");

    expect(told()).toMatchObject([
      {
        cause: "DATABASE_RIGHTS_MISSING",
        msg: expect.stringContaining("Make the role of DATABASE_URL the owner"),
      },
    ]);
    expect(JSON.parse(await read("/readyz"))).toMatchObject({
      status: "ready",
      warnings: { database: expect.stringContaining("DATABASE_RIGHTS_MISSING") },
    });
    expect(await read("/metrics")).toMatch(/own_faults_total\{cause="DATABASE_RIGHTS_MISSING"\} \d/);
    const page = (await settings()).body;
    expect(page).toContain("Sequence Enroller has a problem.");
    expect(page).toContain("Its database isn't working.");
    expect(page).not.toContain("HubSpot isn't responding");

    await sql("GRANT UPDATE ON executions TO CURRENT_USER");
    await sql("UPDATE portal_drains SET circuit_open_until = now()");
    await run.finished;
    expect(run.executions.map(({ outputs }) => outputs["enrollment_status"])).toEqual(
      Array.from({ length: CONTACTS }, () => "ENROLLED"),
    );
    for (const { contactId } of run.executions)
      expect(portal.enrollments.factsOf(contactId).accepted).toBe(1);
    expect((await drain())?.circuitCause).toBeNull();
  });

  test.each([
    { what: "rights", state: "42501", words: "lacks rights", cause: "DATABASE_RIGHTS_MISSING" },
    {
      what: "room on its disk",
      state: "53100",
      words: "disk of the database is full",
      cause: "DATABASE_DISK_FULL",
    },
    {
      what: "whole files",
      state: "58030",
      words: "or write its own files",
      cause: "DATABASE_FILES_UNREADABLE",
    },
  ])(
    "for want of $what, answers calls with 503 and says it once in the log, however many there are",
    async ({ state, words, cause }) => {
      await sql(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${state}'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON executions EXECUTE FUNCTION refuse()`);
      const run = enrollAll();
      const answers = () => run.executions.flatMap(({ attempts }) => attempts);
      await until(() => Promise.resolve(answers().length >= CONTACTS));
      expect(new Set(answers().map(({ status }) => status))).toEqual(new Set([503]));
      expect(answers()[0]?.body).toContain("STORAGE_UNAVAILABLE");
      expect(told()).toMatchObject([{ cause, msg: expect.stringContaining(words) }]);
      expect(JSON.parse(await read("/readyz"))).toMatchObject({
        warnings: { database: expect.stringContaining(cause) },
      });
      await sql("DROP FUNCTION refuse CASCADE");
      await run.finished;
    },
  );

  test("says what is wrong when a page cannot be shown, and that waiting does not help", async () => {
    await sql("REVOKE SELECT ON portals FROM CURRENT_USER");
    const page = await settings();
    expect(page.status).toBe(503);
    expect(page.body).toContain("lacks rights in its database");
    expect(page.body).not.toContain("Try again in a minute");
    await sql("GRANT SELECT ON portals TO CURRENT_USER");
    expect((await settings()).status).toBe(200);
  });

  test("is not ready without rights on the tables that store calls, and says so", async () => {
    await sql("REVOKE ALL ON executions FROM CURRENT_USER");
    expect(JSON.parse(await read("/readyz"))).toMatchObject({
      status: "not ready",
      reasons: { database: expect.stringContaining("DATABASE_RIGHTS_MISSING") },
    });
    await sql("GRANT ALL ON executions TO CURRENT_USER");
  });

  test.each([
    ["a table", "SELECT ON rotations", "table rotations"],
    ["a sequence", "USAGE ON SEQUENCE executions_id_seq", "sequence executions_id_seq"],
    ["a table of the queue", "DELETE ON pgboss.job", "table pgboss.job"],
    ["the schema of the queue", "USAGE ON SCHEMA pgboss", "schema pgboss"],
  ])("does not start again without rights on %s, and names it", async (_what, right, name) => {
    await sql(`REVOKE ${right} FROM CURRENT_USER`);
    await expect(running.startAnother()).rejects.toMatchObject({
      code: "DATABASE_RIGHTS_MISSING",
      message: expect.stringMatching(new RegExp(`all rights on them.*no rights on ${name}`)),
    });
    await sql(`GRANT ${right} TO CURRENT_USER`);
    await running.startAnother();
  });

  test("asks at start for rights on every table there is", async () => {
    const tables = await sql(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
    );
    expect([...APP_TABLES, "_prisma_migrations"].sort()).toEqual(tables.map(({ relname }) => relname).sort());
  });
});

describe("a start says what is wrong with the database, and what to do:", () => {
  let db: Awaited<ReturnType<typeof createEmptyDatabase>>;

  beforeEach(async () => {
    db = await createEmptyDatabase();
  });

  afterEach(() => db.drop());

  const name = () => new URL(db.url).pathname.slice(1);

  test("there is no such database", async () => {
    const missing = start(withDatabase(db.url, "nowhere_to_be_found"));
    await expect(missing).rejects.toThrow(/"nowhere_to_be_found" does not exist.*Create the database/);
  });

  test("there is no such user", async () => {
    const url = new URL(db.url);
    url.username = "nobody_of_that_name";
    await expect(start(url.href)).rejects.toThrow(/Otherwise check its user/);
  });

  test("it may not make its tables", async () => {
    await query(
      db.url,
      "ALTER SCHEMA public OWNER TO CURRENT_USER; REVOKE CREATE ON SCHEMA public FROM PUBLIC, CURRENT_USER",
    );
    await expect(start(db.url)).rejects.toThrow(/Make the role of DATABASE_URL the owner/);
  });

  test("all its connections are in use", async () => {
    await query(db.url, `ALTER DATABASE ${name()} CONNECTION LIMIT 0`);
    await expect(start(db.url)).rejects.toThrow(/too many connections.*Raise max_connections/);
  });

  test("it is read-only", async () => {
    await query(db.url, `ALTER DATABASE ${name()} SET default_transaction_read_only = on`);
    await expect(start(db.url)).rejects.toMatchObject({
      code: "DATABASE_READ_ONLY",
      message: expect.stringContaining("address of the primary"),
    });
  });

  test("its disk is full while a migration runs", async () => {
    await start(db.url);
    await query(
      db.url,
      `
      CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
      DELETE FROM _prisma_migrations;
      CREATE TRIGGER full_disk BEFORE INSERT ON _prisma_migrations EXECUTE FUNCTION full_disk()`,
    );
    await expect(start(db.url)).rejects.toThrow(/No space left on device.*Make room on it/);
  });

  test.each([
    ["28P01", /Correct the user and the password/],
    ["28000", /sslmode=require/],
  ])("it refuses the sign-in with %s", async (state, words) => {
    const server = createServer((socket) => {
      const fields = `SFATAL\0C${state}\0Mpassword authentication failed\0\0`;
      const head = Buffer.from([0x45, 0, 0, 0, fields.length + 4]);
      socket.once("data", () => socket.end(Buffer.concat([head, Buffer.from(fields)])));
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(start(`postgres://app:wrong@127.0.0.1:${port}/app`)).rejects.toThrow(words);
    server.close();
  });
});
