import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { recoverAttempts, type Ownership } from "../../src/executions/claim.js";
import { applyContactChanges } from "../../src/executions/contact-changes.js";
import { expirePastDeadline } from "../../src/executions/expire.js";
import { pruneNext } from "../../src/executions/prune.js";
import { resumePortal, wakeWaiters } from "../../src/executions/resume.js";
import { acquirePortal, LEASE_CTE } from "../../src/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../support/executions.js";

const [PORTAL, OTHER] = [4_711n, 4_712n];
const HOUR_MS = 3_600_000;
const LONG_AGO = new Date(Date.now() - 1_000 * 24 * HOUR_MS);

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});

afterAll(() => db.drop());

beforeEach(async () => {
  const { pool } = db.database;
  await pool.query(`TRUNCATE executions, portal_drains, portals CASCADE`);
  for (const portalId of [PORTAL, OTHER])
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
});

async function owner(): Promise<Ownership> {
  const { pool } = db.database;
  const { epoch } = await acquirePortal(pool, PORTAL);
  return { pool, portalId: PORTAL, epoch, leaseCte: LEASE_CTE };
}

/** Holds the first execution's row while `work` runs, as a session does that is slow or dead. */
async function whileFirstIsHeld<T>(work: () => Promise<T>): Promise<T> {
  const client = await db.database.pool.connect();
  await client.query("BEGIN");
  await client.query(`SELECT FROM executions WHERE id = (SELECT min(id) FROM executions) FOR UPDATE`);
  try {
    return await work();
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

const later = new Date(Date.now() + 10 * HOUR_MS);
const statements: Record<
  string,
  { seed: Partial<ExecutionSeed>; run: () => Promise<unknown>; done: string }
> = {
  "what an earlier owner left behind": {
    seed: { state: "ATTEMPTING", attempts: 1 },
    run: async () => {
      // The first owner's epoch is on them.
      await owner();
      return recoverAttempts(await owner(), { isCrash: true });
    },
    done: `state = 'QUEUED'`,
  },
  "what is past its deadline": {
    seed: { state: "QUEUED", deadlineAt: LONG_AGO },
    run: async () => expirePastDeadline(await owner(), "HUBSPOT_UNAVAILABLE"),
    done: `state = 'DECIDED'`,
  },
  "what waits for the grant": {
    seed: { state: "QUEUED", dueAt: later },
    run: () => resumePortal(db.database.pool, PORTAL),
    done: `due_at <= now()`,
  },
  "what waits for a sender": {
    seed: { state: "QUEUED", dueAt: later, senderChoice: { chosen: null } },
    run: () => wakeWaiters(db.database.pool, PORTAL),
    done: `due_at <= now()`,
  },
  "what is older than its retention": {
    seed: { enrollmentStatus: "SKIPPED", acceptedAt: LONG_AGO, decidedAt: LONG_AGO },
    run: () => pruneNext(db.database.pool, { portalId: PORTAL, after: 0n, limit: 500 }),
    done: `false`,
  },
};

describe("one row that somebody else holds keeps nobody waiting", () => {
  test.each(Object.entries(statements))(
    "among %s; it has its turn once it is free",
    async (_what, { seed, run, done }) => {
      await seedExecutions(
        db.database,
        Array.from({ length: 5 }, () => ({ portalId: PORTAL, ...seed })),
      );
      const left = async () =>
        (await db.database.pool.query(`SELECT 1 FROM executions WHERE NOT (${done})`)).rows.length;
      const startedAt = performance.now();
      await whileFirstIsHeld(run);
      expect(performance.now() - startedAt).toBeLessThan(1_500);
      expect(await left()).toBe(1);
      await run();
      expect(await left()).toBe(0);
    },
  );

  test("more than one slice of waiters is made due, each once", async () => {
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, request)
       SELECT $1, i::text, 'ENROLL', 'QUEUED', now() + (i % 7) * interval '1 hour' + interval '1 minute', now() + interval '6 days', i::text, '{}'
         FROM generate_series(1, 4500) AS i`,
      [PORTAL],
    );
    await resumePortal(pool, PORTAL);
    const { rows } = await pool.query(`SELECT count(*)::int AS count FROM executions WHERE due_at <= now()`);
    expect(rows).toEqual([{ count: 4_500 }]);
  });

  test("a webhook of several accounts is stored for those whose rows are free, and asked for again for the other", async () => {
    await seedExecutions(db.database, [
      { portalId: PORTAL, contactId: "1" },
      { portalId: OTHER, contactId: "1" },
    ]);
    const changes = [PORTAL, OTHER].map((portalId) => ({
      kind: "erased" as const,
      portalId,
      contactId: "1",
    }));
    await whileFirstIsHeld(async () => {
      await expect(applyContactChanges(db.database.pool, changes)).rejects.toThrow(/lock timeout/);
    });
    const decided = async () =>
      (
        await db.database.pool.query(
          `SELECT portal_id FROM executions WHERE state = 'DECIDED' ORDER BY portal_id`,
        )
      ).rows;
    expect(await decided()).toEqual([{ portal_id: String(OTHER) }]);
    await applyContactChanges(db.database.pool, changes);
    expect(await decided()).toHaveLength(2);
  });
});
