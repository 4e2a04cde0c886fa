import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { paths } from "#platform/hubspot/wire/paths.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { idOf, readFlowsAgain, untilFlowsRead } from "../../support/flows-stage.js";
import { startOddHubSpot, type OddHubSpot } from "../../support/odd-hubspot.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let hubspot: OddHubSpot;
let running: RunningApp;

beforeAll(async () => {
  hubspot = await startOddHubSpot(() => running.simulator.url);
  running = await startRunningApp({ environment: { HUBSPOT_API_URL: hubspot.url } });
});

afterAll(async () => {
  await running.close();
  await hubspot.close();
});

interface ListPage {
  results: Record<string, unknown>[];
  paging?: unknown;
}

async function connect(): Promise<SimulatedPortal> {
  hubspot.edit = (_, body) => body;
  hubspot.replace = () => undefined;
  const portal = addPlainPortal(running.simulator, { contacts: 1 });
  await running.install(portal);
  await untilFlowsRead(running, portal);
  return portal;
}

/** Changes the answers of one route. */
function change(path: string, edit: (page: ListPage) => ListPage): void {
  hubspot.edit = ({ url }, body) =>
    new URL(url, hubspot.url).pathname === path ? edit(body as ListPage) : body;
}

const listed = (portal: SimulatedPortal) =>
  running.db.database.prisma.flow.count({ where: { ...idOf(portal), isListed: true } });
const steps = (portal: SimulatedPortal) => running.db.database.prisma.flowStep.count({ where: idOf(portal) });

describe("odd answers about workflows", () => {
  test.each<[string, Omit<ListPage, "results"> & { further?: Record<string, unknown>[] }]>([
    ["goes on in a form that we do not know", { paging: { next: { page: 2 } } }],
    ["goes round in circles", { paging: { next: { after: "again" } } }],
    ["holds an entry without an id", { further: [{ name: "?" }] }],
  ])(
    "a list that %s is cut: it says so, and nothing counts as deleted",
    async (_, { further = [], paging }) => {
      const portal = await connect();
      const [{ id, name, isEnabled, revisionId } = {}] = portal.flows.all();
      const body = { results: [{ id, name, isEnabled, revisionId }, ...further], paging };
      hubspot.replace = ({ method, url }) =>
        method === "GET" && new URL(url, hubspot.url).pathname === paths.flows
          ? { status: 200, body }
          : undefined;
      expect((await readFlowsAgain(running, portal)).flowsProblem).toBe("CUT");
      expect(await listed(portal)).toBe(2);
    },
  );

  test("an entry that we cannot read is left out and counted, and stays as we had it", async () => {
    const portal = await connect();
    change(paths.flows, ({ results: [first, ...rest] }) => ({
      results: [{ ...first, isEnabled: "perhaps" }, ...rest],
    }));
    const { flowsProblem, flowsReport } = await readFlowsAgain(running, portal);
    expect([flowsProblem, flowsReport]).toEqual([null, { leftOut: 1 }]);
    expect(await listed(portal)).toBe(2);
  });

  test("a list of which nothing can be read has changed its form: what we had stays", async () => {
    const portal = await connect();
    change(paths.flows, ({ results }) => ({ results: results.map(({ id }) => ({ flow: id })) }));
    expect((await readFlowsAgain(running, portal)).flowsProblem).toBe("UNREADABLE");
    expect(await listed(portal)).toBe(2);
  });

  test("a step in another form is left out alone, and counted", async () => {
    const portal = await connect();
    await running.db.database.pool.query("UPDATE flows SET steps_read_as = NULL");
    change(paths.flowBatch, (page) => ({
      ...page,
      results: page.results.map((flow) => ({
        ...flow,
        actions: [
          ...(flow["actions"] as unknown[]),
          { actionId: "9", actionTypeId: 7 },
          { type: "STATIC_BRANCH" },
        ],
      })),
    }));
    expect((await readFlowsAgain(running, portal)).flowsReport).toEqual({ leftOut: 2 });
    expect(await steps(portal)).toBe(1);
  });

  test("a workflow that the batch leaves out is asked for again the next time", async () => {
    const portal = await connect();
    await running.db.database.pool.query("UPDATE flows SET steps_read_as = NULL");
    change(paths.flowBatch, (page) => ({ ...page, results: [] }));
    await readFlowsAgain(running, portal);
    expect(await steps(portal)).toBe(1);
    hubspot.edit = (_, body) => body;
    await readFlowsAgain(running, portal);
    const unread = { ...idOf(portal), stepsReadAs: null };
    expect(await running.db.database.prisma.flow.count({ where: unread })).toBe(0);
  });

  test("names and values of any length and kind are stored, shortened, and break nothing", async () => {
    const portal = await connect();
    change(paths.flows, (page) => ({
      ...page,
      results: page.results.map((flow) => ({
        ...flow,
        name: `\u0000${"n".repeat(5_000)}`,
        revisionId: "77",
      })),
    }));
    expect((await readFlowsAgain(running, portal)).flowsProblem).toBeNull();
    const [flow] = await running.db.database.prisma.flow.findMany({ where: idOf(portal) });
    expect(flow?.name?.length).toBeLessThanOrEqual(1_000);
  });
});
