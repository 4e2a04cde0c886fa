import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const CALLS = 12;

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp();
});

afterAll(() => running.close());

const query = async <Row extends object>(text: string, portal: SimulatedPortal): Promise<Row[]> =>
  (await running.db.database.pool.query<Row>(text, [portal.portalId])).rows;

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endsAt = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > endsAt) throw new Error("it did not come");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Calls of whose callbacks HubSpot knows nothing when they are to be completed. */
async function sendCalls(portal: SimulatedPortal): Promise<void> {
  const url = running.publicUrl + ENROLL_ROUTE;
  const inputFields = { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" };
  await Promise.all(
    [...portal.contacts.values()].map(async ({ id, properties }) => {
      const known = Object.fromEntries(REQUESTED_PROPERTIES.map((name) => [name, properties[name] ?? null]));
      const object = { objectId: Number(id), properties: known };
      const origin = { portalId: portal.portalId };
      const body = JSON.stringify({
        callbackId: `ap-gone-${portal.portalId}-${id}`,
        origin,
        object,
        inputFields,
      });
      const headers = running.simulator.sign({ method: "POST", url, body });
      expect((await fetch(url, { method: "POST", headers, body })).status).toBe(200);
    }),
  );
}

describe("completions that HubSpot refuses", () => {
  test.each([400, 404, 409, 410, 422] as const)(
    "with %i are final once a minute has passed, and told once to the account",
    async (unknownCallback) => {
      running.simulator.setOpenQuestions({ unknownCallback });
      const portal = addPlainPortal(running.simulator, { contacts: CALLS });
      await running.install(portal);
      await sendCalls(portal);
      const tried = () =>
        query(`SELECT FROM executions WHERE portal_id = $1 AND completion_tries > 0`, portal);
      await until(async () => (await tried()).length === CALLS);
      // Early, HubSpot may not have read our answer yet: nothing is final.
      const [early] = await query<{ open: number }>(
        `SELECT count(*)::int AS open FROM executions WHERE portal_id = $1 AND state = 'DECIDED'`,
        portal,
      );
      expect(early?.open).toBe(CALLS);
      expect(await query(`SELECT FROM alerts WHERE portal_id = $1`, portal)).toEqual([]);
      const before = portal.traffic.requestsOf("callbacks");
      await query(
        `UPDATE executions SET decided_at = decided_at - interval '1 minute', due_at = now() - interval '1 millisecond'
          WHERE portal_id = $1 AND state = 'DECIDED'`,
        portal,
      );
      const refused = () =>
        query(`SELECT FROM executions WHERE portal_id = $1 AND state = 'COMPLETION_REFUSED'`, portal);
      await until(async () => (await refused()).length === CALLS);
      // The batch, and each of it once.
      expect(portal.traffic.requestsOf("callbacks") - before).toBeLessThanOrEqual(1 + CALLS);
      const alerts = () =>
        query<{ kind: string; channel: string; message: string }>(
          `SELECT kind, channel, message FROM alerts WHERE portal_id = $1 ORDER BY channel`,
          portal,
        );
      await until(async () => (await alerts()).length > 0);
      const message = expect.stringMatching(
        /^HubSpot did not take the outcome of 12 contacts: it had let go/,
      );
      expect(await alerts()).toEqual(
        ["EMAIL", "WEBHOOK"].map((channel) => ({ kind: "HOLDS_CUT_SHORT", channel, message })),
      );
      const told = running.logLines.filter(
        ({ portalId, holds }) => holds !== undefined && portalId == portal.portalId,
      );
      expect(told).toMatchObject([{ holds: CALLS, leastHours: 0 }]);
    },
  );

  test("before the end of a hold are counted", async () => {
    const metrics = await (await fetch(`${running.publicUrl}/metrics`)).text();
    const counted = /^sequence_enroller_holds_cut_short_total (\d+)$/m.exec(metrics)?.[1];
    expect(Number(counted)).toBe(5 * CALLS);
  });
});
