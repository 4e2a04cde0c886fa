import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { DatabasePoolerUnsupported } from "#platform/db/errors.js";
import { applyMigrations } from "#platform/db/migrations/migrate.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { createLogger } from "#platform/observability/logger.js";
import { createEmptyDatabase } from "../support/database.js";
import { hasPgBouncer, startPgBouncer, type PoolMode } from "../support/pgbouncer.js";
import { query } from "../support/sql.js";
import { addPlainPortal, startRunningApp } from "../support/start-app.js";

const logger = createLogger({ level: "silent" });
if (!hasPgBouncer) console.warn("skipped: PgBouncer is not installed, so the app met no pooler");

let db: Awaited<ReturnType<typeof createEmptyDatabase>>;
let bouncer: Awaited<ReturnType<typeof startPgBouncer>> | undefined;

beforeEach(async () => {
  db = await createEmptyDatabase();
});

afterEach(async () => {
  await bouncer?.stop();
  await db.drop();
});

const start = async (mode: PoolMode) => (bouncer = await startPgBouncer(db.url, mode)).url;

(hasPgBouncer ? describe : describe.skip)("behind PgBouncer", () => {
  test("in session mode the app migrates, accepts, hears its wakes, enrolls and stops in order", async () => {
    // A kind HubSpot: whatever the log warns of is the pooler's doing.
    const running = await startRunningApp({ environment: { DATABASE_URL: await start("session") } });
    try {
      const portal = addPlainPortal(running.simulator, { contacts: 30 });
      await running.install(portal);
      const listening = await query(
        db.url,
        `SELECT count(*)::int AS listeners FROM pg_stat_activity
          WHERE application_name = 'sequence-enroller-queue' AND query ~ '^(LISTEN|SELECT 1)'`,
      );
      expect(listening[0]?.["listeners"]).toBeGreaterThan(0);
      const run = portal.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds: [...portal.contacts.keys()],
        inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
      await run.finished;
      expect(
        run.executions.filter(({ outputs }) => outputs["enrollment_status"] === "ENROLLED"),
      ).toHaveLength(30);
      expect((await fetch(`${running.publicUrl}/readyz`)).status).toBe(200);
      expect(running.logLines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
    } finally {
      await running.close();
    }
  });

  test.each(["transaction", "statement"] as const)(
    "in %s mode it refuses to start, in words that say what to set, and leaves the database as it was",
    async (mode) => {
      const url = await start(mode);
      for (let round = 0; round < 3; round += 1) {
        const attempt = applyMigrations({ url, logger, connectPatienceMs: 0 });
        await expect(attempt).rejects.toThrow(DatabasePoolerUnsupported);
        await expect(attempt).rejects.toThrow(/pool_mode = session/);
      }
      const tables = await query(db.url, "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace");
      expect(tables).toEqual([]);
    },
  );
});
