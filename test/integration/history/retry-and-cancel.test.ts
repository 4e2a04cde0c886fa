import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { App } from "../../../src/app.js";
import { inTransaction } from "#platform/db/transaction.js";
import { applyAction } from "#domain/history/admin-actions.js";
import { workBulkStep } from "#domain/history/bulk-steps.js";
import { claimDue, claimUncertain, type Ownership } from "#domain/executions/claim.js";
import { enrolled } from "#domain/contract/outcome.js";
import { writeFindings } from "#domain/executions/write-back.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { acquirePortal, LEASE_CTE } from "#platform/queue/portal-lease.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { createBrowser, hiddenField, type Browser } from "../../support/browser.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("an admin cancels and retries", () => {
  /** Takes calls and shows pages; a worker is started where a story needs one. */
  let running: RunningApp;

  beforeAll(async () => {
    running = await startRunningApp({ environment: { ROLE: "web" } });
  });

  afterAll(() => running.close());

  const database = () => running.db.database;
  const idsOf = (portal: SimulatedPortal) => [...portal.contacts.keys()];

  async function withWorker(story: () => Promise<void>): Promise<void> {
    const worker: App = await running.startAnother({ ROLE: "worker" });
    await story().finally(() => worker.close({ graceMs: 1_000 }));
  }

  async function connect(
    seed: Parameters<typeof addPlainPortal>[1],
  ): Promise<{ portal: SimulatedPortal; browser: Browser; portalId: bigint }> {
    const portal = addPlainPortal(running.simulator, seed);
    const browser = createBrowser(running.publicUrl);
    const start = await browser.get("/oauth/install");
    const admin = { portalId: portal.portalId, userId: portal.admin.userId };
    await browser.get(running.simulator.authorize(start.location ?? "", admin));
    return { portal, browser, portalId: BigInt(portal.portalId) };
  }

  function enroll(
    portal: SimulatedPortal,
    contactIds = idsOf(portal),
    inputs: Record<string, string> = {},
  ): WorkflowRun {
    return portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const endsAt = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > endsAt) throw new Error("the awaited state did not come");
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  const rowsOf = (portalId: bigint) =>
    database().prisma.execution.findMany({ where: { portalId }, orderBy: { id: "asc" } });

  async function untilStored(portalId: bigint, count: number): Promise<void> {
    await until(async () => (await rowsOf(portalId)).length === count);
  }

  const page = async (browser: Browser, path: string) =>
    (await browser.get(`/settings/activity${path}`)).text;

  async function press(browser: Browser, path: string, fields: Record<string, string> = {}) {
    const token = hiddenField(await page(browser, ""), "form_token");
    return browser.post(`/settings/activity${path}`, { form_token: token, ...fields });
  }

  test("one that waits ends as CANCELLED, its workflow goes on with that, and the audit says who did it", async () => {
    const { portal, browser, portalId } = await connect({ contacts: 1 });
    const run = enroll(portal);
    await untilStored(portalId, 1);
    const { id } = (await rowsOf(portalId))[0] ?? { id: 0n };
    const answer = await press(browser, `/${id}/cancel`);
    expect(answer.location).toBe(`${running.publicUrl}/settings/activity/${id}?done=cancel`);
    expect(await page(browser, `/${id}?done=cancel`)).toContain("Canceled. The workflow will continue.");
    await withWorker(async () => {
      await run.finished;
    });
    expect(run.executions[0]?.outputs).toMatchObject({
      enrollment_status: "FAILED",
      error_code: "CANCELLED",
    });
    expect(portal.enrollments.total).toBe(0);
    const entry = await database().prisma.auditEntry.findFirstOrThrow({
      where: { portalId, subject: "executions" },
    });
    expect(entry).toMatchObject({
      userEmail: portal.admin.email,
      action: "CANCELLED",
      before: { outcome: "waiting" },
      after: { outcome: "failed", errorCode: "CANCELLED" },
    });
    expect((await press(browser, `/${id}/cancel`)).location).toContain("?done=late");
  });

  test("one that failed is enrolled outside of its workflow once its cause is gone, and both rows say so", async () => {
    const { portal, browser, portalId } = await connect({ contacts: 1, troubles: { "no-owner": 1 } });
    const contact = [...portal.contacts.values()].find(({ properties }) => !properties["hubspot_owner_id"]);
    const contactId = contact?.id ?? "";
    await withWorker(async () => {
      const run = enroll(portal, [contactId]);
      await run.finished;
      await until(async () => (await rowsOf(portalId))[0]?.state === "COMPLETED");
      const original = (await rowsOf(portalId))[0]?.id ?? 0n;
      const owner = [...portal.owners.values()].find(({ type, archived }) => type === "PERSON" && !archived);
      Object.assign(contact?.properties ?? {}, { hubspot_owner_id: owner?.ownerId ?? "" });
      const completionsBefore = portal.callbacks.acceptedCount;

      // Two admins at the same moment are one retry.
      await Promise.all([press(browser, `/${original}/retry`), press(browser, `/${original}/retry`)]);
      await until(async () => (await rowsOf(portalId)).at(-1)?.state === "COMPLETED");

      const rows = await rowsOf(portalId);
      expect(rows).toHaveLength(2);
      expect(rows[0]).toMatchObject({ enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" });
      expect(rows[1]).toMatchObject({ enrollmentStatus: "ENROLLED", isHeld: false, retryOf: original });
      expect(portal.enrollments.factsOf(contactId)).toMatchObject({ posts: 1, accepted: 1 });
      expect(portal.callbacks.acceptedCount).toBe(completionsBefore);
      expect(portal.callbacks.strangers.size).toBe(0);
      // Of a contact's visit to the workflow the list has one row, whose retry it tells of.
      const list = await page(browser, "");
      expect(list).toMatch(
        new RegExp(
          `/${rows[1]?.id}\\?kind=ENROLL&amp;retries=without">Retried</a> <time[^>]*>[^<]*</time>: enrolled`,
        ),
      );
      expect(list).not.toContain("Retry of an earlier attempt");
      expect(await page(browser, "?kind=ENROLL")).toMatch(
        new RegExp(
          `<a [^>]*href="/settings/activity/${original}\\?kind=ENROLL">Retry of an earlier attempt</a>`,
        ),
      );
      expect(await page(browser, `/${rows[1]?.id}`)).toContain("The workflow wasn't notified");
      // Once enrolled it is settled.
      expect((await press(browser, `/${original}/retry`)).location).toContain("?done=late");
      expect(await page(browser, `/${original}`)).not.toContain("Retry</button>");
    });
  });

  test("one that HubSpot had enrolled after all is found to be, and is not enrolled a second time", async () => {
    const { portal, browser, portalId } = await connect({ contacts: 1 });
    await withWorker(async () => {
      const run = enroll(portal);
      await run.finished;
      await until(async () => (await rowsOf(portalId))[0]?.state === "COMPLETED");
      const contactId = run.executions[0]?.contactId ?? "";
      // As an execution stands whose answer was lost and that was given up before HubSpot could be read.
      await database().pool.query(
        `UPDATE executions SET enrollment_status = 'FAILED', error_code = 'DEADLINE_EXCEEDED', enrollment_id = NULL WHERE portal_id = $1`,
        [portalId],
      );
      await press(browser, `/${(await rowsOf(portalId))[0]?.id}/retry`);
      await until(async () => (await rowsOf(portalId)).at(-1)?.state === "COMPLETED");
      const retry = (await rowsOf(portalId)).at(-1);
      expect(retry).toMatchObject({ enrollmentStatus: "ENROLLED", attempts: 0, isHeld: false });
      expect(retry?.enrollmentId).toBe(portal.enrollments.latestOf(contactId)?.id);
      expect(portal.enrollments.factsOf(contactId).posts).toBe(1);
    });
  });

  test("everything that matches a filter is canceled in steps, also by another process after the first one died", async () => {
    const { browser, portalId } = await connect({ contacts: 1 });
    await database().pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
       SELECT $1, 'ap-bulk-' || n, 'ENROLL', 'QUEUED', now() + interval '1 day', now() + interval '6 days', n::text,
              (n % 2)::text, '{"senderMode":"contact_owner"}' FROM generate_series(1, 2400) AS n`,
      [portalId],
    );
    const question = await page(browser, "/bulk?action=cancel&sequence=1");
    expect(question).toContain("This affects 1,200 contacts.");
    expect((await rowsOf(portalId)).every(({ state }) => state === "QUEUED")).toBe(true);
    const { location } = await press(browser, "/bulk", { action: "cancel", sequence: "1" });
    const job = location?.replace(`${running.publicUrl}/settings/activity`, "") ?? "";

    const first = await inTransaction(database().pool, (client) => workBulkStep(client));
    expect(first).toMatchObject({ portalId, changed: 500 });
    expect(await page(browser, job)).toContain("In progress: 500 canceled");
    const crash = inTransaction(database().pool, async (client) => {
      await workBulkStep(client);
      throw new Error("the process dies before it commits");
    });
    await expect(crash).rejects.toThrow("dies");
    expect(await page(browser, job)).toContain("In progress: 500 canceled");

    while ((await inTransaction(database().pool, (client) => workBulkStep(client))) !== undefined);
    expect(await page(browser, job)).toContain("Done: 1,200 canceled");
    const canceled = (await rowsOf(portalId)).filter(({ errorCode }) => errorCode === "CANCELLED");
    expect(canceled).toHaveLength(1_200);
    expect(new Set(canceled.map(({ sequenceId }) => sequenceId))).toEqual(new Set(["1"]));
    await database().pool.query(`DELETE FROM executions WHERE portal_id = $1`, [portalId]);
  });

  test("a bulk job is worked on by itself, and one that is stopped leaves the rest alone", async () => {
    const { browser, portalId } = await connect({ contacts: 1 });
    await database().pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
       SELECT $1, 'ap-bulk-' || n, 'ENROLL', 'QUEUED', now() + interval '1 day', now() + interval '6 days', n::text, '1', '{}'
         FROM generate_series(1, 2400) AS n`,
      [portalId],
    );
    const { location } = await press(browser, "/bulk", { action: "cancel" });
    const job = location?.replace(`${running.publicUrl}/settings/activity`, "") ?? "";
    await inTransaction(database().pool, (client) => workBulkStep(client));
    await press(browser, `${job}/stop`);
    expect(await inTransaction(database().pool, (client) => workBulkStep(client))).toBeUndefined();
    expect(await page(browser, job)).toContain("Stopped: 1,000 canceled");
    await press(browser, "/bulk", { action: "cancel" });
    await withWorker(() =>
      until(
        async () => (await database().prisma.bulkJob.count({ where: { portalId, state: "DONE" } })) === 1,
      ),
    );
    expect(await database().prisma.execution.count({ where: { portalId, state: "QUEUED" } })).toBe(0);
    await database().pool.query(`DELETE FROM executions WHERE portal_id = $1`, [portalId]);
  });

  test("while an owner claims the same rows, each is either attempted or canceled and never both", async () => {
    const { portalId } = await connect({ contacts: 1 });
    await database().pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, due_at, deadline_at, contact_id, sequence_id, request)
       SELECT $1, 'ap-race-' || n, 'ENROLL', CASE WHEN n % 2 = 0 THEN 'QUEUED' ELSE 'UNCERTAIN' END, now(),
              now() + interval '6 days', n::text, '1', '{"senderMode":"contact_owner"}' FROM generate_series(1, 400) AS n`,
      [portalId],
    );
    await database().pool.query(
      `UPDATE executions SET first_attempt_at = now() WHERE portal_id = $1 AND state = 'UNCERTAIN'`,
      [portalId],
    );
    const ids = (await rowsOf(portalId)).map(({ id }) => id);
    const { epoch } = await acquirePortal(database().pool, portalId);
    const owner: Ownership = { pool: database().pool, portalId, epoch, leaseCte: LEASE_CTE };
    // In step, and an admin's rows spread over all: each round both take rows, some of them the same.
    const claimed: Awaited<ReturnType<typeof claimDue>> = [];
    let canceled = 0;
    for (let round = 0; round < 20; round += 1) {
      const some = { portalId, ids: ids.filter((_, index) => index % 20 === round) };
      const [changed, queued, uncertain] = await Promise.all([
        inTransaction(database().pool, (client) => applyAction(client, "CANCEL", some)),
        claimDue(owner, 10),
        claimUncertain(owner, 10),
      ]);
      canceled += changed;
      claimed.push(...queued, ...uncertain);
    }
    expect(canceled + claimed.length).toBe(400);
    expect(Math.min(canceled, claimed.length)).toBeGreaterThan(0);
    const outcome = enrolled({ id: "1", enrolledAt: new Date() });
    const findings = claimed.map(({ id, state }) => ({
      id,
      from: state,
      result: { to: "DECIDED" as const, outcome },
    }));
    // None of the owner's findings is void: it would take that for the loss of its lease.
    expect(await writeFindings(owner, findings)).toBe(claimed.length);
    const rows = await rowsOf(portalId);
    expect(rows.filter(({ errorCode }) => errorCode === "CANCELLED")).toHaveLength(canceled);
    expect(rows.filter(({ enrollmentStatus }) => enrollmentStatus === "ENROLLED")).toHaveLength(
      claimed.length,
    );
    await database().pool.query(`DELETE FROM executions WHERE portal_id = $1`, [portalId]);
  });

  test("one that waits for a date the step names is tried now, and its story keeps the date", async () => {
    const { portal, browser, portalId } = await connect({ contacts: 1 });
    const notBefore = new Date(Date.now() + 86_400_000).toISOString();
    const run = enroll(portal, idsOf(portal), { not_before: notBefore });
    await untilStored(portalId, 1);
    await press(browser, `/${(await rowsOf(portalId))[0]?.id}/try_now`);
    await withWorker(async () => {
      await run.finished;
    });
    expect(run.executions[0]?.outputs["enrollment_status"]).toBe("ENROLLED");
    const story = (await page(browser, `/${(await rowsOf(portalId))[0]?.id}`)).replaceAll(/<[^>]*>/g, " ");
    const day = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "short", year: "numeric" });
    const shown = [-86_400_000, 0, 86_400_000].map((ms) => day.format(new Date(Date.parse(notBefore) + ms)));
    expect(story).toMatch(
      new RegExp(`Enroll on or after \\(waived by an admin\\)\\s+(?:${shown.join("|")}),`),
    );
  });
});
