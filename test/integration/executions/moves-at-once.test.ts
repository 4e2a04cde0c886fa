import { wasEverInDoubt } from "#worker/attempt/doubt.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { PoolClient } from "pg";
import { createCopyStore } from "#domain/directory/copy-store.js";
import { createDirectory } from "#domain/directory/directory.js";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction } from "#domain/history/admin-actions.js";
import { claimDue, claimUncertain, type Ownership } from "#domain/executions/claim.js";
import { writeCompletionResults } from "#domain/executions/completions.js";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import { ERASED_CONTACT } from "#domain/contract/execution.js";
import { storeIntents } from "#domain/executions/intent.js";
import { enrolled, failed } from "#domain/contract/outcome.js";
import { readWatched, writeLooks } from "#domain/executions/watch.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { createTurnPeople } from "#worker/drain/turn-people.js";
import { attemptExecution } from "#worker/attempt/attempt-execution.js";
import { ContactProperties, createReadAhead } from "#worker/attempt/contact-properties.js";
import { SenderSelection } from "#worker/senders/sender-selection.js";
import { settleUncertain } from "#worker/attempt/settle-uncertain.js";
import { clearSenderBlock, storeSenderRefusal } from "#worker/senders/store-sender-block.js";
import { PortalCircuit } from "#platform/queue/portal-circuit.js";
import { SenderLedger } from "#domain/senders/sender-ledger.js";
import { acquirePortal, LEASE_CTE, LeaseLost } from "#platform/queue/portal-lease.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";
import { clockOf } from "../../support/hubspot-clock.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";

const CALL = { senderMode: "contact_owner", properties: { email: "c@d.e", hubspot_owner_id: "7" } };

