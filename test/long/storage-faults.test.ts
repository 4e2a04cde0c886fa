import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { startDatabaseServer, type DatabaseServer } from "../../bench/chaos/database-server.js";
import type { Browser } from "../../src/bin/oauth-browser.js";
import {
  ENROLL_ROUTE,
  REQUESTED_PROPERTIES,
  SENDER_OPTIONS_ROUTE,
  SEQUENCE_OPTIONS_ROUTE,
} from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { putExecutionsOnSmallDisk, type SmallDisk } from "../support/full-disk.js";
import { addPlainPortal, startRunningApp, UNKIND_BUT_QUICK, type RunningApp } from "../support/start-app.js";

/** Calls are answered within a second; the rest is what a busy machine adds to the measurement. */
const ANSWER_MS = 1_500;
/** Accounts that each ask at once: more than one connection after the other can serve in the second that a call waits for one. */
const CROWD = Array.from({ length: 100 }, (_, index) => 9_100_000 + index);
/** Pages and dropdowns give up after 5 s at most. */
const PAGE_MS = 6_500;

/** Trouble of the database's, and its end. */
interface Trouble {
  begin(): Promise<void>;
  end(): Promise<void>;
}

describe("when the database is in trouble", () => {
  let server: DatabaseServer;
  let dataDir: string;
  let running: RunningApp;
  let portal: SimulatedPortal;
  let browser: Browser;
  let admin: pg.Pool;
  let endTrouble: (() => Promise<void>) | undefined;
  let usedContacts = 0;

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), "sequence-enroller-faults-"));
    // mkdtemp makes it 0700; as root the server runs under another account, which must get in.
    await chmod(dataDir, 0o755);
    server = await startDatabaseServer(dataDir);
    running = await startRunningApp({ ...UNKIND_BUT_QUICK, environment: { DATABASE_URL: server.url } });
    admin = new pg.Pool({ connectionString: server.superuserUrl, max: 4 });
    admin.on("error", () => undefined);
    portal = addPlainPortal(running.simulator, { contacts: 60 });
    browser = await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0);
  });

  afterEach(async () => {
    await endTrouble?.();
    endTrouble = undefined;
  });

  afterAll(async () => {
    await running.close();
    await admin.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A workflow sends contacts that were in none before. */
  function enroll(count: number): WorkflowRun {
    const contactIds = [...portal.contacts.keys()].slice(usedContacts, (usedContacts += count));
    return portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  async function timed(request: () => Promise<{ status: number; text(): Promise<string> }>) {
    const startedAt = performance.now();
    const response = await request();
    const text = await response.text();
    return { status: response.status, text, tookMs: performance.now() - startedAt };
  }

  function askOptions(route: string, portalId = portal.portalId) {
    const url = running.publicUrl + route;
    const body = JSON.stringify({ origin: { portalId }, inputFieldName: "sequence_id" });
    const signed = running.simulator.sign({ method: "POST", url, body });
    return timed(() =>
      fetch(url, { method: "POST", headers: { "content-type": "application/json", ...signed }, body }),
    );
  }

  /**
   * Calls in the trouble get 503 in time; once it is over, HubSpot's retries bring each contact to one enrollment and one
   * completion, with nothing restarted. If the trouble leaves gaps (a page that is pruned, a connection that is free for a
   * moment), a call may find one: then it is taken, and counts as every other.
   */
  async function expectRefusedThenDone(trouble: Trouble, leavesGaps = false): Promise<void> {
    endTrouble = () => trouble.end();
    await trouble.begin();
    const run = enroll(6);
    const isTried = () =>
      run.executions.length === 6 &&
      run.executions.every(({ attempts }) => attempts.length >= 2 || attempts.at(-1)?.status === 200);
    await until(() => Promise.resolve(isTried()), "two answers to each call");
    const answers = run.executions.flatMap(({ attempts }) => attempts.slice(0, 2));
    await endTrouble();
    endTrouble = undefined;
    const refused = answers.filter(({ status }) => status === 503);
    for (const { body } of refused) expect(body).toContain("STORAGE_UNAVAILABLE");
    const taken = answers.filter(({ status }) => status === 200);
    expect(refused.length + taken.length).toBe(answers.length);
    expect(refused).not.toEqual([]);
    if (!leavesGaps) expect(taken).toEqual([]);
    expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(ANSWER_MS);
    await run.finished;
    expect(new Set(run.executions.map(({ outputs }) => outputs["enrollment_status"]))).toEqual(
      new Set(["ENROLLED"]),
    );
    for (const { contactId, completions } of run.executions) {
      expect(portal.enrollments.factsOf(contactId).accepted).toBe(1);
      expect(completions).toHaveLength(1);
    }
  }

  /** The settings site has connections of its own: those of the work being taken do not reach it. */
  async function expectHonestPages(trouble: Trouble, siteStatus: 200 | 503 = 503): Promise<void> {
    endTrouble = () => trouble.end();
    await trouble.begin();
    const options = await Promise.all(
      [SEQUENCE_OPTIONS_ROUTE, SENDER_OPTIONS_ROUTE].map((route) => askOptions(route)),
    );
    for (const answer of options) {
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.text)).toMatchObject({ code: "STORAGE_UNAVAILABLE" });
      expect(answer.tookMs).toBeLessThan(PAGE_MS);
    }
    const page = await visitSettings();
    expect(page.status).toBe(siteStatus);
    if (siteStatus === 503) expect(page.text).toContain("reach HubSpot or our database");
    expect(page.tookMs).toBeLessThan(PAGE_MS);
    await endTrouble();
    endTrouble = undefined;
    await until(async () => (await visitSettings()).status === 200, "the settings page");
    await until(async () => (await askOptions(SEQUENCE_OPTIONS_ROUTE)).status === 200, "the dropdown");
  }

  /** A page that reads none of the tables that a trouble locks. */
  async function visitSettings() {
    const startedAt = performance.now();
    const { status, body } = await browser.open(`${running.publicUrl}/settings/alerts`);
    return { status, text: body, tookMs: performance.now() - startedAt };
  }

  async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const deadlineMs = Date.now() + 20_000;
    while (!(await holds())) {
      if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const gone: Trouble = { begin: () => server.kill(), end: () => server.start() };
  const hung: Trouble = {
    begin: () => server.freeze(),
    end: () => Promise.resolve(server.thaw()),
  };

  /**
   * Nothing the calls need is locked; all connections wait for what is. Each is free again after as long as a lock is waited
   * for, and goes to the next of many who were there before any call. One account has a share that leaves others theirs: it
   * takes many accounts.
   */
  function exhausted(): Trouble {
    let client: pg.PoolClient | undefined;
    let isOver = false;
    let crowd: Promise<unknown> = Promise.resolve();
    const askOn = async (portalId: number): Promise<void> => {
      while (!isOver) await askOptions(SEQUENCE_OPTIONS_ROUTE, portalId).catch(() => undefined);
    };
    return {
      async begin() {
        await admin.query(
          `INSERT INTO portals (portal_id, status, directory_synced_at, directory_requested_at)
           SELECT id, 'CONNECTED', now(), NULL FROM unnest($1::bigint[]) AS id ON CONFLICT DO NOTHING`,
          [CROWD],
        );
        client = await admin.connect();
        await client.query("BEGIN; LOCK TABLE sequences IN ACCESS EXCLUSIVE MODE");
        // As many at once as an account may have in hand.
        crowd = Promise.all([...CROWD, ...CROWD].map(askOn));
        await until(async () => {
          const { rows } = await admin.query<{ waiting: number }>(
            `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
          );
          return (rows[0]?.waiting ?? 0) >= 16;
        }, "the pool to be exhausted");
      },
      async end() {
        isOver = true;
        await client?.query("ROLLBACK");
        client?.release();
        await crowd;
      },
    };
  }

  /** As a provider does before the disk is full. Sessions that are open get it by being ended; nobody ends them after. */
  function readOnly(): Trouble {
    const name = new URL(server.url).pathname.slice(1);
    return {
      async begin() {
        await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
        await admin.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sequence-enroller%'`,
        );
      },
      async end() {
        const client = await admin.connect();
        await client.query("SET default_transaction_read_only = off");
        await client.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
        client.release();
      },
    };
  }

  describe("calls get 503 within a second and nothing else, and are made good once it is over,", () => {
    test("when it is gone", () => expectRefusedThenDone(gone));
    test("when it hangs", () => expectRefusedThenDone(hung));
    test("when every connection is in use", () => expectRefusedThenDone(exhausted(), true));
    test("when it is read-only", () => expectRefusedThenDone(readOnly()));

    test("when its disk is full", () =>
      onSmallDisk((disk) =>
        expectRefusedThenDone({ begin: () => disk.fill(), end: () => disk.empty() }, true),
      ));
  });

  /** What HubSpot answered is kept for half a minute: beyond it HubSpot is read, or asked again. */
  test.each([5, 40])(
    "a disk that is full for %i seconds while HubSpot's answers are to be stored costs no contact, and enrolls none twice",
    (seconds) =>
      onSmallDisk(async (disk) => {
        running.simulator.setLatency(1_500);
        const run = enroll(6);
        await run.answered;
        const isAsked = () =>
          run.executions.every(({ contactId }) => portal.enrollments.factsOf(contactId).accepted > 0);
        await running.simulator.waitFor(isAsked, { what: "requests under way" });
        endTrouble = () => disk.empty();
        await disk.fill();
        running.simulator.setLatency(10);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
        const isTold = ({ completions }: { completions: readonly unknown[] }) => completions.length > 0;
        expect(run.executions.every(isTold)).toBe(false);
        await endTrouble();
        endTrouble = undefined;
        await run.finished;
        for (const { contactId, completions, outputs } of run.executions) {
          expect(outputs["enrollment_status"]).toBe("ENROLLED");
          expect(portal.enrollments.factsOf(contactId).accepted).toBe(1);
          expect(completions).toHaveLength(1);
        }
      }),
  );

  async function onSmallDisk(play: (disk: SmallDisk) => Promise<void>): Promise<void> {
    const disk = await putExecutionsOnSmallDisk(admin);
    try {
      await play(disk);
    } finally {
      running.simulator.setLatency(10);
      await admin.query(`DROP TABLE IF EXISTS filling`);
      await admin.query(`ALTER TABLE executions SET TABLESPACE pg_default`);
      await admin.query(`DROP TABLESPACE IF EXISTS small_disk`);
      await disk.close();
    }
  }

  describe("the settings page and the dropdowns say so, in time, and are back with it,", () => {
    test("when it is gone", () => expectHonestPages(gone));
    test("when it hangs", () => expectHonestPages(hung));
    test("when every connection is in use", () => expectHonestPages(exhausted(), 200));
  });
});
