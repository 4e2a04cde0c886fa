import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Pool } from "pg";
import { HubSpotRejected } from "#platform/hubspot/errors.js";
import { createFairGate } from "#platform/hubspot/pace/fair-gate.js";
import type { HubSpotRequest } from "#platform/hubspot/transport.js";
import { SenderLedger } from "#domain/senders/sender-ledger.js";
import { singleTurns } from "../../support/single-turns.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

const SENDER = 70n;
const CONTACTS = 12;
const PROPERTIES = { email: "c@d.e", hubspot_owner_id: "7" };

/** A statement that fails once: before the database has seen it, or with its answer lost. */
interface Trouble {
  readonly statement: string;
  readonly when: "before" | "after";
}

describe("a database that fails once in the middle of a turn", () => {
  let db: TestDatabase;
  let portalId = 5_200n;
  let failures: number;
  /** What HubSpot was asked, as "POST /path". */
  let asked: string[];
  let enrolledContacts: string[];
  /** Set if our own code is to fail on the next enrollment's answer, after it took effect. */
  let failsOnAnswer: boolean;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    portalId += 1n;
    [failures, asked, enrolledContacts, failsOnAnswer] = [0, [], [], false];
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO portals (portal_id, status, directory_synced_at, flows_read_at) VALUES ($1, 'CONNECTED', now(), now())`,
      [portalId],
    );
    await pool.query(
      `INSERT INTO owners (portal_id, owner_id, user_id, email, type, is_archived) VALUES ($1, '7', $2, 'ann@example.com', 'PERSON', false)`,
      [portalId, SENDER],
    );
  });

  /** The contacts wait in line, and their one sender has this many places left. */
  async function queue(places: number): Promise<void> {
    const { pool } = db.database;
    await pool.query(
      `INSERT INTO senders (portal_id, user_id, daily_cap, window_days) VALUES ($1, $2, $3, '{}')`,
      [...[portalId, SENDER, places + 1]],
    );
    const request = { senderMode: "contact_owner", properties: PROPERTIES };
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, sequence_id, request,
                               enrollment_status, enrolled_at, sender_user_id)
       SELECT $1::bigint, $1::bigint || '-' || n, 'ENROLL', CASE WHEN n = 0 THEN 'COMPLETED' ELSE 'QUEUED' END,
              now() + interval '60 days', n::text, '1', $3, CASE WHEN n = 0 THEN 'ENROLLED' END,
              CASE WHEN n = 0 THEN now() END, CASE WHEN n = 0 THEN $4::bigint END
         FROM generate_series(0, $2::int) AS n`,
      [portalId, CONTACTS, request, SENDER],
    );
  }

  /** The database's pool, but for the one failure. */
  function troubled({ statement, when }: Trouble): Pool {
    const { pool } = db.database;
    const query = async (given: { name?: string }, ...rest: unknown[]): Promise<unknown> => {
      const fails = given.name === statement && failures === 0;
      if (fails) failures += 1;
      if (fails && when === "before") throw new Error("timeout exceeded when trying to connect");
      const answer: unknown = await (pool.query as (...asked: unknown[]) => Promise<unknown>)(given, ...rest);
      if (fails) throw new Error("Connection terminated unexpectedly");
      return answer;
    };
    return { query } as unknown as Pool;
  }

  /** A kind HubSpot, which shows at once what it did: the database alone is in trouble. */
  function answer({ method, path, body }: HubSpotRequest): unknown {
    asked.push(`${method} ${path}`);
    if (path.includes("complete")) return undefined;
    const { contactId = "" } = (body ?? {}) as { contactId?: string };
    if (method === "POST") enrolledContacts.push(contactId);
    if (method === "POST" && failsOnAnswer) {
      failsOnAnswer = false;
      throw new TypeError("a fault of our own");
    }
    const found = method === "GET" ? /contact\/(\d+)/.exec(path)?.[1] : contactId;
    if (found === undefined || !enrolledContacts.includes(found))
      throw new HubSpotRejected({ httpStatus: 404, message: "none" });
    return { id: `9${found}`, sequenceId: "1", enrolledAt: new Date().toISOString() };
  }

  /** Turns as the queue gives them, until nothing is due; what waits for the database is made due at once. */
  async function drainAll(pool: Pool): Promise<void> {
    const drain = singleTurns(pool, {
      rateLimit: 1_000,
      gate: createFairGate({ places: 10 }),
      forPortal: (portal) => async (request) => {
        const slot = await portal.takeSlot();
        try {
          return answer(request);
        } finally {
          slot.settle();
        }
      },
    });
    for (let turns = 0; turns < 6; turns += 1) {
      await drain(portalId).catch(() => undefined);
      const { rowCount } = await db.database.pool.query(
        `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND (state IN ('UNCERTAIN', 'ATTEMPTING', 'DECIDED')
            OR state = 'QUEUED' AND (last_problem LIKE '%database%' OR due_at <= now()))`,
        [portalId],
      );
      if (rowCount === 0) return;
    }
  }

  async function rows(): Promise<{ state: string; crashes: number; error_code: string | null }[]> {
    const { rows: found } = await db.database.pool.query(
      `SELECT DISTINCT state, crashes, error_code FROM executions WHERE portal_id = $1 AND contact_id <> '0'`,
      [portalId],
    );
    return found;
  }

  const lookups = () => asked.filter((request) => request.startsWith("GET"));

  const BEFORE_SENDING = [
    "claim-due-executions",
    "read-portal-policy",
    "read-sender-accounts",
    "directory-owner",
  ];

  test.each<Trouble>([
    ...[...BEFORE_SENDING, "read-sender-waiters"].map((statement) => ({
      statement,
      when: "before" as const,
    })),
    { statement: "claim-due-executions", when: "after" },
    { statement: "write-findings", when: "before" },
    { statement: "write-findings", when: "after" },
  ])(
    "asks HubSpot nothing for contacts whose sender's cap is used up, $statement failing $when it took effect",
    async (trouble) => {
      await queue(0);
      await drainAll(troubled(trouble));
      expect(failures).toBe(1);
      expect(asked).toEqual([]);
      expect(await rows()).toEqual([{ state: "QUEUED", crashes: 0, error_code: null }]);
    },
  );

  test.each<Trouble>([
    ...[...BEFORE_SENDING, "store-intents"].map((statement) => ({ statement, when: "before" as const })),
    { statement: "claim-due-executions", when: "after" },
    { statement: "store-intents", when: "after" },
  ])("enrolls each once without a look first, $statement failing $when it took effect", async (trouble) => {
    await queue(CONTACTS);
    await drainAll(troubled(trouble));
    expect(failures).toBe(1);
    expect(lookups()).toEqual([]);
    expect(enrolledContacts.sort()).toEqual(Array.from({ length: CONTACTS }, (_, n) => String(n + 1)).sort());
    expect(await rows()).toEqual([{ state: "COMPLETED", crashes: 0, error_code: null }]);
  });

  test.each(["before", "after"] as const)(
    "keeps what HubSpot answered, and looks at nobody, if it could not be noted, failing %s it took effect",
    async (when) => {
      await queue(CONTACTS);
      await drainAll(troubled({ statement: "write-findings", when }));
      expect(failures).toBe(1);
      expect(enrolledContacts).toHaveLength(CONTACTS);
      expect(new Set(enrolledContacts).size).toBe(CONTACTS);
      expect(lookups()).toEqual([]);
      expect(await rows()).toEqual([{ state: "COMPLETED", crashes: 0, error_code: null }]);
    },
  );

  test("looks before it sends again if our own code failed on the answer", async () => {
    await queue(CONTACTS);
    failsOnAnswer = true;
    await drainAll(db.database.pool);
    expect(new Set(enrolledContacts).size).toBe(CONTACTS);
    expect(enrolledContacts).toHaveLength(CONTACTS);
    expect(lookups()).toHaveLength(1);
  });

  test("is asked again for what a ledger could not read", async () => {
    const ledgerOf = (statement: string) =>
      new SenderLedger({ pool: troubled({ statement, when: "before" }), portalId, now: () => new Date() });
    const waiters = ledgerOf("read-sender-waiters");
    await expect(waiters.loadWaiters()).rejects.toThrow("timeout");
    await waiters.loadWaiters();
    failures = 0;
    const accounts = ledgerOf("read-sender-accounts");
    const [first, second] = await Promise.allSettled([accounts.load([1n]), accounts.load([2n, 1n])]);
    expect([first.status, second.status]).toEqual(["rejected", "rejected"]);
    await accounts.load([1n, 2n]);
    expect(accounts.usedBy(1n)).toBe(0);
  });
});
