import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import type { Pool } from "pg";
import { openDatabase } from "#platform/db/client.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { Ownership } from "#domain/executions/claim.js";
import { HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { RetryingWriter } from "#worker/writes/retrying-writer.js";
import { sendCompletions } from "#worker/completions/send-completions.js";
import { pollWatched } from "#worker/watch/watch-poll.js";
import { acquirePortal, LEASE_CTE, LeaseLost } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { seedExecutions } from "../../support/executions.js";

const CONTACTS = 4;

interface Row {
  state: string;
  tries: number;
  isDue: boolean;
  problem: string | null;
}

describe("what HubSpot told, when it cannot be written at once", () => {
  let db: TestDatabase;
  let portalId = 8_500n;
  let owner: Ownership;
  /** What HubSpot was asked, in order. */
  let asked: string[];
  /** Runs while HubSpot answers: between the read of what is due and the write. */
  let meanwhile: () => Promise<unknown>;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  const pool = () => db.database.pool;

  beforeEach(async () => {
    portalId += 1n;
    [asked, meanwhile] = [[], () => Promise.resolve()];
    await pool().query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    const { epoch } = await acquirePortal(pool(), portalId);
    owner = { pool: pool(), portalId, epoch, leaseCte: LEASE_CTE };
  });

  async function seed(state: "WATCHING" | "DECIDED"): Promise<void> {
    await seedExecutions(
      db.database,
      Array.from({ length: CONTACTS }, (_, index) => ({
        portalId,
        sequenceId: "1",
        state,
        contactId: String(index + 1),
        kind: "WAIT_FOR_SEQUENCE_END",
        request: { maxWaitDays: 30 },
      })),
    );
    await pool().query(
      `UPDATE executions SET due_at = now() - interval '1 s', accepted_at = now() - interval '2 h',
              decided_at = CASE WHEN state = 'DECIDED' THEN now() - interval '2 h' END WHERE portal_id = $1`,
      [portalId],
    );
  }

  async function stored(): Promise<Row[]> {
    const { rows } = await pool().query<Row>(
      `SELECT state, completion_tries AS tries, due_at <= now() AS "isDue", completion_problem AS problem
         FROM executions WHERE portal_id = $1 ORDER BY id`,
      [portalId],
    );
    return rows;
  }

  /** The pool, whose first `times` writes fail: before the database has seen them, or with the answer lost. */
  function failing(when: "before" | "after", { times = 1, code = "57P01" } = {}): Pool {
    let left = times;
    const query = async (given: { name?: string }, ...rest: unknown[]): Promise<unknown> => {
      const fails = given.name?.startsWith("write-") === true && left > 0;
      if (fails) left -= 1;
      const fault = Object.assign(new Error("terminating connection"), { code });
      if (fails && when === "before") throw fault;
      const answer: unknown = await (pool().query as (...asked: unknown[]) => Promise<unknown>)(
        ...[given, ...rest],
      );
      if (fails) throw fault;
      return answer;
    };
    return { query } as unknown as Pool;
  }

  interface World {
    over?: Pool;
    /** HubSpot's answer to a batch of completions. By default it takes all. */
    complete?: (ids: string[]) => Promise<{ taken: Set<string>; refused: Map<string, string> }>;
    mayStillWrite?: () => boolean;
  }

  function tools({ over = pool(), complete, mayStillWrite = () => true }: World) {
    const ours = { ...owner, pool: over };
    const gateway = {
      readContacts: async (ids: string[]) => {
        asked.push("contacts");
        await meanwhile();
        const first = { hs_sequences_is_enrolled: "false" };
        const others = { hs_sequences_is_enrolled: "true", hs_latest_sequence_enrolled: "1" };
        return new Map(ids.map((id) => [id, id === "1" ? first : others]));
      },
      completeBatch: async (sent: { callbackId: string }[]) => {
        asked.push(`batch of ${sent.length}`);
        await meanwhile();
        const ids = sent.map(({ callbackId }) => callbackId);
        return (
          complete?.(ids) ?? {
            taken: new Set(ids),
            refused: new Map<string, string>(),
            hasUnnamedErrors: false,
          }
        );
      },
      completeOne: async () => {
        asked.push("one");
        await meanwhile();
      },
    } as unknown as PortalGateway;
    const writer = new RetryingWriter({ owner: ours, logger: pino({ level: "silent" }), mayStillWrite });
    return { owner: ours, gateway, writer };
  }

  function look(world: World = {}): Promise<unknown> {
    const { owner: ours, gateway, writer } = tools(world);
    return pollWatched(ours, {
      gateway,
      writer,
      mayGoOn: () => true,
      logger: pino({ level: "silent" }),
    });
  }

  const complete = (world: World = {}): Promise<unknown> => sendCompletions(tools(world));

  const TROUBLES = [
    ["before", "57P01"],
    ["after", "57P01"],
    ["before", "40P01"],
    ["before", "55P03"],
    ["after", "08006"],
  ] as const;

  test.each(TROUBLES)(
    "looks are written again if the write failed %s it took effect (%s)",
    async (...row) => {
      await seed("WATCHING");
      const [when, code] = row;
      await look({ over: failing(when, { times: 3, code }) });
      expect((await stored()).map(({ state }) => state)).toEqual([
        ...["DECIDED", "WATCHING", "WATCHING", "WATCHING"],
      ]);
      expect((await stored()).slice(1).map(({ isDue }) => isDue)).toEqual([false, false, false]);
      expect(asked).toEqual(["contacts"]);
    },
  );

  test.each(TROUBLES)(
    "what HubSpot said of completions is written again, and once, if the write failed %s it took effect (%s)",
    async (when, code) => {
      await seed("DECIDED");
      const down = () => Promise.reject(new HubSpotUnavailable("HubSpot answered 503", {}));
      await complete({ over: failing(when, { times: 3, code }), complete: down });
      expect(await stored()).toEqual(
        Array(CONTACTS).fill({ state: "DECIDED", tries: 1, isDue: false, problem: "HubSpot answered 503" }),
      );
      await pool().query(
        `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1`,
        [portalId],
      );
      await complete({ over: failing(when, { times: 3, code }) });
      expect((await stored()).map(({ state, tries }) => [state, tries])).toEqual(
        Array(CONTACTS).fill(["COMPLETED", 2]),
      );
      expect(asked).toEqual(["batch of 4", "batch of 4"]);
    },
  );

  test("a look that waits to be written does not undo what was moved since an earlier try took effect", async () => {
    await seed("WATCHING");
    const after = failing("after");
    const query = async (...given: unknown[]): Promise<unknown> => {
      const answer = (after.query as (...asked: unknown[]) => Promise<unknown>)(...given);
      await answer.catch(() =>
        pool().query(
          `UPDATE executions SET due_at = now() + interval '3 days' WHERE portal_id = $1 AND state = 'WATCHING'`,
          [portalId],
        ),
      );
      return answer;
    };
    await look({ over: { query } as unknown as Pool });
    const { rows } = await pool().query(
      `SELECT FROM executions WHERE portal_id = $1 AND due_at > now() + interval '2 days'`,
      [portalId],
    );
    expect(rows).toHaveLength(CONTACTS - 1);
  });

  test.each([
    ["looks", "WATCHING", look],
    ["completions", "DECIDED", complete],
  ] as const)("of %s nothing is written once another owner exists, who is heeded", async (...row) => {
    const [, state, run] = row;
    await seed(state);
    const before = await stored();
    meanwhile = () => acquirePortal(pool(), portalId);
    await expect(run()).rejects.toBeInstanceOf(LeaseLost);
    expect(await stored()).toEqual(before);
    expect(asked).toHaveLength(1);
  });

  test("no further completion is sent once another owner exists", async () => {
    await seed("DECIDED");
    // What may have been taken before goes in a request of its own, after the others.
    await pool().query(
      `UPDATE executions SET completion_doubted_at = now() WHERE portal_id = $1 AND contact_id = '1'`,
      [portalId],
    );
    meanwhile = () => acquirePortal(pool(), portalId);
    await expect(complete()).rejects.toBeInstanceOf(LeaseLost);
    expect(asked).toEqual(["batch of 3"]);
  });

  test.each([
    ["look", "WATCHING", look],
    ["result of a completion", "DECIDED", complete],
  ] as const)("a %s waits for the row that somebody holds, and the others do not", async (...row) => {
    const [, state, run] = row;
    await seed(state);
    const impatient = openDatabase({
      url: db.url,
      applicationName: "impatient",
      poolSize: 2,
      statementTimeoutMs: 300,
    });
    let running: Promise<unknown> = Promise.resolve();
    await inTransaction(pool(), async (client) => {
      await client.query(`SELECT FROM executions WHERE portal_id = $1 AND contact_id = '2' FOR UPDATE`, [
        portalId,
      ]);
      running = run({ over: impatient.pool });
      const written = async () =>
        (await stored()).filter(({ state: now, isDue }) => now === "COMPLETED" || !isDue || now !== state);
      for (const endsAt = Date.now() + 60_000; (await written()).length < CONTACTS - 1;) {
        if (Date.now() > endsAt) throw new Error("the others waited");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect((await stored())[1]).toMatchObject({ state, isDue: true });
    });
    await running;
    expect((await stored())[1]).not.toMatchObject({ state, isDue: true });
    await impatient.close();
  });

  test("a completion whose answer the database refuses keeps back no other, and is written without it", async () => {
    await seed("DECIDED");
    await complete({
      complete: (ids) =>
        Promise.resolve({
          taken: new Set(ids.slice(1)),
          refused: new Map([[ids[0] ?? "", "not \0 held"]]),
          hasUnnamedErrors: false,
        }),
    });
    const [first, ...others] = await stored();
    expect(first).toMatchObject({ state: "COMPLETION_REFUSED", tries: 1 });
    expect(first?.problem).toContain("cannot be stored");
    expect(others.map(({ state, tries }) => [state, tries])).toEqual(Array(3).fill(["COMPLETED", 1]));
  });

  test.each([
    ["looks", "WATCHING", look],
    ["completions", "DECIDED", complete],
  ] as const)("%s are given up once the portal is certainly lost", async (_what, state, run) => {
    await seed(state);
    const over = failing("before", { times: 1_000 });
    await expect(run({ over, mayStillWrite: () => false })).rejects.toThrow("terminating connection");
    expect(asked).toHaveLength(1);
  });
});
