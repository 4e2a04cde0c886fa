import { afterEach, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { findFlows } from "#domain/flows/flow-names.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { ENROLL_TYPE, flowWith, idOf, readFlowsAgain, untilFlowsRead } from "../../support/flows-stage.js";
import {
  addPlainPortal,
  startRunningApp,
  type RunningApp,
  type StartOptions,
} from "../../support/start-app.js";

describe("the copy of a portal's workflows", () => {
  let running: RunningApp;

  afterEach(() => running.close());

  async function start(options: StartOptions = {}): Promise<SimulatedPortal> {
    running = await startRunningApp(options);
    const portal = addPlainPortal(running.simulator, { contacts: 3 });
    await running.install(portal);
    await untilFlowsRead(running, portal);
    return portal;
  }

  const prisma = () => running.db.database.prisma;
  const stepsOf = (portal: SimulatedPortal, flowId?: string) =>
    prisma().flowStep.findMany({
      where: { ...idOf(portal), ...(flowId && { flowId }) },
      orderBy: { actionId: "asc" },
    });

  /** One contact goes through the workflow's own enroll step. */
  async function runThrough(portal: SimulatedPortal, flowId: string): Promise<void> {
    const before = await prisma().execution.count({ where: idOf(portal) });
    portal.flowRunner.useAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    const flow = portal.flows.find(flowId);
    if (flow === undefined) throw new Error(`no flow ${flowId}`);
    portal.flowRunner.enter(flow, [...portal.contacts.keys()][0] ?? "");
    while ((await prisma().execution.count({ where: idOf(portal) })) === before)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  test("is made after an install, and finds HubSpot's own step before any call", async () => {
    const portal = await start();
    expect(
      await prisma().flow.findMany({
        where: idOf(portal),
        select: { name: true, isEnabled: true, isListed: true },
      }),
    ).toEqual(
      expect.arrayContaining([
        { name: "New leads: first outreach", isEnabled: true, isListed: true },
        { name: "Renewal reminders", isEnabled: true, isListed: true },
      ]),
    );
    expect(await stepsOf(portal)).toMatchObject([{ kind: "NATIVE_ENROLL", sequenceId: "300000001" }]);
  });

  test.each(["legacy", "flow"] as const)(
    "knows our steps from the first call on, and the workflow by the %s id that the call names",
    async (workflowIdOfCalls) => {
      const portal = await start({ simulator: { openQuestions: { workflowIdOfCalls } } });
      const [ours] = portal.flows.all();
      const { flowsReadAt } = await untilFlowsRead(running, portal);
      await runThrough(portal, ours?.id ?? "");
      await untilFlowsRead(running, portal, flowsReadAt ?? undefined);
      expect(await stepsOf(portal, ours?.id)).toMatchObject([
        { kind: "ENROLL", sequenceId: "300000001", senderMode: "contact_owner", presetId: null },
      ]);
      const { workflowId } = await prisma().execution.findFirstOrThrow({ where: idOf(portal) });
      expect(workflowId === ours?.id).toBe(workflowIdOfCalls === "flow");
      const flows = await findFlows(running.db.database.pool, BigInt(portal.portalId), [workflowId ?? ""]);
      expect(flows.get(workflowId ?? "")).toEqual({
        flowId: ours?.id,
        name: "New leads: first outreach",
        isListed: true,
      });
    },
  );

  test("takes over what a person changed, and reads only that again", async () => {
    const portal = await start();
    await prisma().actionType.create({ data: { definitionId: "170012345", version: 1, kind: "ENROLL" } });
    await readFlowsAgain(running, portal);
    const { id } = portal.flows.create(
      flowWith("Webinar", [
        { type: ENROLL_TYPE, fields: { sequence_id: "5", preset_id: "3" } },
        { type: ENROLL_TYPE },
      ]),
      Date.now(),
    );
    await readFlowsAgain(running, portal);
    expect(await stepsOf(portal, id)).toMatchObject([
      { sequenceId: "5", presetId: "3" },
      { sequenceId: null },
    ]);
    const flow = portal.flows.find(id);
    if (flow === undefined) throw new Error("the flow is gone");
    portal.flows.replace(
      flow,
      {
        ...flowWith("Webinar, new", [{ type: ENROLL_TYPE, fields: { sequence_id: "6" } }], false),
        revisionId: flow.revisionId,
      },
      Date.now(),
    );
    await readFlowsAgain(running, portal);
    expect(await stepsOf(portal, id)).toMatchObject([{ actionId: "1", sequenceId: "6", presetId: null }]);
    expect(await prisma().flow.findFirst({ where: { ...idOf(portal), flowId: id } })).toMatchObject({
      name: "Webinar, new",
      isEnabled: false,
    });
    // Nothing changed: the list alone is asked for.
    const asked = portal.traffic.requestsOf("flows");
    await readFlowsAgain(running, portal);
    expect(portal.traffic.requestsOf("flows") - asked).toBe(1);
  });

  test("marks a deleted workflow, and keeps its name", async () => {
    const portal = await start();
    const [first] = portal.flows.all();
    portal.flows.remove(first?.id ?? "");
    await readFlowsAgain(running, portal);
    const flows = await findFlows(running.db.database.pool, BigInt(portal.portalId), [first?.id ?? ""]);
    expect(flows.get(first?.id ?? "")).toMatchObject({ name: first?.name, isListed: false });
  });

  test("reads every page, and a batch for each hundred", async () => {
    const portal = await start();
    for (let made = 0; made < 230; made += 1)
      portal.flows.create(
        flowWith(`Flow ${made}`, [{ type: "0-46510720", fields: { sequenceId: "1" } }]),
        Date.now(),
      );
    const asked = portal.traffic.requestsOf("flows");
    await readFlowsAgain(running, portal);
    expect(await stepsOf(portal)).toHaveLength(231);
    expect(portal.traffic.requestsOf("flows") - asked).toBe(3 + 3);
  });

  test("says that the permission is missing, and keeps what it had", async () => {
    const portal = await start();
    portal.withdrawScopes(["automation"]);
    const { flowsProblem } = await readFlowsAgain(running, portal);
    expect(flowsProblem).toBe("SCOPE_MISSING");
    expect(await stepsOf(portal)).toHaveLength(1);
    expect(await prisma().flow.count({ where: { ...idOf(portal), isListed: true } })).toBe(2);
  });

  test("keeps what it had in an outage, and is tried again later", async () => {
    const portal = await start();
    running.simulator.failNext({
      endpoint: "flows",
      fault: "errorBefore",
      portalId: portal.portalId,
      times: 1,
    });
    await running.db.database.pool.query(
      "UPDATE portals SET flows_requested_at = now() WHERE portal_id = $1",
      [portal.portalId],
    );
    for (;;) {
      const row = await prisma().portal.findUniqueOrThrow({ where: idOf(portal) });
      if (row.flowsProblem === "UNAVAILABLE") {
        expect(Number(row.flowsRequestedAt)).toBeGreaterThan(Number(row.flowsReadAt));
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await prisma().flow.count({ where: { ...idOf(portal), isListed: true } })).toBe(2);
    expect((await readFlowsAgain(running, portal)).flowsProblem).toBeNull();
  });

  test("is renewed after an hour, also without a call", async () => {
    const portal = await start({ workIntervals: { requestOldFlows: 200 } });
    const { rows } = await running.db.database.pool.query<{ at: Date }>(
      `UPDATE portals SET flows_read_at = now() - interval '61 minutes', flows_requested_at = NULL
        WHERE portal_id = $1 RETURNING flows_read_at AS at`,
      [portal.portalId],
    );
    await untilFlowsRead(running, portal, rows[0]?.at);
  });

  test("is not what shows after an outage whether HubSpot is back: a contact that waits does", async () => {
    const portal = await start();
    const { pool } = running.db.database;
    running.simulator.failNext({
      portalId: portal.portalId,
      endpoint: "flows",
      fault: "errorBefore",
      times: 1_000,
    });
    const endpoints: string[] = [];
    running.simulator.signals.on("request", ({ portalId, endpoint }) => {
      if (portalId === portal.portalId) endpoints.push(endpoint);
    });
    // A turn under way would not notice, and would go on asking.
    const openUntil = async (until: string): Promise<void> => {
      const open = () =>
        pool.query(
          `UPDATE portal_drains SET circuit_trips = 1, circuit_opened_at = now(), circuit_open_until = ${until}
            WHERE portal_id = $1 AND is_released`,
          [portal.portalId],
        );
      while ((await open()).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await openUntil("now() + interval '1 hour'");
    await pool.query("UPDATE portals SET flows_requested_at = now() WHERE portal_id = $1", [portal.portalId]);
    const [contactId = ""] = portal.contacts.keys();
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [contactId],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.answered;
    // The turn that the call woke has found HubSpot down, and may have put the contact off.
    await pool.query(
      "UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE portal_id = $1 AND state = 'QUEUED'",
      [portal.portalId],
    );
    // What turns before asked is of no interest.
    endpoints.length = 0;
    await openUntil("now()");
    await run.finished;
    await running.simulator.waitFor(() => endpoints.includes("flows"), { what: "the list" });
    expect(endpoints).toContain("enroll");
    expect(endpoints.indexOf("enroll")).toBeLessThan(endpoints.indexOf("flows"));
  });
});
