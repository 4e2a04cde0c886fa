import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { SigningPlan } from "../../../src/simulator/world/signing.js";
import type { WorkflowRun } from "../../../src/simulator/workflow/run.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

describe("POST /hubspot/webhooks", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let sequenceId: string;
  let url: string;

  beforeAll(async () => {
    running = await startRunningApp();
    portal = addPlainPortal(running.simulator, { contacts: 0 });
    sequenceId = [...portal.sequences.keys()][1] ?? "";
    url = running.publicUrl + WEBHOOK_ROUTE;
    running.simulator.setWebhookTarget({ url });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
  });

  afterAll(() => running.close());

  const newContact = (): string => portal.addContact().id;

  async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await running.db.database.pool.query(text, values)).rows as Record<string, unknown>[];
  }

  const rowsOf = (run: WorkflowRun): Promise<Record<string, unknown>[]> =>
    sql(`SELECT * FROM executions WHERE callback_id = $1`, [run.executions[0]?.callbackId]);

  async function post(body: string, plan: SigningPlan): Promise<number> {
    const headers = running.simulator.sign({ method: "POST", url, body }, plan);
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    return response.status;
  }

  function send(route: string, contactId: string): WorkflowRun {
    return portal.runAction({
      actionUrl: running.publicUrl + route,
      contactIds: [contactId],
      inputs: route === ENROLL_ROUTE ? { sequence_id: sequenceId, sender_mode: "contact_owner" } : {},
      objectProperties: [...REQUESTED_PROPERTIES],
    });
  }

  /** A contact that is in a sequence and waits for its end; it was seen there. */
  async function waiting(contactId: string): Promise<WorkflowRun> {
    const run = send(WAIT_FOR_SEQUENCE_END_ROUTE, contactId);
    await run.answered;
    portal.enrollInUi(contactId, { sequenceId });
    const endsAt = Date.now() + 60_000;
    while ((await rowsOf(run))[0]?.["outputs"] == null) {
      if (Date.now() > endsAt) throw new Error("the contact was not looked at");
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return run;
  }

  const outputsOf = async (run: WorkflowRun) => {
    await run.finished;
    return run.executions[0]?.outputs ?? {};
  };

  /** All that events may change. */
  const everything = () =>
    sql(
      `SELECT (SELECT jsonb_agg(to_jsonb(e) ORDER BY id) FROM executions AS e) AS executions,
              (SELECT jsonb_agg(to_jsonb(f)) FROM contact_fates AS f) AS fates,
              (SELECT jsonb_agg(to_jsonb(a)) FROM audit_entries AS a) AS audit`,
    );

  test("takes v3 signatures only: v1 or v2 alone, a stale or a wrong v3 are refused", async () => {
    const body = JSON.stringify([
      { subscriptionType: "contact.deletion", portalId: portal.portalId, objectId: 1 },
    ]);
    expect(await post(body, { v3: "good" })).toBe(200);
    expect(await post(body, { v1: "good", v3: "good" })).toBe(200);
    const before = await everything();
    const other = body.replace('"objectId":1', '"objectId":2');
    expect(await post(other, { v1: "good" })).toBe(401);
    expect(await post(other, { v2: "good" })).toBe(401);
    expect(await post(other, { v3: "stale" })).toBe(401);
    expect(await post(other, {})).toBe(401);
    expect(await everything()).toEqual(before);
  });

  test.each([
    ["text that is not JSON", "{nonsense"],
    ["one event that is in no list", `{"subscriptionType":"contact.deletion","portalId":1,"objectId":2}`],
    ["text", `"contact.deletion"`],
    ["nothing", "null"],
  ])("answers 400 to %s", async (_what, body) => {
    const before = await everything();
    expect(await post(body, { v3: "good" })).toBe(400);
    expect(await everything()).toEqual(before);
  });

  test("answers 200 to what it does not know: other types, other objects, other portals, events that lack an id", async () => {
    const ofPortal = { portalId: portal.portalId, objectId: 5 };
    const body = JSON.stringify([
      { ...ofPortal, subscriptionType: "company.creation" },
      { ...ofPortal, subscriptionType: "object.deletion", objectTypeId: "0-2" },
      { ...ofPortal, subscriptionType: "contact.propertyChange", propertyName: "email" },
      { subscriptionType: "contact.deletion", portalId: 987_654, objectId: 5 },
      { subscriptionType: "contact.privacyDeletion", portalId: portal.portalId },
      { subscriptionType: "contact.merge", portalId: portal.portalId, mergedObjectIds: "x" },
    ]);
    const before = await everything();
    expect(await post(body, { v3: "good" })).toBe(200);
    expect(await everything()).toEqual(before);
  });

  test("reports an end at once, long before the next regular check", async () => {
    const contactId = newContact();
    const run = await waiting(contactId);
    const startedAt = Date.now();
    portal.endEnrollment(contactId, "replied");
    expect(await outputsOf(run)).toMatchObject({ outcome: "REPLIED", sequence_id: sequenceId });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test("the same events in any order and twice do the same", async () => {
    const contactId = newContact();
    const run = await waiting(contactId);
    running.simulator.setWebhookTarget(undefined);
    portal.endEnrollment(contactId, "finished");
    const event = {
      subscriptionType: "object.propertyChange",
      objectId: contactId,
      propertyName: "hs_sequences_is_enrolled",
    };
    const now = Date.now();
    const events = [
      { ...event, propertyValue: "false", occurredAtMs: now },
      { ...event, propertyValue: "true", occurredAtMs: now - 5_000 },
    ];
    const deliveries = await Promise.all([
      portal.sendWebhooks(events, url),
      portal.sendWebhooks([...events].reverse(), url),
    ]);
    expect(deliveries.flat().map(({ status }) => status)).toEqual([200, 200]);
    running.simulator.setWebhookTarget({ url });
    expect(await outputsOf(run)).toMatchObject({ outcome: "FINISHED" });
    expect(run.executions[0]?.completions).toHaveLength(1);
  });

  test("a deleted contact is released", async () => {
    const contactId = newContact();
    const run = await waiting(contactId);
    portal.deleteContact(contactId);
    expect(await outputsOf(run)).toMatchObject({ error_code: "CONTACT_NOT_FOUND" });
  });

  test("a merged contact is waited for under its new id, history and all", async () => {
    const [primary, other] = [newContact(), newContact()];
    await send(CHECK_ENROLLMENT_ROUTE, primary).finished;
    const run = await waiting(primary);
    const merged = portal.mergeContacts(primary, other);
    await running.simulator.waitFor(() => portal.enrollments.activeOf(merged.id) !== undefined);
    portal.endEnrollment(merged.id, "finished");
    expect(await outputsOf(run)).toMatchObject({ outcome: "FINISHED" });
    const ids = await sql(`SELECT DISTINCT contact_id FROM executions WHERE contact_id = ANY ($1)`, [
      [primary, other, merged.id],
    ]);
    expect(ids).toEqual([{ contact_id: merged.id }]);
  });

  test("without an event for the merge, the contact is found by its old id", async () => {
    const [primary, other] = [newContact(), newContact()];
    const run = await waiting(primary);
    running.simulator.setWebhookTarget(undefined);
    const merged = portal.mergeContacts(primary, other);
    portal.endEnrollment(merged.id, "unenrolled");
    running.simulator.setWebhookTarget({ url });
    await sql(`UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE callback_id = $1`, [
      run.executions[0]?.callbackId,
    ]);
    expect(await outputsOf(run)).toMatchObject({ outcome: "UNENROLLED" });
    expect((await rowsOf(run))[0]?.["contact_id"]).toBe(merged.id);
  });

  describe("a privacy deletion", () => {
    test("releases the contact, and leaves nothing of it in any table, but keeps the counts", async () => {
      const address = "someone.private@silverbirch.example";
      const contactId = portal.addContact({ id: "881122334455", properties: { email: address } }).id;
      await send(ENROLL_ROUTE, contactId).finished;
      await send(CHECK_ENROLLMENT_ROUTE, contactId).finished;
      await sql(
        `UPDATE executions SET error_code = 'BOUNCED', error_message = 'HubSpot said: ' || $2, last_problem = $2, completion_problem = $2
          WHERE contact_id = $1 AND kind = 'CHECK_ENROLLMENT'`,
        [contactId, address],
      );
      const counts = `SELECT kind, enrollment_status, error_code, count(*)::int FROM executions GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
      const before = await sql(counts);
      portal.erasePrivately(contactId);
      await running.simulator.waitFor(() => !portal.contacts.has(contactId));
      await eraseArrived(contactId);
      expect(await sql(counts)).toEqual(before);
      expect(await tablesHolding([address, contactId])).toEqual([]);
    });

    test("ends executions that wait for the contact, and erases what a disconnected portal stored about it", async () => {
      const contactId = newContact();
      const run = await waiting(contactId);
      portal.erasePrivately(contactId);
      expect(await outputsOf(run)).toMatchObject({
        hs_execution_state: "FAIL_CONTINUE",
        error_code: "CONTACT_NOT_FOUND",
      });

      await sql(`INSERT INTO portals (portal_id, status) VALUES (77001, 'DISCONNECTED')`);
      await sql(
        `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, contact_email, request, enrollment_status)
         VALUES (77001, 'ap-old', 'ENROLL', 'COMPLETED', now(), '4242', 'old@silverbirch.example', '{"properties":{"email":"old@silverbirch.example"}}', 'ENROLLED')`,
      );
      const body = JSON.stringify([
        { subscriptionType: "contact.privacyDeletion", portalId: 77_001, objectId: 4242 },
      ]);
      expect(await post(body, { v3: "good" })).toBe(200);
      expect(
        await sql(
          `SELECT contact_id, contact_email, request, enrollment_status FROM executions WHERE portal_id = 77001`,
        ),
      ).toEqual([{ contact_id: "erased", contact_email: null, request: {}, enrollment_status: "ENROLLED" }]);
    });

    test("takes effect whatever else the delivery holds; what cannot be read is counted in the log, unquoted", async () => {
      const [first, second] = ["661122334455", "661122334466"];
      await sql(
        `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request)
         SELECT $1, 'ap-beside-' || number, 'ENROLL', 'COMPLETED', now(), contact_id, '{}'
           FROM unnest($2::text[]) WITH ORDINALITY AS told (contact_id, number)`,
        [portal.portalId, [first, second]],
      );
      const erasure = { subscriptionType: "contact.privacyDeletion", portalId: portal.portalId };
      const odd = { subscriptionType: "contact.deletion", objectId: 5, address: "odd@silverbirch.example" };
      const body = JSON.stringify([
        { ...erasure, objectId: Number(first) },
        odd,
        { ...odd, portalId: "12 or 13" },
        { ...odd, portalId: null },
        { portalId: portal.portalId },
        ...[null, 7, "text", [], true],
        { ...erasure, objectId: second },
      ]);
      expect(await post(body, { v3: "good" })).toBe(200);
      expect(await tablesHolding([first, second])).toEqual([]);
      const lines = running.logLines.filter(({ unreadable }) => unreadable !== undefined);
      expect(lines).toMatchObject([{ level: "warn", unreadable: 9 }]);
      expect(JSON.stringify(lines)).not.toMatch(/odd@|6611223344/);
    });

    async function eraseArrived(contactId: string): Promise<void> {
      const endsAt = Date.now() + 60_000;
      while ((await sql(`SELECT FROM executions WHERE contact_id = $1 LIMIT 1`, [contactId])).length > 0) {
        if (Date.now() > endsAt) throw new Error("the contact was not erased");
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }

    /** Names of the tables in which some row, as text, holds one of the words. */
    async function tablesHolding(words: readonly string[]): Promise<string[]> {
      const tables = await sql(
        `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
          WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
      );
      const holding: string[] = [];
      for (const { name } of tables as { name: string }[]) {
        const found = await sql(
          `SELECT FROM ${name} AS t WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos(t::text, word) > 0) LIMIT 1`,
          [words],
        );
        if (found.length > 0) holding.push(name);
      }
      return holding;
    }
  });

  test("while the storage is down it answers 503 within a second, and the event counts once it is delivered again", async () => {
    const contactId = newContact();
    const run = await waiting(contactId);
    const blocker = await running.db.database.pool.connect();
    try {
      await blocker.query(`BEGIN; LOCK TABLE executions IN ACCESS EXCLUSIVE MODE`);
      const startedAt = Date.now();
      let status = 0;
      running.simulator.signals.once("webhook", (delivery) => (status = delivery.status));
      portal.endEnrollment(contactId, "finished");
      await running.simulator.waitFor(() => status !== 0);
      expect(status).toBe(503);
      expect(Date.now() - startedAt).toBeLessThan(1_500);
    } finally {
      await blocker.query(`ROLLBACK`);
      blocker.release();
    }
    expect(await outputsOf(run)).toMatchObject({ outcome: "FINISHED" });
  });

  test("a thousand waiting contacts and more cost at most one request per hundred, and a request that is full where it can be", async () => {
    const many = addPlainPortal(running.simulator, { contacts: 1_200 });
    await running.install(many);
    await running.simulator.waitFor(() => many.traffic.requestsOf("owners") > 0);
    running.simulator.setWebhookTarget(undefined);
    const contactIds = [...many.contacts.keys()];
    contactIds.forEach((contactId) => many.enrollInUi(contactId, { agoMs: 86_400_000 }));
    const id = [many.portalId];
    const before = many.traffic.requestsOf("contacts");
    await sql(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, request)
       SELECT $1, 'ap-many-' || contact_id, 'WAIT_FOR_SEQUENCE_END', 'WATCHING', now() + interval '15 days', contact_id,
              '{"maxWaitDays": 14}' FROM unnest($2::text[]) AS contact_id`,
      [...id, contactIds],
    );
    const endsAt = Date.now() + 30_000;
    for (;;) {
      const [row] = await sql(
        `SELECT count(*)::int AS open FROM executions WHERE portal_id = $1 AND state = 'WATCHING' AND outputs IS NULL`,
        id,
      );
      if (row?.["open"] === 0) break;
      if (Date.now() > endsAt) throw new Error("not all contacts were looked at");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(many.traffic.requestsOf("contacts") - before).toBe(12);
    const dueTimes = await sql(
      `SELECT DISTINCT due_at FROM executions WHERE portal_id = $1 AND state = 'WATCHING'`,
      id,
    );
    expect(dueTimes.length).toBeLessThanOrEqual(2);
  });
});
