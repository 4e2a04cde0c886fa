import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import type { Ownership } from "#domain/executions/claim.js";
import { HubSpotRejected, HubSpotUnavailable, PortalSpared } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { pollWatched } from "#worker/watch/watch-poll.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const ENROLLED = { hs_sequences_is_enrolled: "true", hs_latest_sequence_enrolled: "1" };
const MERGED_INTO = "900";

describe("a look at contacts that wait for their sequence's end", () => {
  let db: TestDatabase;
  let owner: Ownership;
  let portalId = 3_000n;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    portalId += 1n;
    const { pool } = db.database;
    await pool.query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    const { epoch } = await acquirePortal(pool, portalId);
    owner = { pool, portalId, epoch, leaseCte: LEASE_CTE };
  });

  /** Contacts "1" to `count`, each with an execution that is due; the first has the nearest deadline. */
  async function seed(count: number): Promise<void> {
    await seedExecutions(
      db.database,
      Array.from({ length: count }, (_, index) => ({
        portalId,
        sequenceId: "1",
        kind: "WAIT_FOR_SEQUENCE_END",
        state: "WATCHING",
        contactId: String(index + 1),
        request: { maxWaitDays: 30 },
        deadlineAt: new Date(Date.now() + (index + 1) * 3_600_000),
      })),
    );
    await db.database.pool.query(
      `UPDATE executions SET due_at = now() - interval '1 second' WHERE portal_id = $1`,
      [portalId],
    );
  }

  /** What is stored of the contacts, in the order of their deadlines. */
  async function stored(): Promise<{ state: string; contactId: string; dueInMs: number }[]> {
    const rows = await db.database.prisma.execution.findMany({
      where: { portalId },
      orderBy: { deadlineAt: "asc" },
    });
    return rows.map(({ state, contactId, dueAt }) => ({
      state,
      contactId,
      dueInMs: dueAt.getTime() - Date.now(),
    }));
  }

  /** A HubSpot that knows the contacts named; each other one is gone, and the first that is asked for singly was merged. */
  function gatewayTo(known: readonly string[], single?: () => void) {
    const asked: string[] = [];
    const gateway = {
      readContacts: () => Promise.resolve(new Map(known.map((id) => [id, ENROLLED]))),
      readContact: (contactId: string) => {
        asked.push(contactId);
        single?.();
        return Promise.resolve(asked.length === 1 ? { ...ENROLLED, hs_object_id: MERGED_INTO } : undefined);
      },
    } as unknown as PortalGateway;
    return { gateway, asked };
  }

  const writer = () =>
    new RetryingWriter({ owner, logger: pino({ level: "silent" }), mayStillWrite: () => true });
  const always = (): boolean => true;
  const logger = pino({ level: "silent" });

  test("reads ten of those that were deleted or merged, nearest deadline first, and the rest in looks to come", async () => {
    await seed(40);
    const { gateway, asked } = gatewayTo(["36", "37", "38", "39", "40"]);
    expect(await pollWatched(owner, { logger, gateway, writer: writer(), mayGoOn: always })).toEqual({
      isMoreLeft: false,
      decided: 9,
      requests: 11,
    });
    expect(asked).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    const rows = await stored();
    expect(rows[0]).toMatchObject({ state: "WATCHING", contactId: MERGED_INTO });
    expect(rows.slice(1, 10).map(({ state }) => state)).toEqual(Array(9).fill("DECIDED"));
    const soon = rows.slice(10, 35).map(({ dueInMs }) => Math.ceil(dueInMs / 10_000));
    expect(soon).toEqual([
      ...Array<number>(10).fill(1),
      ...Array<number>(10).fill(2),
      ...Array<number>(5).fill(3),
    ]);
    for (const { state, dueInMs } of rows.slice(35)) {
      expect(state).toBe("WATCHING");
      expect(dueInMs).toBeGreaterThan(0);
    }
  });

  test("ends with its turn: what it had no time to read stays due", async () => {
    await seed(5);
    const { gateway, asked } = gatewayTo([]);
    await pollWatched(owner, { logger, gateway, writer: writer(), mayGoOn: () => asked.length < 2 });
    expect(asked).toHaveLength(2);
    const rows = await stored();
    expect(rows.map(({ state }) => state)).toEqual([
      "WATCHING",
      "DECIDED",
      "WATCHING",
      "WATCHING",
      "WATCHING",
    ]);
    for (const { dueInMs } of rows.slice(2)) expect(dueInMs).toBeLessThan(0);
  });

  test("leaves those due whose account is spared before they are asked about", async () => {
    await seed(3);
    const gateway = { readContacts: () => Promise.reject(new PortalSpared()) } as unknown as PortalGateway;
    await pollWatched(owner, { logger, gateway, writer: writer(), mayGoOn: always });
    for (const { state, dueInMs } of await stored()) {
      expect(state).toBe("WATCHING");
      expect(dueInMs).toBeLessThan(0);
    }
  });

  const down = (retryAfterMs?: number) => new HubSpotUnavailable("HubSpot answered 503", { retryAfterMs });

  test.each<[what: string, retryAfterMs: number | undefined, from: number, to: number]>([
    ["when HubSpot said, if it said", 3_600_000, 3_590_000, 3_600_000],
    ["at its next regular time, if HubSpot named a sooner one", 1, 1, 60_000],
    ["at its next regular time, if HubSpot named none", undefined, 1, 60_000],
  ])("after an outage comes %s", async (...row) => {
    const [, retryAfterMs, from, to] = row;
    await seed(2);
    const readContacts = () => Promise.reject(down(retryAfterMs));
    await pollWatched(owner, {
      logger,
      gateway: { readContacts } as unknown as PortalGateway,
      writer: writer(),
      mayGoOn: always,
    });
    for (const { state, dueInMs } of await stored()) {
      expect(state).toBe("WATCHING");
      expect(dueInMs).toBeGreaterThanOrEqual(from);
      expect(dueInMs).toBeLessThanOrEqual(to);
    }
  });

  test("after an outage comes at its deadline at the latest, whatever HubSpot asked for", async () => {
    await seed(1);
    await db.database.pool.query(
      `UPDATE executions SET deadline_at = now() + interval '10 minutes' WHERE portal_id = $1`,
      [portalId],
    );
    await pollWatched(owner, {
      logger,
      gateway: { readContacts: () => Promise.reject(down(3_600_000)) } as unknown as PortalGateway,
      writer: writer(),
      mayGoOn: always,
    });
    const [look] = await stored();
    expect(look?.state).toBe("WATCHING");
    expect(look?.dueInMs).toBeGreaterThan(590_000);
    expect(look?.dueInMs).toBeLessThanOrEqual(600_000);
  });

  test("keeps what it read before an outage began", async () => {
    await seed(4);
    const { gateway, asked } = gatewayTo(["4"], () => {
      if (asked.length === 3) throw down();
    });
    expect((await pollWatched(owner, { logger, gateway, writer: writer(), mayGoOn: always })).decided).toBe(
      1,
    );
    const states = (await stored()).map(({ state }) => state);
    expect(states).toEqual(["WATCHING", "DECIDED", "WATCHING", "WATCHING"]);
  });

  test("gives an execution up at its deadline if HubSpot cannot be read, and not before", async () => {
    await seed(2);
    await db.database.pool.query(
      `UPDATE executions SET deadline_at = now() WHERE portal_id = $1 AND contact_id = '1'`,
      [portalId],
    );
    const readContacts = () => Promise.reject(down());
    await pollWatched(owner, {
      logger,
      gateway: { readContacts } as unknown as PortalGateway,
      writer: writer(),
      mayGoOn: always,
    });
    expect((await stored()).map(({ state }) => state)).toEqual(["DECIDED", "WATCHING"]);
  });

  test("says about a contact that the app may not read what any other read says, and names no sender", async () => {
    await seed(1);
    const refusal = new HubSpotRejected({ httpStatus: 403, message: "No access to contacts" });
    const refuse = () => Promise.reject(refusal);
    const gateway = { readContacts: refuse, readContact: refuse } as unknown as PortalGateway;
    await pollWatched(owner, { logger, gateway, writer: writer(), mayGoOn: always });
    const row = await db.database.prisma.execution.findFirstOrThrow({ where: { portalId } });
    expect(row).toMatchObject({
      state: "DECIDED",
      errorCode: "MISSING_SCOPES",
      errorMessage: expect.stringContaining("No access to contacts"),
    });
  });
});
