import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { WEBHOOK_ROUTE } from "#web/actions/receive-webhook.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { readEnds, readNotedEnds } from "#domain/ends/known-ends.js";
import { ChangeFence } from "#domain/enrollments/change-fence.js";
import type { Enrollment } from "#domain/enrollments/enrollment.js";
import { listEnrollments } from "#domain/enrollments/list-enrollments.js";
import { untilBehind } from "../../support/change-fence.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

interface Followed {
  outcome: string | null;
  lost_because: string | null;
  execution_id: string;
  is_open: boolean;
  is_looked_at: boolean;
  opened: boolean;
  clicked: boolean;
  replied: boolean;
  meeting: boolean;
}

describe("how our enrollments end", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  let sequenceIds: string[];
  let contactId: string;

  beforeAll(async () => {
    running = await startRunningApp({ workIntervals: { followEnrollments: 100 } });
    portal = addPlainPortal(running.simulator, { contacts: 0 });
    sequenceIds = [...portal.sequences.keys()];
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, {
      what: "the directory sync",
    });
  });

  afterAll(() => running.close());

  beforeEach(() => {
    contactId = portal.addContact().id;
  });

  async function sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await running.db.database.pool.query(text, values)).rows as Row[];
  }

  /** The contact's enrollments by us, oldest first. */
  const followed = (): Promise<Followed[]> =>
    sql<Followed>(
      `SELECT f.outcome, f.lost_because, f.execution_id, f.next_look_at IS NOT NULL AS is_open, f.looked_at IS NOT NULL AS is_looked_at,
              opened_at IS NOT NULL AS opened, clicked_at IS NOT NULL AS clicked, replied_at IS NOT NULL AS replied, meeting_at IS NOT NULL AS meeting
         FROM followed_enrollments f JOIN executions e USING (portal_id) WHERE e.id = f.execution_id AND e.contact_id = $1 ORDER BY e.id`,
      [contactId],
    );

  async function until(holds: (rows: Followed[]) => boolean): Promise<Followed[]> {
    const endsAt = Date.now() + 60_000;
    for (;;) {
      const rows = await followed();
      if (holds(rows)) return rows;
      if (Date.now() > endsAt) throw new Error(`the awaited state did not come: ${JSON.stringify(rows)}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  /** Enrolls the contact by a workflow's step, until it is followed. */
  async function enroll(sequenceId = sequenceIds[0] ?? ""): Promise<void> {
    const before = (await followed()).length;
    const inputs = { sequence_id: sequenceId, sender_mode: "contact_owner" };
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [contactId],
      inputs,
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    await until((rows) => rows.length > before);
  }

  /** Time passes until a look is due: everything known of the contact's enrollments is that much older. */
  async function look(settled = "0 seconds"): Promise<void> {
    await sql(`UPDATE follow_progress SET next_request_at = NULL`);
    await sql(
      `UPDATE followed_enrollments f SET next_look_at = now() - interval '1 second', looked_at = NULL, left_at = f.left_at - $2::interval
         FROM executions e WHERE f.portal_id = e.portal_id AND f.execution_id = e.id AND e.contact_id = $1 AND f.next_look_at IS NOT NULL`,
      [contactId, settled],
    );
    await until((rows) => rows.every(({ is_looked_at }) => is_looked_at));
  }

  const known = async (): Promise<unknown[]> => {
    const ids = (await followed()).map(({ execution_id }) => BigInt(execution_id));
    const ends = await readEnds(running.db.database.pool, BigInt(portal.portalId), ids);
    return ids.map((id) => ends.get(id)?.outcome);
  };

  test.each([
    ["finished", "FINISHED"],
    ["replied", "REPLIED"],
  ] as const)("one that was %s is known as %s, once, with what the contact did", async (how, outcome) => {
    await enroll();
    await look();
    expect(await followed()).toMatchObject([{ outcome: null, is_open: true, opened: false, replied: false }]);
    portal.recordEngagement(contactId, "opened");
    portal.recordEngagement(contactId, "meeting");
    portal.endEnrollment(contactId, how);
    await look();
    const [row] = await followed();
    expect(row).toMatchObject({ outcome, is_open: false, opened: true, clicked: false, meeting: true });
    expect(row?.replied).toBe(how === "replied");
    expect(await known()).toEqual([outcome]);
    const start = { notedAt: new Date(0), executionId: 0n };
    const noted = await readNotedEnds(running.db.database.pool, BigInt(portal.portalId), {
      after: start,
      limit: 9,
      settleMs: 0,
    });
    const mine = noted.filter(({ executionId }) => String(executionId) === row?.execution_id);
    expect(mine).toMatchObject([{ outcome }]);
    const [last] = noted.slice(-1);
    const later = await readNotedEnds(running.db.database.pool, BigInt(portal.portalId), {
      after: last ?? start,
      limit: 9,
      settleMs: 0,
    });
    expect(later).toEqual([]);
  });

  /** What a program that syncs is told next: changes of the account's enrollments after the last that it has. */
  async function changesAfter(updatedAfter: Date): Promise<readonly Enrollment[]> {
    const { pool } = running.db.database;
    const fence = new ChangeFence();
    await untilBehind(fence, pool);
    const question = { filter: { updatedAfter }, sort: "updatedAt", limit: 50 } as const;
    return (await listEnrollments({ pool, fence }, BigInt(portal.portalId), question)).enrollments;
  }

  test("an end is a change of the enrollment: a program that syncs is told it; another look is none", async () => {
    await enroll();
    const synced = new Date((await changesAfter(new Date(0))).at(-1)?.updatedAt ?? 0);
    await look();
    expect(await changesAfter(synced)).toEqual([]);
    portal.endEnrollment(contactId, "finished");
    await look();
    expect(await changesAfter(synced)).toMatchObject([
      { contact: { id: contactId }, ended: { outcome: "FINISHED" } },
    ]);
  });

  test("a privacy deletion takes along how it ended and what the contact did", async () => {
    await enroll();
    const [row] = await followed();
    portal.recordEngagement(contactId, "opened");
    portal.endEnrollment(contactId, "replied");
    await look();
    expect(await known()).toEqual(["REPLIED"]);
    portal.erasePrivately(contactId);
    const event = { subscriptionType: "contact.privacyDeletion", objectId: contactId };
    await portal.sendWebhooks([event], running.publicUrl + WEBHOOK_ROUTE);
    const left = () => sql(`SELECT FROM followed_enrollments WHERE execution_id = $1`, [row?.execution_id]);
    expect(await left()).toEqual([]);
    // It was found by the index of what was decided, which still has it.
    await sql(`UPDATE follow_progress SET followed_to = now() - interval '1 hour'`);
    await enrollAnother();
    expect(await left()).toEqual([]);
  });

  /** So that whatever was to be followed before is. */
  async function enrollAnother(): Promise<void> {
    contactId = portal.addContact().id;
    await enroll();
  }

  test("an end before a second enrollment in another sequence goes to the first, and the second's to the second", async () => {
    await enroll();
    portal.endEnrollment(contactId, "replied");
    await enroll(sequenceIds[1]);
    await look();
    expect(await known()).toEqual(["REPLIED", undefined]);
    portal.endEnrollment(contactId, "finished");
    await look();
    expect(await known()).toEqual(["REPLIED", "FINISHED"]);
  });

  test("properties that follow late are waited for", async () => {
    running.simulator.setPropertyLag(60_000);
    await enroll();
    portal.endEnrollment(contactId, "finished");
    await look();
    expect(await followed()).toMatchObject([{ outcome: null, lost_because: null, is_open: true }]);
    running.simulator.setPropertyLag(0);
  });

  test("emptied properties are no end", async () => {
    await enroll();
    await look();
    const properties = portal.contact(contactId).properties;
    for (const name of Object.keys(properties)) if (name.startsWith("hs_")) properties[name] = null;
    await look();
    await look("1 hour");
    expect(await followed()).toMatchObject([{ outcome: null, is_open: true }]);
  });

  test("a contact that is gone is no longer looked at; one that was merged is followed under its new id", async () => {
    await enroll();
    portal.deleteContact(contactId);
    await look();
    expect(await followed()).toMatchObject([{ outcome: null, lost_because: "CONTACT_GONE", is_open: false }]);
    contactId = portal.addContact().id;
    await enroll();
    const merged = portal.mergeContacts(contactId, portal.addContact().id);
    await look();
    contactId = merged.id;
    await until((rows) => rows.length === 1);
    portal.endEnrollment(contactId, "finished");
    await look();
    expect(await followed()).toMatchObject([{ outcome: "FINISHED", lost_because: null }]);
  });

  test("a webhook makes the look come sooner, however often it arrives, and nothing waits for it", async () => {
    await enroll();
    portal.endEnrollment(contactId, "finished");
    const event = {
      subscriptionType: "object.propertyChange",
      objectId: contactId,
      propertyName: "hs_sequences_is_enrolled",
    };
    const isSoon = async () =>
      sql<{ soon: boolean }>(
        `SELECT next_look_at <= now() + interval '30 seconds' AS soon FROM followed_enrollments JOIN executions e ON e.id = execution_id WHERE contact_id = $1`,
        [contactId],
      );
    await portal.sendWebhooks([event, event], running.publicUrl + WEBHOOK_ROUTE);
    expect(await isSoon()).toEqual([{ soon: true }]);
  });

  test("an account that is not connected is not asked; what ended meanwhile is known once it is again", async () => {
    await enroll();
    portal.endEnrollment(contactId, "finished");
    await sql(`UPDATE portals SET status = 'DISCONNECTED'`);
    await sql(
      `UPDATE followed_enrollments SET next_look_at = now() - interval '1 second', looked_at = NULL WHERE next_look_at IS NOT NULL`,
    );
    await sql(`UPDATE follow_progress SET next_request_at = NULL`);
    const before = portal.traffic.requestsOf("contacts");
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(portal.traffic.requestsOf("contacts")).toBe(before);
    await sql(`UPDATE portals SET status = 'CONNECTED'`);
    expect(await until(([row]) => row?.outcome != null)).toMatchObject([{ outcome: "FINISHED" }]);
  });

  test("a request for looks alone is earned back before the next one: at most a twentieth of the budget", async () => {
    await enroll();
    await look();
    const [rest] = await sql<{ ms: number }>(
      `SELECT extract(epoch FROM p.next_request_at - f.looked_at) * 1000 AS ms FROM follow_progress p, followed_enrollments f JOIN executions e ON e.id = f.execution_id WHERE contact_id = $1`,
      [contactId],
    );
    expect(Number(rest?.ms)).toBeGreaterThanOrEqual(10_000 / (110 * 0.05) - 1);
  });
});
