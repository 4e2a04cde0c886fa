import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { inTransaction } from "#platform/db/transaction.js";
import { workBulkStep, type BulkStepFailed } from "#domain/history/bulk-steps.js";
import type { ExecutionFilter } from "#domain/contract/execution-filter.js";
import { workBulkJobs } from "#worker/sweeps/work-bulk-jobs.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let browser: Browser;
let portalId: bigint;
let otherId: bigint;

beforeAll(async () => {
  site = await startSite();
  browser = site.browser();
  portalId = BigInt(site.simulator.addPortal().portalId);
  otherId = BigInt(site.simulator.addPortal().portalId);
  await install(site, browser, Number(portalId));
  await install(site, site.browser(), Number(otherId));
});

afterAll(() => site.close());

afterEach(async () => {
  await site.database.pool.query(`TRUNCATE executions, bulk_jobs, audit_entries`);
});

const seedWaiting = (owner: bigint, count: number) =>
  site.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
     SELECT $1, 'ap-' || n, 'ENROLL', 'QUEUED', now(), now() + interval '1 day', n::text, '1', '{}'
       FROM generate_series(1, $2::int) AS n`,
    [owner, count],
  );

/** A job as a row, whatever its filter. */
async function storeJob(owner: bigint, filter: ExecutionFilter, action = "CANCEL"): Promise<bigint> {
  const { rows } = await site.database.pool.query<{ id: string }>(
    `INSERT INTO bulk_jobs (portal_id, action, filter, before_id) VALUES ($1, $2, $3, 1000000) RETURNING id`,
    [owner, action, JSON.stringify(filter)],
  );
  return BigInt(rows[0]?.id ?? 0);
}

const jobOf = (id: bigint) => site.database.prisma.bulkJob.findFirstOrThrow({ where: { id } });

async function work(): Promise<{ failures: BulkStepFailed[]; woken: bigint[] }> {
  const failures: BulkStepFailed[] = [];
  const woken: bigint[] = [];
  await workBulkJobs({
    pool: site.database.pool,
    wake: (id) => void woken.push(id),
    isEnding: () => false,
    onFailed: (failure) => void failures.push(failure),
  });
  return { failures, woken };
}

async function ask(fields: Record<string, string> | string[][]) {
  const form_token = hiddenField((await browser.get("/settings/activity")).text, "form_token");
  const given = Array.isArray(fields) ? fields : Object.entries(fields);
  return browser.post("/settings/activity/bulk", [["form_token", form_token], ...given]);
}

describe("a bulk job that cannot be carried out", () => {
  test("is stopped with a reason and holds up no other, of whatever account", async () => {
    await seedWaiting(otherId, 3);
    const unreadable = await storeJob(portalId, { since: "0000-01-01T00:00:00Z" });
    const refused = await storeJob(portalId, {});
    // The database refuses to count any further.
    await site.database.pool.query(`UPDATE bulk_jobs SET examined = 2147483647 WHERE id = $1`, [refused]);
    await seedWaiting(portalId, 1);
    const good = await storeJob(otherId, {});
    const { failures } = await work();
    expect(await jobOf(good)).toMatchObject({ state: "DONE", changed: 3 });
    expect(await jobOf(unreadable)).toMatchObject({
      state: "STOPPED",
      stoppedReason: expect.stringContaining("created by an older version"),
    });
    expect(await jobOf(refused)).toMatchObject({
      state: "STOPPED",
      changed: 0,
      endedAt: expect.any(Date),
      stoppedReason: expect.stringContaining("failed because its filter is too complex"),
    });
    expect(failures.map(({ job, isForGood }) => [job.jobId, isForGood])).toEqual([[refused, true]]);
    const shown = await browser.get(`/settings/activity/bulk/${refused}`);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain("This bulk action failed because its filter is too complex.");
    expect((await browser.get(`/settings/activity/bulk/${unreadable}`)).text).toContain(
      "created by an older version",
    );
  });

  test("for now, since its rows are locked, is left for later, and the others go on", async () => {
    await seedWaiting(portalId, 1);
    await seedWaiting(otherId, 2);
    const held = await storeJob(portalId, {});
    const free = await storeJob(otherId, {});
    const holder = await site.database.pool.connect();
    await holder.query("BEGIN");
    await holder.query(`SELECT FROM executions WHERE portal_id = $1 FOR UPDATE`, [portalId]);
    const impatient = new pg.Pool({ connectionString: site.database.url, options: "-c lock_timeout=100" });
    try {
      const failures: BulkStepFailed[] = [];
      await workBulkJobs({
        pool: impatient,
        wake: () => undefined,
        isEnding: () => false,
        onFailed: (failure) => void failures.push(failure),
      });
      expect(await jobOf(free)).toMatchObject({ state: "DONE", changed: 2 });
      expect(await jobOf(held)).toMatchObject({ state: "RUNNING", stoppedReason: null });
      expect(failures.map(({ job, isForGood }) => [job.jobId, isForGood])).toEqual([[held, false]]);
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
      await impatient.end();
    }
    await work();
    expect(await jobOf(held)).toMatchObject({ state: "DONE", changed: 1 });
  });
});

test("a job that retried says what became of each, and leads there", async () => {
  const { pool } = site.database;
  await pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, sequence_id, request, enrollment_status, error_code, decided_at, completed_at)
     SELECT $1, 'ap-' || n, 'ENROLL', 'COMPLETED', now() + interval '1 day', n::text, '1', '{"senderMode": "contact_owner"}', 'FAILED', 'OWNER_MISSING', now(), now()
       FROM generate_series(1, 3) AS n`,
    [portalId],
  );
  const asked = await ask({ action: "retry", code: "OWNER_MISSING" });
  const address = asked.location ?? "";
  expect((await browser.get(address)).text).not.toContain('id="results"');
  await work();
  const shown = async () => (await browser.get(address)).text;
  expect(await shown()).toMatch(
    /aria-label="Breadcrumb"><a href="\/settings\/activity\?code=OWNER_MISSING">.*Activity: Reason: No owner</s,
  );
  expect(await shown()).toMatch(/>3 retries<.*3 waiting/s);
  expect(await shown()).toContain("every 3s");
  await pool.query(
    `UPDATE executions SET state = 'COMPLETED', decided_at = now(), completed_at = now(), error_code = 'OWNER_MISSING',
            enrollment_status = CASE contact_id WHEN '1' THEN 'ENROLLED' ELSE 'FAILED' END WHERE retry_of IS NOT NULL`,
  );
  expect(await shown()).not.toContain("hx-trigger");
  const [, failed = ""] = /href="([^"]*status=failed)">2 not enrolled</.exec(await shown()) ?? [];
  const list = (await browser.get(failed.replaceAll("&amp;", "&"))).text;
  expect(list.match(/data-label="Time"/g)).toHaveLength(2);
  expect(list).not.toContain("couldn't read this filter");
});

