import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { markAllUncertain } from "#domain/executions/mark-all-uncertain.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { acquirePortal } from "#platform/queue/portal-lease.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const CONTACTS = 8;

describe("a database that comes back without its last minutes", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp({
      simulator: { openQuestions: { endedEnrollment: 404 } },
      believeNoneAfterMs: 1_500,
    });
    portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
  });

  afterAll(() => running.close());

  const sql = (text: string, values: unknown[] = [portal.portalId]) =>
    running.db.database.pool.query<Record<string, unknown>>(text, values);

  async function untilDecided({ portalId } = portal): Promise<void> {
    const endsAt = Date.now() + 100_000;
    const open = `SELECT FROM executions WHERE portal_id = $1 AND decided_at IS NULL`;
    while ((await sql(open, [portalId])).rowCount !== 0) {
      if (Date.now() > endsAt) throw new Error("some were not decided");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("enrolls nobody a second time once the operator's command was run, not those who have replied either", async () => {
    const { pool } = running.db.database;
    await sql(`INSERT INTO portal_settings (portal_id, paused_at) VALUES ($1, now())`);
    // An admin's pause takes effect within two seconds; then nothing is sent.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.answered;
    await sql(`CREATE TABLE backup AS SELECT * FROM executions`, []);
    await sql(`UPDATE portal_settings SET paused_at = NULL WHERE portal_id = $1`);
    await run.finished;
    await untilDecided();
    [...portal.contacts.keys()].slice(0, CONTACTS / 2).forEach((id) => {
      portal.endEnrollment(id, "replied");
    });
    const before = await acquirePortal(pool, BigInt(portal.portalId));

    // The app runs here; that it is stopped meanwhile is the operator's part, and done in one transaction for it.
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query(`DELETE FROM executions WHERE portal_id = $1`, [portal.portalId]);
    await client.query(`INSERT INTO executions SELECT * FROM backup`);
    await client.query(
      `UPDATE executions SET due_at = now() + interval '1 hour' WHERE portal_id = $1 AND state = 'QUEUED'`,
      [portal.portalId],
    );
    await client.query("COMMIT");
    client.release();
    expect(await markAllUncertain(pool)).toEqual({ enrollments: CONTACTS, portals: 1 });
    // Safe to run again.
    await markAllUncertain(pool);
    expect((await acquirePortal(pool, BigInt(portal.portalId))).epoch).toBeGreaterThan(before.epoch + 2n);

    await untilDecided();
    const { rows } = await sql(`SELECT DISTINCT enrollment_status FROM executions WHERE portal_id = $1`);
    expect(rows).toEqual([{ enrollment_status: "ENROLLED" }]);
    for (const id of portal.contacts.keys()) expect(portal.enrollments.factsOf(id).posts).toBe(1);
  });

  test("exceeds no sender's cap, though it does not know as whom those were sent that have ended since", async () => {
    const capped = addPlainPortal(running.simulator, { contacts: 12 });
    await running.install(capped);
    const [sequence] = capped.sequences.keys();
    const [sender] = capped.users.keys();
    const ids = [...capped.contacts.keys()];
    const of = [capped.portalId];
    const { pool } = running.db.database;
    await sql(
      `INSERT INTO senders (portal_id, user_id, daily_cap, window_days) SELECT $1, $2::bigint, 6, '{}'`,
      [capped.portalId, sender],
    );
    await sql(`INSERT INTO presets (portal_id, name, policy, is_default) VALUES ($1, 'At once', $2, true)`, [
      capped.portalId,
      { ...INITIAL_POLICY, fallback: { ...INITIAL_POLICY.fallback, whenNobody: "fail" } },
    ]);
    const run = (contactIds: string[]) =>
      capped.runAction({
        actionUrl: running.publicUrl + ENROLL_ROUTE,
        contactIds,
        inputs: {
          sequence_id: sequence ?? "",
          sender_mode: "specific_user",
          sender_user_id: String(sender),
        },
        objectProperties: [...REQUESTED_PROPERTIES],
      });
    await run(ids.slice(0, 4)).finished;
    ids.slice(0, 4).forEach((id) => capped.endEnrollment(id, "replied"));
    // The backup is of a moment before they were sent, and before they were given a sender.
    await sql(
      `UPDATE executions SET state = 'QUEUED', epoch = NULL, due_at = now() + interval '1 hour', attempts = 0, first_attempt_at = NULL,
              first_sent_at = NULL, sender_user_id = NULL, sender_email = NULL, enrollment_status = NULL, enrolled_at = NULL,
              enrollment_id = NULL, execution_state = NULL, decided_at = NULL, completed_at = NULL
        WHERE portal_id = $1`,
      of,
    );
    await markAllUncertain(pool);
    await sql(
      `UPDATE executions SET due_at = now() + interval '4 seconds' WHERE portal_id = $1 AND state = 'UNCERTAIN'`,
      of,
    );
    const later = run(ids.slice(4));
    await later.answered;
    await untilDecided(capped);
    await later.finished;

    expect(capped.enrollments.total).toBe(6);
    expect(later.counts().completed).toBe(8);
  });
});
