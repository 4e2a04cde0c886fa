import { afterEach, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import {
  addPlainPortal,
  startRunningApp,
  type RunningApp,
  type StartOptions,
} from "../../support/start-app.js";

/** Each of these once lost a contact, held up others, or told the customer the wrong reason. */
describe("under hostile conditions", () => {
  let running: RunningApp;

  afterEach(() => running.close());

  async function start(contacts: number, options: StartOptions = {}): Promise<SimulatedPortal> {
    running = await startRunningApp(options);
    const portal = addPlainPortal(running.simulator, { contacts });
    await running.install(portal);
    return portal;
  }

  const query = (text: string, values: unknown[] = []) => running.db.database.pool.query(text, values);

  async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const deadlineMs = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > deadlineMs) throw new Error(`waited in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  const synced = (portal: SimulatedPortal) =>
    until(
      async () =>
        (
          await query(`SELECT FROM portals WHERE portal_id = $1 AND directory_synced_at IS NOT NULL`, [
            portal.portalId,
          ])
        ).rowCount === 1,
      "the directory",
    );

  const outcomes = async (portal: SimulatedPortal, contactIds = [...portal.contacts.keys()]) => {
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds,
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    return run.executions.map(({ outputs, attempts }) => ({
      status: outputs["error_code"] || outputs["enrollment_status"],
      answers: attempts.map(({ status }) => status),
    }));
  };

  test("text that the database cannot hold neither fails its call nor those stored together with it", async () => {
    const portal = await start(30);
    const [first, second] = portal.contacts.values();
    if (first === undefined || second === undefined) throw new Error("no contacts");
    first.properties["hs_sequences_is_enrolled"] = "nul \u0000 byte";
    second.properties["hs_sequences_is_enrolled"] = "half a pair \ud83d";
    const results = await outcomes(portal);
    expect(results.map(({ status }) => status)).toEqual(Array(30).fill("ENROLLED"));
    expect(results.flatMap(({ answers }) => answers)).toEqual(Array(30).fill(200));
  });

  test("an address of thousands of characters holds up neither its own completion nor the others'", async () => {
    const portal = await start(10);
    const [first, second] = portal.contacts.values();
    if (first === undefined || second === undefined) throw new Error("no contacts");
    // Nothing that repeats: the database would compress it.
    first.properties["email"] = `${randomBytes(6_000).toString("hex")}@acme.example`;
    second.properties["email"] = `${randomBytes(1_000).toString("hex")}@${"é".repeat(2_000)}.example`;
    const results = await outcomes(portal);
    expect(results.map(({ status }) => status)).toEqual(Array(10).fill("ENROLLED"));
    await until(
      async () => (await query(`SELECT FROM executions WHERE state <> 'COMPLETED'`)).rowCount === 0,
      "the completions to be noted",
    );
  });

  test("a token that HubSpot has just issued and does not know is an outage, not the contact's fault", async () => {
    const portal = await start(2);
    await synced(portal);
    // The refreshed token is refused as well, once: as where HubSpot's own servers disagree for a moment.
    running.simulator.setAccessTokenSeconds(0.000_1);
    running.simulator.expireAccessTokens(portal.portalId);
    const waiting = outcomes(portal);
    await until(
      async () => (await query(`SELECT FROM executions WHERE last_problem LIKE '%token%'`)).rowCount !== 0,
      "a refusal of the new token",
    );
    running.simulator.setAccessTokenSeconds(1800);
    running.simulator.expireAccessTokens(portal.portalId);
    expect((await waiting).map(({ status }) => status)).toEqual(["ENROLLED", "ENROLLED"]);
    for (const contactId of portal.contacts.keys())
      expect(portal.enrollments.factsOf(contactId).accepted).toBe(1);
  });

  test("while no token can be had nothing was sent, so nothing has to be looked up afterward", async () => {
    const portal = await start(3);
    await synced(portal);
    running.simulator.setTokenEndpoint("outage");
    running.simulator.expireAccessTokens(portal.portalId);
    const waiting = outcomes(portal);
    await until(
      async () => (await query(`SELECT FROM executions WHERE last_problem IS NOT NULL`)).rowCount !== 0,
      "the outage to be met",
    );
    const { rows } = await query(
      `SELECT DISTINCT state FROM executions WHERE state NOT IN ('QUEUED', 'ATTEMPTING')`,
    );
    expect(rows).toEqual([]);
    running.simulator.setTokenEndpoint("ok");
    expect((await waiting).map(({ status }) => status)).toEqual(Array(3).fill("ENROLLED"));
    expect(portal.traffic.requestsOf("enrollment-lookup")).toBe(0);
  });

  test("what a crashed worker left in a portal that was then disconnected ends at its deadline", async () => {
    const portal = await start(1);
    await synced(portal);
    await query(`UPDATE portals SET status = 'DISCONNECTED' WHERE portal_id = $1`, [portal.portalId]);
    await query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, epoch, attempts, accepted_at, due_at, deadline_at, contact_id, sequence_id, request)
       VALUES ($1, 'ap-left', 'ENROLL', 'ATTEMPTING', 0, 1, now() - interval '150 hours', now() - interval '150 hours',
               now() - interval '6 hours', '1001', '300000001', '{}')`,
      [portal.portalId],
    );
    await until(
      async () =>
        (await query(`SELECT FROM executions WHERE callback_id = 'ap-left' AND state = 'DECIDED'`))
          .rowCount === 1,
      "the execution to be given up",
    );
    const { rows } = await query(`SELECT error_code FROM executions WHERE callback_id = 'ap-left'`);
    expect(rows).toEqual([{ error_code: "DEADLINE_EXCEEDED" }]);
  });
});
