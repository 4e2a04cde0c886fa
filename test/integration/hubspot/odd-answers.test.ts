import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { paths } from "#platform/hubspot/wire/paths.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { startOddHubSpot, type Edit, type OddHubSpot } from "../../support/odd-hubspot.js";
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
  results: unknown[];
  paging?: unknown;
}

/** Changes the pages of one list. */
const pagesOf =
  (list: "owners" | "sequences" | "users", change: (page: ListPage) => ListPage): Edit =>
  ({ method, url }, body) => {
    const { pathname, searchParams } = new URL(url, hubspot.url);
    const isList = method === "GET" && pathname === paths[list] && searchParams.get("archived") !== "true";
    return isList ? change(body as ListPage) : body;
  };

async function copied(
  portal: SimulatedPortal,
  after = new Date(0),
): Promise<{ at: Date; problem: string | null }> {
  const endsAt = Date.now() + 60_000;
  for (;;) {
    // Otherwise it would be tried again, and again in vain.
    expect(running.logLines.filter((line) => isGivenUp(line, portal))).toEqual([]);
    const { directorySyncedAt: at, directoryError: problem } =
      await running.db.database.prisma.portal.findUniqueOrThrow({ where: of(portal) });
    if (at !== null && at > after) return { at, problem };
    if (Date.now() > endsAt) throw new Error("the directory was not copied");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isGivenUp = ({ msg, portalId }: Record<string, unknown>, portal: SimulatedPortal): boolean =>
  msg === "the directory could not be synced" && portalId === String(portal.portalId);

const of = (portal: SimulatedPortal) => ({ portalId: BigInt(portal.portalId) });

async function connect(): Promise<{ portal: SimulatedPortal; browser: Browser }> {
  const portal = addPlainPortal(running.simulator, { sequences: 3, contacts: 3 });
  const browser = await running.install(portal);
  return { portal, browser };
}

async function copyAgain(portal: SimulatedPortal): Promise<{ problem: string | null }> {
  const { at } = await copied(portal);
  await running.db.database.pool.query(
    `UPDATE portals SET directory_requested_at = directory_synced_at + interval '1 millisecond' WHERE portal_id = $1`,
    [portal.portalId],
  );
  return copied(portal, at);
}

const listed = (portal: SimulatedPortal) =>
  running.db.database.prisma.sequence.count({ where: { ...of(portal), isListed: true } });

describe("a HubSpot list", () => {
  test.each(["owners", "sequences", "users"] as const)(
    "of %s with records that cannot be read is copied without them; they are counted, and their content is not logged",
    async (list) => {
      const odd = [{ id: "9".repeat(300), name: "Odd" }, { id: { is: "Odd" } }, "Odd", null];
      hubspot.edit = pagesOf(list, (page) => ({ ...page, results: [...odd, ...page.results] }));
      running.logLines.length = 0;
      const { portal } = await connect();
      expect((await copied(portal)).problem).toBeNull();
      expect(await listed(portal)).toBe(3);
      const people = [...portal.users.values()].filter(({ active }) => active).length;
      const { prisma } = running.db.database;
      expect(
        await prisma.owner.count({ where: { ...of(portal), isArchived: false, userId: { not: null } } }),
      ).toBe(people);
      expect(await prisma.user.count({ where: { ...of(portal), isListed: true } })).toBe(people);
      const told = running.logLines.filter(({ leftOut }) => leftOut !== undefined);
      const name = { owners: "Owners", sequences: "Sequences", users: "Users" }[list];
      expect(told.map(({ leftOut }) => leftOut)).toEqual([{ [name]: odd.length }]);
      expect(JSON.stringify(running.logLines)).not.toMatch(/Odd|9{20}/);
    },
  );

  test("keeps what it had of a record that cannot be read anymore", async () => {
    hubspot.edit = (_, body) => body;
    const { portal } = await connect();
    await copied(portal);
    hubspot.edit = pagesOf("sequences", ({ results: [first, ...others] }) => ({
      results: [{ ...(first as object), name: 7 }, ...others],
    }));
    expect((await copyAgain(portal)).problem).toBeNull();
    expect(await listed(portal)).toBe(3);
  });

  test.each([
    [
      "in which no record can be read",
      "another shape",
      ({ results }: ListPage) => ({ results: results.map(() => ({})) }),
    ],
    [
      "with a cursor of absurd length",
      "a next page in a form that we do not know",
      (page: ListPage) => ({ ...page, paging: { next: { after: "x".repeat(5_000) } } }),
    ],
  ])("%s takes nothing away from the copy, and the admin is told", async (_, told, change) => {
    hubspot.edit = (__, body) => body;
    const { portal, browser } = await connect();
    await copied(portal);
    hubspot.edit = pagesOf("sequences", change);
    expect((await copyAgain(portal)).problem).toMatch(new RegExp(`^Sequences: .*${told}`));
    expect(await listed(portal)).toBe(3);
    expect((await browser.open(`${running.publicUrl}/settings`)).body).toContain(told);
  });
});

describe("an enrollment's instant", () => {
  test.each([
    ["in the year 275760", "+275760-09-13T00:00:00.000Z"],
    ["before the year 0", "-271821-04-20T00:00:00.000Z"],
    ["as a negative number", -8_640_000_000_000_000],
    ["as a number without end", 8_640_000_000_000_000],
    ["that is none", "soon"],
  ])("%s is shown as a day that can be, and enrolls nobody twice", async (_, enrolledAt) => {
    hubspot.edit = ({ method, url }, body) =>
      method === "POST" && url.includes("/enrollments") ? { ...(body as object), enrolledAt } : body;
    const { portal, browser } = await connect();
    await copied(portal);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.finished;
    expect(portal.enrollments.total).toBe(3);
    for (const { outputs } of run.executions) {
      expect(outputs["enrollment_status"]).toBe("ENROLLED");
      const year = new Date(outputs["enrolled_at"] ?? "").getUTCFullYear();
      expect(year).toBeGreaterThanOrEqual(2000);
      expect(year).toBeLessThanOrEqual(new Date().getUTCFullYear() + 1);
    }
    const { id } = await running.db.database.prisma.execution.findFirstOrThrow({ where: of(portal) });
    const { status, body } = await browser.open(`${running.publicUrl}/settings/activity/${id}`);
    expect(status).toBe(200);
    expect(body).not.toMatch(/275760|271821|Invalid/);
  });
});