describe("turns", () => {
  test("go to the account that waited longest, however many jobs each has", async () => {
    await seedWaiting(portalId, 1_500);
    await seedWaiting(otherId, 1_500);
    for (const owner of [portalId, portalId, portalId, otherId]) await storeJob(owner, { contactId: "0" });
    const { pool } = site.database;
    const turns: bigint[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const step = await inTransaction(pool, (client) => workBulkStep(client));
      turns.push(step?.portalId ?? 0n);
    }
    expect(turns).toEqual([portalId, otherId, portalId, otherId]);
  });
});

describe("two processes at once", () => {
  test("work on different jobs, and never on the same step", async () => {
    await seedWaiting(portalId, 5);
    await seedWaiting(otherId, 5);
    const [one, other] = [await storeJob(portalId, {}), await storeJob(otherId, {})];
    const { pool } = site.database;
    const clients = [await pool.connect(), await pool.connect(), await pool.connect()];
    try {
      const steps = [];
      for (const client of clients) {
        await client.query("BEGIN; SET LOCAL lock_timeout = '2s'");
        steps.push(await workBulkStep(client));
      }
      expect(steps.map((step) => step?.jobId)).toEqual([one, other, undefined]);
      for (const client of clients) await client.query("COMMIT");
    } finally {
      clients.forEach((client) => {
        client.release();
      });
    }
    expect(await jobOf(one)).toMatchObject({ examined: 5, changed: 5 });
  });
});

describe("asking for a bulk job", () => {
  test.each([
    ["a year the database does not know", [["since", "0000-01-01T00:00:00Z"]], "Received"],
    ["a day after which there is none", [["to", "9999-12-31"]], "To"],
    ["a value that makes no sense", [["sequence", "abc"]], "Sequence"],
    ["a field given twice", [["sequence", "1"], ["sequence", "2"]], "Sequence"], // prettier-ignore
    ["two such fields", [["contact", "x"], ["q", "a"], ["q", "b"]], "Search, Contact"], // prettier-ignore
  ] as [string, string[][], string][])(
    "by a filter with %s is refused by name, before the question and after it",
    async (_what, fields, named) => {
      const query = new URLSearchParams(fields).toString();
      const list = await browser.get(`/settings/activity?${query}`);
      expect(list.status).toBe(200);
      expect(list.text).toContain(`so it was ignored: ${named}.`);
      expect(list.text).not.toContain("/settings/activity/bulk?");
      const question = await browser.get(`/settings/activity/bulk?action=cancel&${query}`);
      expect(question.status).toBe(422);
      expect(question.text).toContain(
        `part of the filter (${named}), so this could affect more contacts than you meant. Fix the filter first.`,
      );
      const answer = await ask([["action", "cancel"], ...fields]);
      expect(answer.status).toBe(422);
      expect(answer.text).toContain("Nothing was changed.");
      expect(await site.database.prisma.bulkJob.count()).toBe(0);
    },
  );

  test("is refused while the same is under way, and while three are", async () => {
    const first = await ask({ action: "cancel", sequence: "1", since: "24h" });
    expect(first.status).toBe(303);
    const again = await ask({ action: "cancel", sequence: "1", since: "24h" });
    expect(again.status).toBe(409);
    expect(again.text).toContain("This is already running.");
    expect(again.text).toContain(`href="${new URL(first.location ?? "").pathname}"`);
    expect((await ask({ action: "cancel", sequence: "1", since: "7d" })).status).toBe(303);
    expect((await ask({ action: "retry", sequence: "1", since: "24h" })).status).toBe(303);
    const fourth = await ask({ action: "cancel", sequence: "2" });
    expect(fourth.status).toBe(409);
    expect(fourth.text).toContain("Three bulk actions are already running");
    expect(await site.database.prisma.bulkJob.count()).toBe(3);
    expect(await site.database.prisma.auditEntry.count()).toBe(3);
    await work();
    expect((await ask({ action: "cancel", sequence: "1", since: "24h" })).status).toBe(303);
  });

  test("twice at the same moment makes one", async () => {
    const form = { action: "cancel", sequence: "1" };
    const answers = await Promise.all([ask(form), ask(form), ask(form), ask(form)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 409, 409, 409]);
    expect(await site.database.prisma.bulkJob.count()).toBe(1);
  });
});
