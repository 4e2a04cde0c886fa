import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import { realNow, setMachineClock } from "../support/machine-clock.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const DAY_MS = 86_400_000;

describe.each([
  ["ten days ahead", 10 * DAY_MS],
  ["ten days behind", -10 * DAY_MS],
])("the clock of the app's machine, %s of the database's and HubSpot's", (_name, aheadMs) => {
  let running: RunningApp;
  let setRight: () => void = () => undefined;

  beforeAll(async () => {
    // A kind HubSpot: its clock is right, as the database's is.
    running = await startRunningApp({ simulator: { now: realNow } });
  });

  afterEach(() => {
    setRight();
  });

  afterAll(() => running.close());

  const query = (text: string, values: unknown[]) =>
    running.db.database.pool.query<Record<string, unknown>>(text, values);

  /** A contact the app accepted with the right clock, and keeps for an hour; then the clock is set wrong. */
  async function acceptedBefore(
    inputs: Record<string, string> = {},
  ): Promise<{ portal: SimulatedPortal; run: WorkflowRun }> {
    const portal = addPlainPortal(running.simulator, { contacts: 1 });
    await running.install(portal);
    await query(`INSERT INTO portal_settings (portal_id, paused_at) VALUES ($1, now())`, [portal.portalId]);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner", ...inputs },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.answered;
    setRight = setMachineClock(aheadMs);
    return { portal, run };
  }

  /** The account goes on, and the contact is due, with whatever else is said of its row. */
  async function goOn({ portalId }: SimulatedPortal, further = ""): Promise<void> {
    await query(
      `WITH resumed AS (UPDATE portal_settings SET paused_at = NULL WHERE portal_id = $1)
       UPDATE executions SET due_at = now() ${further} WHERE portal_id = $1`,
      [portalId],
    );
  }

  async function untilRow({ portalId }: SimulatedPortal, condition: string): Promise<void> {
    const endsAt = realNow() + 20_000;
    while (
      (await query(`SELECT FROM executions WHERE portal_id = $1 AND ${condition}`, [portalId])).rowCount === 0
    ) {
      if (realNow() > endsAt) throw new Error(`no execution came to be: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  test("a contact is enrolled, and its workflow told, if HubSpot takes each request at the second time only", async () => {
    const { portal, run } = await acceptedBefore();
    const { portalId } = portal;
    running.simulator.failNext({ endpoint: "enroll", fault: "errorBefore", portalId });
    running.simulator.failNext({ endpoint: "callbacks", fault: "errorBefore", portalId });
    await goOn(portal);
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
    await untilRow(portal, `state = 'COMPLETED'`);
    await untilRow(portal, `abs(extract(epoch FROM now() - enrolled_at)) < 60`);
  });

  test("a contact is not enrolled past its deadline", async () => {
    const { portal, run } = await acceptedBefore();
    await goOn(portal, ", deadline_at = now()");
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ error_code: "DEADLINE_EXCEEDED" });
    expect(portal.enrollments.factsOf([...portal.contacts.keys()][0] ?? "").posts).toBe(0);
  });

  test("a contact waits for the day its step names, and not longer", async () => {
    const { portal, run } = await acceptedBefore({
      not_before: new Date(realNow() + 5 * DAY_MS).toISOString(),
    });
    await goOn(portal);
    await untilRow(
      portal,
      `last_problem LIKE 'Not to be enrolled before%' AND due_at > now() + interval '4 days'`,
    );
    const begun = `jsonb_set(request, '{notBefore}', to_jsonb((now() - interval '1 minute')::text))`;
    await goOn(portal, `, request = ${begun}`);
    await run.finished;
    expect(run.executions[0]?.outputs).toMatchObject({ enrollment_status: "ENROLLED" });
  });
});