describe("executions that several move at once", () => {
  let db: TestDatabase;
  let owner: Ownership;
  let portalId = 0n;

  beforeAll(async () => {
    db = await createTestDatabase();
    // With a history, rows are found by index in the order they are named, as in earnest; of a small table all is read.
    await pool().query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request)
       SELECT 1 + n % 50, 'ap-old-' || n, 'ENROLL', 'COMPLETED', now(), n::text, '{}' FROM generate_series(1, 20000) AS n`,
    );
    await pool().query(`VACUUM ANALYZE executions`);
    portalId = 1_000n;
  });

  afterAll(() => db.drop());

  beforeEach(async () => {
    portalId += 1n;
    await pool().query(`INSERT INTO portals (portal_id, status) VALUES ($1, 'CONNECTED')`, [portalId]);
    const { epoch } = await acquirePortal(pool(), portalId);
    owner = { pool: pool(), portalId, epoch, leaseCte: LEASE_CTE };
  });

  const pool = () => db.database.pool;
  const rows = () => db.database.prisma.execution.findMany({ where: { portalId }, orderBy: { id: "asc" } });

  async function seed(...seeds: Omit<ExecutionSeed, "portalId">[]): Promise<bigint[]> {
    await seedExecutions(
      db.database,
      seeds.map((one) => ({ portalId, sequenceId: "1", request: CALL, ...one })),
    );
    await pool().query(`UPDATE executions SET due_at = now() - interval '1 second' WHERE portal_id = $1`, [
      portalId,
    ]);
    return (await rows()).map(({ id }) => id);
  }

  async function untilOneWaitsForALock(): Promise<void> {
    const endsAt = Date.now() + 60_000;
    for (;;) {
      const { rowCount } = await pool().query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (rowCount === 1) return;
      if (Date.now() > endsAt) throw new Error("nobody waits");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const lock = (client: PoolClient, id: bigint | undefined) =>
    client.query(`SELECT FROM executions WHERE portal_id = $1 AND id = $2 FOR UPDATE NOWAIT`, [portalId, id]);

  test("an erasure that comes while its execution is being claimed leaves the attempt to its owner", async () => {
    await seed({ contactId: "55", contactEmail: "ann@example.com" });
    let erasing: Promise<unknown> = Promise.resolve();
    const [claimed] = await inTransaction(pool(), async (client) => {
      const claim = await claimDue({ ...owner, pool: client as never }, 1);
      erasing = applyContactChanges(pool(), [{ kind: "erased", portalId, contactId: "55" }]);
      await untilOneWaitsForALock();
      return claim;
    });
    await erasing;
    expect((await rows())[0]).toMatchObject({ state: "ATTEMPTING", contactId: ERASED_CONTACT });
    const outcome = enrolled({ id: "1", enrolledAt: new Date() });
    const finding = {
      id: claimed?.id ?? 0n,
      from: "ATTEMPTING",
      result: { to: "DECIDED", outcome },
    } as const;
    // A void finding would be taken for the loss of the portal.
    expect(await writeFindings(owner, [finding])).toBe(1);
  });

  test("a claim waits for nobody: what somebody else holds is left for the next look", async () => {
    const [held, free] = await seed({}, {}, { state: "UNCERTAIN" });
    await inTransaction(pool(), async (client) => {
      await lock(client, held);
      expect((await claimDue(owner, 5)).map(({ id }) => id)).toEqual([free]);
    });
    expect((await claimDue(owner, 5)).map(({ id }) => id)).toEqual([held]);
  });

  describe("whoever locks several goes in order of ids, and so cannot deadlock with another", () => {
    const backwards = async () => (await rows()).map(({ id }) => id).reverse();

    test.each<[what: string, state: string, run: () => Promise<unknown>]>([
      [
        "completions",
        "DECIDED",
        async () =>
          writeCompletionResults(
            owner,
            (await backwards()).map((id) => ({ id, to: "COMPLETED" })),
          ),
      ],
      [
        "findings",
        "ATTEMPTING",
        async () =>
          writeFindings(
            owner,
            (await backwards()).map((id) => ({
              id,
              from: "ATTEMPTING",
              result: { to: "DECIDED", outcome: failed("BLOCKED") },
            })),
          ),
      ],
    ])("%s", async (_what, state, run) => {
      const ids = await seed({ state, contactId: "8" }, { state, contactId: "9" });
      await pool().query(`UPDATE executions SET epoch = $2 WHERE portal_id = $1 AND state = 'ATTEMPTING'`, [
        portalId,
        owner.epoch,
      ]);
      let running: Promise<unknown> = Promise.resolve();
      await inTransaction(pool(), async (client) => {
        await lock(client, ids[0]);
        running = run();
        await untilOneWaitsForALock();
        await lock(client, ids[1]);
      });
      await running;
    });
  });

  /** The contacts' owner, who sends for them. */
  async function storeOwner(): Promise<void> {
    const copy = createCopyStore(owner, createDirectory({ pool: pool() }));
    const person = { id: "7", userId: 7n, email: "a@b.c", firstName: "A", lastName: "B" };
    await copy.owners.save([{ ...person, type: "PERSON", archived: false }]);
  }

  function contextOf(gateway: PortalGateway) {
    const directory = createDirectory({ pool: pool() });
    const nobody = () => Promise.resolve(undefined);
    return {
      owner,
      portalId,
      gateway,
      directory,
      people: createTurnPeople({ owner, directory })({ readOwner: nobody, readOwnerOfUser: nobody }),
      contacts: new ContactProperties({ owner, ahead: createReadAhead() }),
      senders: new SenderSelection({ owner, now: () => new Date() }),
      doubts: { clock: clockOf(), believeNoneAfterMs: 0, readProperties: nobody },
    };
  }

  const lookAgain = async (by: Ownership) => {
    const { executions } = await readWatched(by, { limit: 10, gatherMs: 0 });
    await writeLooks(
      by,
      executions.map((execution) => ({ execution, result: { to: "QUEUED" } })),
    );
  };

  test("an owner that lost the portal stores no more intents or looks", async () => {
    await seed({}, { state: "WATCHING" });
    const [claimed] = await claimDue(owner, 1);
    await acquirePortal(pool(), portalId);
    const before = await rows();
    const intent = {
      executionId: claimed?.id ?? 0n,
      senderUserId: 7n,
      senderEmail: "a@b.c",
      senderChoice: {},
    };
    expect(await storeIntents(owner, [intent], [])).toBe(0);
    await lookAgain(owner);
    expect(await rows()).toEqual(before);
  });

  test("an owner that lost the portal stores no more states of its circuit or marks of senders", async () => {
    const lease = await acquirePortal(pool(), portalId);
    const old = { ...owner, epoch: lease.epoch };
    const marks = async () =>
      (await pool().query(`SELECT user_id, refused_code FROM senders WHERE portal_id = $1`, [portalId])).rows;
    const refused = { email: "a@b.c", code: "INBOX_NOT_CONNECTED", message: "No inbox." } as const;
    await storeSenderRefusal(old, { ...refused, userId: 7n });
    const before = await marks();
    expect(before).toEqual([{ user_id: "7", refused_code: refused.code }]);
    await acquirePortal(pool(), portalId);
    await expect(storeSenderRefusal(old, { ...refused, userId: 8n })).rejects.toBeInstanceOf(LeaseLost);
    await expect(clearSenderBlock(old, 7n)).rejects.toBeInstanceOf(LeaseLost);
    const circuit = new PortalCircuit({ pool: pool(), lease, onFault: () => undefined });
    circuit.failed("down", { retryAfterMs: 60_000 });
    await circuit.saved();
    expect(await marks()).toEqual(before);
    expect((await acquirePortal(pool(), portalId)).circuit.trips).toBe(0);
  });

  test.each<[what: string, gathered: boolean, change: "touched" | "merged"]>([
    ["was due", false, "touched"],
    ["came along with one that was due", true, "touched"],
    ["was due and is merged into another", false, "merged"],
  ])(
    "an event that comes during the look at a contact that %s has it looked at once more",
    async (...row) => {
      const [, gathered, change] = row;
      const [id] = await seed({ state: "WATCHING", contactId: "9" }, { state: "WATCHING", contactId: "8" });
      if (gathered)
        await pool().query(`UPDATE executions SET due_at = now() + interval '10 s' WHERE id = $1`, [id]);
      const { executions } = await readWatched(owner, { limit: 10, gatherMs: 30_000 });
      await applyContactChanges(pool(), [
        change === "touched"
          ? { kind: "touched", portalId, contactId: "9" }
          : { kind: "merged", portalId, contactIds: ["9"], into: "10" },
      ]);
      const dueAt = new Date(Date.now() + 900_000);
      await writeLooks(
        owner,
        executions.map((execution) => ({ execution, result: { to: "WATCHING", dueAt, seen: {} } })),
      );
      const dueInMs = (await rows()).map((row) => row.dueAt.getTime() - Date.now());
      expect(dueInMs[0]).toBeLessThanOrEqual(0);
      expect(dueInMs[1]).toBeGreaterThan(600_000);
    },
  );

  test("an attempt whose portal was taken between its claim and its intent sends nothing", async () => {
    await seed({ contactId: "77" });
    const [claimed] = await claimDue(owner, 1);
    if (claimed === undefined) throw new Error("nothing was claimed");
    await storeOwner();
    await acquirePortal(pool(), portalId);
    const sent: string[] = [];
    const properties = { email: "c@d.e", hubspot_owner_id: "7" };
    const gateway = {
      enroll: ({ contactId }: { contactId: string }) => {
        sent.push(contactId);
        return Promise.resolve({ id: "1", enrolledAt: new Date(), toEmail: null });
      },
      readContacts: (ids: string[]) => Promise.resolve(new Map(ids.map((id) => [id, properties]))),
      readContact: () => Promise.resolve(properties),
    } as unknown as PortalGateway;
    await expect(attemptExecution(claimed, contextOf(gateway))).rejects.toBeInstanceOf(LeaseLost);
    expect(sent).toEqual([]);
  });

  test.each([
    [1, 0],
    [2, 2],
  ])("after a wait, %i attempts count as %i: a lost answer is never forgotten", async (attempts, counted) => {
    await seed({ state: "WATCHING", attempts });
    await pool().query(`UPDATE executions SET first_attempt_at = now() WHERE portal_id = $1`, [portalId]);
    await lookAgain(owner);
    const [row] = await rows();
    expect(row).toMatchObject({ state: "QUEUED", attempts: counted });
    expect(row?.firstAttemptAt === null).toBe(counted === 0);
  });

  test("a sender's place is taken by what may have been sent: under way, or without an answer", async () => {
    const sent = { senderUserId: 7n };
    await seed(
      { ...sent, state: "ATTEMPTING" },
      { ...sent, state: "UNCERTAIN" },
      { ...sent, state: "QUEUED" },
    );
    const ledger = new SenderLedger({ pool: pool(), portalId, now: () => new Date() });
    await ledger.load([7n]);
    expect(ledger.usedBy(7n)).toBe(2);
  });

  test("a wait that is canceled says nothing of an enrollment, nor of what it had seen", async () => {
    const [id = 0n] = await seed({
      kind: "WAIT_FOR_SEQUENCE_END",
      state: "WATCHING",
      outputs: { sequence_id: "1" },
    });
    await inTransaction(pool(), (client) => applyAction(client, "CANCEL", { portalId, ids: [id] }));
    expect((await rows())[0]).toMatchObject({
      errorCode: "CANCELLED",
      enrollmentStatus: null,
      outputs: null,
    });
  });

  test("a retry that had to wait for a sender still knows when its family began, and takes a late enrollment for its own", async () => {
    const begunAt = new Date(Date.now() - 60_000);
    const [id = 0n] = await seed({ enrollmentStatus: "FAILED", errorCode: "DEADLINE_EXCEEDED", attempts: 1 });
    const doubted = `UPDATE executions SET first_attempt_at = $2, doubted_at = $2, ended_in_doubt = true WHERE portal_id = $1`;
    await pool().query(doubted, [portalId, begunAt]);
    await inTransaction(pool(), (client) => applyAction(client, "RETRY", { portalId, ids: [id] }));
    const [read] = await claimUncertain(owner, 1);
    const retryId = read?.id ?? 0n;
    await writeFindings(owner, [{ id: retryId, from: "UNCERTAIN", result: { to: "QUEUED", delayMs: 0 } }]);
    await claimDue(owner, 1);
    const result = { to: "QUEUED", isWait: true, delayMs: 0, problem: "Nobody is free." } as const;
    await writeFindings(owner, [{ id: retryId, from: "ATTEMPTING", result }]);
    const [again] = await claimDue(owner, 1);
    if (again === undefined) throw new Error("the retry was not claimed");
    expect(wasEverInDoubt(again)).toBe(true);
    expect(Date.now() - (performance.now() - again.firstAttemptMs)).toBeCloseTo(begunAt.getTime(), -3);

    await storeOwner();
    const current = { id: "61", sequenceId: "1", enrolledAt: new Date(begunAt.getTime() + 1_000) };
    const gateway = {
      enroll: () =>
        Promise.reject(
          new HubSpotRejected({ httpStatus: 400, message: "", codes: ["CONTACT_ALREADY_ENROLLED"] }),
        ),
      readContacts: () => Promise.resolve(new Map([[again.contactId, CALL.properties]])),
      readEnrollment: () =>
        Promise.resolve({ ...current, sequenceName: null, enrolledBy: "7", enrolledByEmail: "a@b.c" }),
    } as unknown as PortalGateway;
    const found = await attemptExecution(again, contextOf(gateway));
    expect(found).toMatchObject({ to: "DECIDED", outcome: { enrollmentStatus: "ENROLLED" } });
  });

  test("looks that HubSpot answered do not stretch the gap after one that it did not", async () => {
    await seed({ state: "UNCERTAIN", attempts: 1 });
    const answers = { fault: false };
    const gateway = {
      readEnrollment: () =>
        answers.fault
          ? Promise.reject(new HubSpotUnavailable("HubSpot answered 502"))
          : Promise.resolve(undefined),
    } as unknown as PortalGateway;
    const dueInMs: number[] = [];
    for (let look = 1; look <= 10; look += 1) {
      answers.fault = look === 10;
      await pool().query(
        `UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1`,
        [portalId],
      );
      const [read] = await claimUncertain(owner, 1);
      if (read === undefined) throw new Error("nothing was claimed");
      const context = contextOf(gateway);
      const doubts = { ...context.doubts, believeNoneAfterMs: 110_000 };
      const result = await settleUncertain(read, { ...context, doubts });
      await writeFindings(owner, [{ id: read.id, from: "UNCERTAIN", result }]);
      const [row] = await rows();
      expect(row?.state).toBe("UNCERTAIN");
      dueInMs.push((row?.dueAt.getTime() ?? 0) - Date.now());
    }
    expect(Math.max(...dueInMs)).toBeLessThan(31_000);
  });
});
