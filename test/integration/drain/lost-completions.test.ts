import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { doubtCompletions } from "#domain/executions/completions.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import type { OpenQuestions } from "../../../src/simulator/world/open-questions.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const BATCH = 40;

interface Row {
  callback_id: string;
  state: string;
  is_doubted: boolean;
  last_problem: string | null;
  completion_problem: string | null;
}

/** A portal whose contacts are decided and whose completions are all due at once, in one batch. */
class Owed {
  readonly running: RunningApp;
  readonly portal: SimulatedPortal;
  readonly run: WorkflowRun;

  constructor(running: RunningApp, portal: SimulatedPortal, run: WorkflowRun) {
    this.running = running;
    this.portal = portal;
    this.run = run;
  }

  get requests(): number {
    return this.portal.traffic.requestsOf("callbacks");
  }

  async rows(): Promise<Row[]> {
    const { rows } = await this.running.db.database.pool.query<Row>(
      `SELECT callback_id, state, last_problem, completion_problem, completion_doubted_at IS NOT NULL AS is_doubted
         FROM executions WHERE portal_id = $1 ORDER BY id`,
      [this.portal.portalId],
    );
    return rows;
  }

  async states(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { state } of await this.rows()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  /** HubSpot may be called again, and the sweep finds what is due. */
  async release(): Promise<void> {
    await this.running.db.database.pool.query(
      `UPDATE portal_drains SET circuit_open_until = NULL, circuit_trips = 0 WHERE portal_id = $1`,
      [this.portal.portalId],
    );
  }

  /** A minute later: a refusal is not early anymore. */
  async passMinute(): Promise<void> {
    await this.running.db.database.pool.query(
      `UPDATE executions SET decided_at = decided_at - interval '1 minute', due_at = now() - interval '1 millisecond'
        WHERE portal_id = $1 AND state = 'DECIDED'`,
      [this.portal.portalId],
    );
  }

  async until(holds: (rows: Row[]) => boolean): Promise<void> {
    const endsAt = Date.now() + 60_000;
    while (!holds(await this.rows())) {
      if (Date.now() > endsAt) throw new Error(`did not come: ${JSON.stringify(await this.states())}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function oweBatch(running: RunningApp, contacts = BATCH): Promise<Owed> {
  const portal = addPlainPortal(running.simulator, { contacts });
  await running.install(portal);
  await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  const { pool } = running.db.database;
  for (let held = 0; held !== 1;) {
    const { rowCount } = await pool.query(
      `UPDATE portal_drains SET circuit_open_until = now() + interval '1 hour', circuit_trips = 1
        WHERE portal_id = $1 AND is_released`,
      [portal.portalId],
    );
    held = rowCount ?? 0;
  }
  const run = portal.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: [...portal.contacts.keys()],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await run.answered;
  await pool.query(
    `UPDATE executions SET state = 'DECIDED', decided_at = now(), due_at = now() - interval '1 millisecond', execution_state = 'SUCCESS',
            enrollment_status = 'ENROLLED' WHERE portal_id = $1`,
    [portal.portalId],
  );
  return new Owed(running, portal, run);
}

const allAre =
  (state: string) =>
  (rows: Row[]): boolean =>
    rows.every((row) => row.state === state);

/** As its story tells it: the completion's trouble is not told as the enrollment's. */
function isTakenOrLetGo({ state, is_doubted: isDoubted, last_problem: lastProblem }: Row): boolean {
  return state === "COMPLETED" && isDoubted && lastProblem === null;
}

describe("an answer to completions that was lost", () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startRunningApp();
  });

  afterAll(async () => {
    await running.close();
  });

  test.each(["resetAfter", "errorAfter"] as const)(
    "costs a handful of requests where HubSpot had taken the batch (%s), and is told as taken",
    async (fault) => {
      const owed = await oweBatch(running);
      running.simulator.failNext({ endpoint: "callbacks", fault, portalId: owed.portal.portalId });
      await owed.release();
      await owed.until((rows) => rows.every(({ is_doubted: isDoubted }) => isDoubted));
      expect(owed.run.counts().completed).toBe(BATCH);
      await owed.passMinute();
      await owed.until(allAre("COMPLETED"));
      expect((await owed.rows()).every(isTakenOrLetGo)).toBe(true);
      expect(owed.requests).toBeLessThanOrEqual(8);
    },
  );

  test("of a process that died leaves nobody out of whom HubSpot had not heard yet", async () => {
    const owed = await oweBatch(running);
    const { portal } = owed;
    const callbackIds = owed.run.executions.map(({ callbackId }) => callbackId);
    // Few, between those that would be asked about first.
    const notSent = [5, 15].map((index) => callbackIds[index] ?? "");
    const taken = callbackIds.filter((callbackId) => !notSent.includes(callbackId));
    // The dead owner's batch was answered, and it died before it wrote that.
    const outputFields = { hs_execution_state: "SUCCESS" };
    for (const callbackId of taken)
      portal.callbacks.accept(callbackId, {
        receivedAtMs: Date.now(),
        batchSize: taken.length,
        outputFields,
        hasTypedOutputs: true,
        requestContext: undefined,
      });
    const { pool } = running.db.database;
    const { epoch } = await acquirePortal(pool, BigInt(portal.portalId));
    await doubtCompletions({ pool, portalId: BigInt(portal.portalId), epoch, leaseCte: LEASE_CTE });
    await owed.passMinute();
    await owed.release();
    await running.simulator.waitFor(
      () => notSent.every((callbackId) => portal.callbacks.get(callbackId)?.accepted !== undefined),
      { what: "those that were not sent" },
    );
    await owed.until(allAre("COMPLETED"));
  });

  test("that reports one refusal without saying which leaves nobody out", async () => {
    running.simulator.setOpenQuestions({ badIdInBatch: "leaves-one-out" });
    try {
      const owed = await oweBatch(running);
      await owed.release();
      await running.simulator.waitFor(() => owed.run.counts().completed === BATCH, {
        what: "each contact's completion",
      });
      expect(owed.requests).toBeLessThanOrEqual(1 + BATCH);
    } finally {
      running.simulator.setOpenQuestions({ badIdInBatch: "refuse-all" });
    }
  });

  test("is put off within the first minute, when HubSpot may not have read our own answer yet", async () => {
    const owed = await oweBatch(running);
    running.simulator.failNext({
      endpoint: "callbacks",
      fault: "resetAfter",
      portalId: owed.portal.portalId,
    });
    await owed.release();
    await owed.until((rows) => rows.every(({ is_doubted: isDoubted }) => isDoubted));
    await owed.until((rows) =>
      rows.every((row) => row.completion_problem?.includes("already completed") === true),
    );
    expect(await owed.states()).toEqual({ DECIDED: BATCH });
    expect(owed.requests).toBe(3);
  });

  test("completes everybody if HubSpot had done nothing, whatever else it no longer holds", async () => {
    const owed = await oweBatch(running);
    const { callbacks, portalId } = owed.portal;
    const [gone] = await owed.rows();
    // A person ended it at HubSpot: it refuses the whole batch for it.
    callbacks.accept(gone?.callback_id ?? "", {
      receivedAtMs: 0,
      batchSize: 1,
      outputFields: {},
      hasTypedOutputs: true,
      requestContext: undefined,
    });
    running.simulator.failNext({ endpoint: "callbacks", fault: "errorBefore", portalId });
    await owed.release();
    await owed.until((rows) => rows.every(({ is_doubted: isDoubted }) => isDoubted));
    await owed.passMinute();
    await owed.until(allAre("COMPLETED"));
    expect(owed.run.counts().completed).toBe(BATCH);
    const noted = (await owed.rows()).filter(isTakenOrLetGo);
    expect(noted.map((row) => row.callback_id)).toEqual([gone?.callback_id]);
    expect(owed.requests).toBeLessThan(20);
  });

  test("leaves a completion owed that a crashed owner may have sent, and then counts it as taken", async () => {
    const owed = await oweBatch(running, 3);
    const { pool } = running.db.database;
    for (const { callback_id: id } of await owed.rows())
      owed.portal.callbacks.accept(id, {
        receivedAtMs: 0,
        batchSize: 3,
        outputFields: {},
        hasTypedOutputs: true,
        requestContext: undefined,
      });
    await owed.passMinute();
    // What a process that died between the request and the write leaves; and HubSpot may be called again.
    for (let left = 0; left !== 1;) {
      const { rowCount } = await pool.query(
        `UPDATE portal_drains SET is_released = false, circuit_open_until = NULL, circuit_trips = 0
          WHERE portal_id = $1 AND is_released`,
        [owed.portal.portalId],
      );
      left = rowCount ?? 0;
    }
    await owed.until(allAre("COMPLETED"));
    expect((await owed.rows()).every(isTakenOrLetGo)).toBe(true);
  });

  test("is owed again when HubSpot delivers the call again after all", async () => {
    const owed = await oweBatch(running, 1);
    const { pool } = running.db.database;
    await pool.query(
      `UPDATE executions SET state = 'COMPLETED', completed_at = now(), completion_doubted_at = now() WHERE portal_id = $1`,
      [owed.portal.portalId],
    );
    await owed.release();
    const [execution] = owed.run.executions;
    const url = running.publicUrl + ENROLL_ROUTE;
    const body = execution?.payload ?? "";
    const headers = {
      "content-type": "application/json",
      ...running.simulator.sign({ method: "POST", url, body }),
    };
    await fetch(url, { method: "POST", headers, body });
    await owed.run.finished;
    expect(owed.portal.enrollments.total).toBe(0);
    await owed.until((rows) => rows.every((row) => row.state === "COMPLETED" && !row.is_doubted));
  });
});

describe("a batch with one callback that HubSpot does not hold, of which nothing was lost", () => {
  async function sendWithOneGone(badIdInBatch: OpenQuestions["badIdInBatch"]): Promise<{
    owed: Owed;
    gone: string;
    close: () => Promise<void>;
  }> {
    const running = await startRunningApp({ simulator: { openQuestions: { badIdInBatch } } });
    const owed = await oweBatch(running);
    const gone = (await owed.rows())[BATCH - 3]?.callback_id ?? "";
    owed.portal.callbacks.accept(gone, {
      receivedAtMs: 0,
      batchSize: 1,
      outputFields: {},
      hasTypedOutputs: true,
      requestContext: undefined,
    });
    await owed.passMinute();
    await owed.release();
    await owed.until((rows) => rows.every((row) => row.state !== "DECIDED"));
    return { owed, gone, close: () => running.close() };
  }

  test.each([
    ["refuse-all", 18],
    ["multi-status", 6],
  ] as const)(
    "is told apart (%s) in at most %i requests, and that one alone is refused",
    async (badIdInBatch, most) => {
      const { owed, gone, close } = await sendWithOneGone(badIdInBatch);
      try {
        expect(await owed.states()).toEqual({ COMPLETED: BATCH - 1, COMPLETION_REFUSED: 1 });
        expect((await owed.rows()).find((row) => row.callback_id === gone)?.state).toBe("COMPLETION_REFUSED");
        expect(owed.run.counts().completed).toBe(BATCH);
        expect(owed.requests).toBeLessThanOrEqual(most);
      } finally {
        await close();
      }
    },
  );
});
