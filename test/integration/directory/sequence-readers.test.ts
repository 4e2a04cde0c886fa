import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "../../../src/bin/oauth-browser.js";
import { SEQUENCE_OPTIONS_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { findPortalPolicy, savePortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import type { PortalSeed } from "../../../src/simulator/seeding.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import { adminOf } from "../../support/actors.js";

let running: RunningApp;

beforeAll(async () => {
  running = await startRunningApp({ simulator: { recordRequests: true } });
});

afterAll(() => running.close());

const portals = () => running.db.database.prisma.portal;
const of = ({ portalId }: SimulatedPortal) => ({ portalId: BigInt(portalId) });

async function synced(portal: SimulatedPortal, after = new Date(0)): Promise<Date> {
  const endsAt = Date.now() + 60_000;
  for (;;) {
    const { directorySyncedAt: at } = await portals().findUniqueOrThrow({ where: of(portal) });
    if (at !== null && at > after) return at;
    if (Date.now() > endsAt) throw new Error("the directory was not copied");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** An account whose installer has no seat, with two reps who have one. */
async function connect(seed: PortalSeed = {}): Promise<{ portal: SimulatedPortal; browser: Browser }> {
  const portal = addPlainPortal(running.simulator, {
    users: [
      { superAdmin: true, seatNames: [], hasSequencesPermission: false, firstName: "Ann", lastName: "Admin" },
      { seatNames: ["Sales Hub Professional"], firstName: "Rep", lastName: "One" },
      { seatNames: ["service-pro"], firstName: "Rep", lastName: "Two" },
    ],
    sequences: 0,
    contacts: 0,
    ...seed,
  });
  return { portal, browser: await running.install(portal) };
}

const usersOf = (portal: SimulatedPortal): number[] => [...portal.users.keys()];

async function offered(portal: SimulatedPortal): Promise<string[]> {
  const { options } = await portal.fetchOptions({
    optionsUrl: running.publicUrl + SEQUENCE_OPTIONS_ROUTE,
    inputFieldName: "sequence_id",
  });
  return options.map(({ label }) => label);
}

async function copyAgain(portal: SimulatedPortal): Promise<void> {
  const at = await synced(portal);
  await running.db.database.pool.query(
    `UPDATE portals SET directory_requested_at = directory_synced_at + interval '1 millisecond' WHERE portal_id = $1`,
    [portal.portalId],
  );
  await synced(portal, at);
}

describe("sequences of an account whose installer may not see them", () => {
  test("are read as others, joined, and the overview says who was asked", async () => {
    const { portal, browser } = await connect();
    const [, one = 0, two = 0] = usersOf(portal);
    portal.addSequence({ name: "For one", userId: one, visibleTo: [one] });
    portal.addSequence({ name: "For two", userId: two, visibleTo: [two] });
    await synced(portal);
    await copyAgain(portal);
    expect(await offered(portal)).toEqual(["For one", "For two"]);
    const { directoryError } = await portals().findUniqueOrThrow({ where: of(portal) });
    expect(directoryError).toBeNull();
    const { body } = await browser.open(`${running.publicUrl}/settings`);
    expect(body).toMatch(/Ann Admin.{0,20}HubSpot rejected it/);
    expect(body).toMatch(/Rep One.{0,20}1 sequence/);
    expect(body).toMatch(/Rep Two.{0,20}1 sequence/);
  });

  test("are waited for by the first dropdown, within its time", async () => {
    running.simulator.setLatency(60);
    const { portal } = await connect({ sequences: 3 });
    const startedAt = Date.now();
    const asked = await Promise.all([offered(portal), offered(portal), offered(portal)]);
    running.simulator.setLatency(0);
    expect(asked.map((labels) => labels.length)).toEqual([3, 3, 3]);
    expect(Date.now() - startedAt).toBeLessThan(3_000);
  });

  test("stay as they are while a reader is cut short, and go once all were read again", async () => {
    const { portal } = await connect();
    const [, one = 0] = usersOf(portal);
    const sequence = portal.addSequence({ name: "Kept", userId: one, visibleTo: [one] });
    portal.addSequence({ name: "For all", visibleTo: "all" });
    await synced(portal);
    await copyAgain(portal);
    expect(await offered(portal)).toEqual(["For all", "Kept"]);
    sequence.deleted = true;
    running.simulator.failNext({
      endpoint: "sequences",
      fault: "errorBefore",
      portalId: portal.portalId,
      times: 1,
    });
    await copyAgain(portal);
    expect(await offered(portal)).toEqual(["For all", "Kept"]);
    await copyAgain(portal);
    expect(await offered(portal)).toEqual(["For all"]);
  });

  test("are reported as a problem if everyone is refused, and stay", async () => {
    const { portal, browser } = await connect({ sequences: 2 });
    await synced(portal);
    expect(await offered(portal)).toHaveLength(2);
    for (const user of portal.users.values()) user.hasSequencesPermission = false;
    await copyAgain(portal);
    expect(await offered(portal)).toHaveLength(2);
    const { body } = await browser.open(`${running.publicUrl}/settings`);
    expect(body).toMatch(/Sequences: User \d+ does not have permission/);
  });
});

describe("the users as whom sequences are read", () => {
  test("is chosen by an admin, noted, and falls back once that person is gone", async () => {
    const { portal } = await connect({ sequences: 2 });
    await synced(portal);
    const [admin = 0, , two = 0] = usersOf(portal);
    const { database } = running.db;
    const { portalId } = of(portal);
    const { version } = await findPortalPolicy(database, portalId);
    const policy = { sequenceReaderUserId: BigInt(two) };
    const actor = adminOf(portalId, { userId: BigInt(admin) });
    expect(await savePortalPolicy(database, actor, { policy, shown: { version } })).toBe("saved");
    await copyAgain(portal);
    const readers = async () =>
      (
        (await portals().findUniqueOrThrow({ where: of(portal) })).directoryReport as {
          readers: { userId: string }[];
        }
      ).readers;
    expect((await readers())[0]?.userId).toBe(String(two));
    const entry = await database.prisma.auditEntry.findFirstOrThrow({
      where: { portalId, subjectName: "Policy" },
    });
    expect(entry.after).toMatchObject({ sequenceReaderUserId: String(two) });
    portal.deactivateUser(two);
    await copyAgain(portal);
    await copyAgain(portal);
    expect((await readers()).map(({ userId }) => userId)).not.toContain(String(two));
    expect(await offered(portal)).toHaveLength(2);
  });

  test("is bounded to five people, however many have a seat", async () => {
    const users = Array.from({ length: 12 }, (_, index) => ({
      superAdmin: index === 0,
      seatNames: ["Sales"],
    }));
    const { portal } = await connect({ users, sequences: 2 });
    const at = await synced(portal);
    expect(at).toBeInstanceOf(Date);
    const asked = running.simulator.requests.filter(
      ({ path, method, portalId }) =>
        method === "GET" && path.endsWith("/sequences/2026-09") && portalId === portal.portalId,
    );
    expect(asked.length).toBeLessThanOrEqual(5);
  });
});
