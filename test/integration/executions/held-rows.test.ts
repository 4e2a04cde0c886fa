import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { createAcceptor } from "#domain/executions/accept/accept.js";
import type { IncomingExecution } from "#domain/executions/accept/store-calls.js";
import { recoverAttempts, type Ownership } from "#domain/executions/claim.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { expirePastDeadline } from "#domain/executions/overdue/expire.js";
import { pruneNext } from "#domain/history/prune.js";
import { ExecutionHeld } from "#domain/executions/accept/repeated-calls.js";
import { resumePortal, wakeWaiters } from "#domain/executions/resume.js";
import { toTheEnd } from "#domain/executions/slices.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

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

const LOCK = `SELECT FROM executions WHERE id = (SELECT min(id) FROM executions) FOR UPDATE`;
const CHANGE = `UPDATE executions SET last_problem = 'held' WHERE id = (SELECT min(id) FROM executions)`;
const DELETE = `DELETE FROM executions WHERE id = (SELECT min(id) FROM executions)`;

/** Holds the first execution's row while `work` runs, as a session does that is slow or dead. */
async function whileFirstIsHeld<T>(
  work: (free: () => Promise<unknown>) => Promise<T>,
  by = LOCK,
): Promise<T> {
  const client = await db.database.pool.connect();
  await client.query("BEGIN");
  await client.query(by);
  try {
    return await work(() => client.query("ROLLBACK"));
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
    run: () => toTheEnd(resumePortal(db.database.pool, PORTAL)),
    done: `due_at <= now()`,
  },
  "what waits for a sender": {
    seed: { state: "QUEUED", dueAt: later, senderChoice: { chosen: null } },
    run: () => toTheEnd(wakeWaiters(db.database.pool, PORTAL)),
    done: `due_at <= now()`,
  },
  "what is older than its retention": {
    seed: { enrollmentStatus: "SKIPPED", acceptedAt: LONG_AGO, decidedAt: LONG_AGO },
    run: () => pruneNext(db.database.pool, { portalId: PORTAL, after: 0n, limit: 500 }),
    done: `false`,
  },
};

describe("a row that somebody else holds keeps nobody waiting", () => {
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
      await whileFirstIsHeld(() => run());
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
    await toTheEnd(resumePortal(pool, PORTAL));
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

describe("calls that are delivered again while the row of one is held", () => {
  const call = (portalId: bigint, callbackId: string): IncomingExecution => ({
    portalId,
    callbackId,
    kind: "ENROLL",
    contactId: "1",
    workflowId: "1",
    sequenceId: "1",
    request: {},
  });
  const acceptor = () =>
    createAcceptor({ pool: db.database.pool, deadlineHours: 144, onStored: () => undefined });
  const states = async () =>
    (await db.database.pool.query<{ state: string }>(`SELECT state FROM executions ORDER BY id`)).rows.map(
      ({ state }) => state,
    );

  test.each([
    ["locked", LOCK],
    ["changed", CHANGE],
    ["deleted", DELETE],
  ])("(%s) are answered in time, but for that one, which is taken when it comes again", async (_how, by) => {
    const refused = { state: "COMPLETION_REFUSED", decidedAt: LONG_AGO };
    await seedExecutions(db.database, [
      { portalId: PORTAL, callbackId: "held", ...refused },
      { portalId: OTHER, callbackId: "free", ...refused },
    ]);
    const accept = acceptor();
    await whileFirstIsHeld(async () => {
      const held = expect(accept(call(PORTAL, "held"))).rejects.toThrow(ExecutionHeld);
      const startedAt = performance.now();
      const others = [call(OTHER, "free"), call(PORTAL, "new"), call(OTHER, "new")].map(accept);
      expect(await Promise.all(others)).toEqual(["duplicate", "stored", "stored"]);
      expect(performance.now() - startedAt).toBeLessThan(800);
      expect(await states()).toEqual(["COMPLETION_REFUSED", "DECIDED", "QUEUED", "QUEUED"]);
      await held;
    }, by);
    expect(await accept(call(PORTAL, "held"))).toBe("duplicate");
    expect((await states())[0]).toBe("DECIDED");
  });

  test("and whose completion nobody refused are known without waiting for who holds the row", async () => {
    await seedExecutions(db.database, [{ portalId: PORTAL, callbackId: "held" }]);
    await whileFirstIsHeld(async () => {
      const startedAt = performance.now();
      expect(await acceptor()(call(PORTAL, "held"))).toBe("duplicate");
      expect(performance.now() - startedAt).toBeLessThan(800);
    }, CHANGE);
  });

  test("are taken at the first delivery if the row is free again soon", async () => {
    await seedExecutions(db.database, [
      { portalId: PORTAL, callbackId: "held", state: "COMPLETION_REFUSED", decidedAt: LONG_AGO },
    ]);
    await whileFirstIsHeld(async (free) => {
      const taken = acceptor()(call(PORTAL, "held"));
      await acceptor()(call(OTHER, "meanwhile"));
      await free();
      expect(await taken).toBe("duplicate");
    });
    expect((await states())[0]).toBe("DECIDED");
  });
});
