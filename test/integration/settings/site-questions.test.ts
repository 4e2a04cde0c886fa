import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { importReserve } from "#platform/hubspot/pace/request-budget.js";
import { createSiteGateways } from "#platform/hubspot/site-gateway.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { acquirePortal, releasePortal } from "#platform/queue/portal-lease.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startSimulatorForTest } from "../../support/simulated-app.js";
import { until } from "../../support/authorizing.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

describe("a place in the window for the settings site", () => {
  let db: TestDatabase;
  let portalId = 9_000n;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  const take = (bounds: { reserve?: number; share?: number } = {}) =>
    takeSiteSlot(db.database.pool, { portalId, heldMs: 60_000, limit: 10, reserve: 2, ...bounds });

  /** How many of the presses at once get one. */
  async function press(times: number, bounds: { reserve?: number; share?: number } = {}): Promise<number> {
    const asked = Array.from({ length: times }, () => take(bounds));
    return (await Promise.all(asked)).filter((one) => one !== undefined).length;
  }

  test("is one of the reserve while an owner drains the portal, also after that owner died", async () => {
    portalId += 1n;
    await acquirePortal(db.database.pool, portalId);
    expect(await press(5)).toBe(2);
    const successor = await acquirePortal(db.database.pool, portalId);
    expect(successor.inheritedMs).toBeUndefined();
    expect(await press(5)).toBe(0);
  });

  test("is one of the whole window at rest, and then the next owner's to account for", async () => {
    portalId += 1n;
    const { pool } = db.database;
    const first = await acquirePortal(pool, portalId);
    expect(await press(1)).toBe(1);
    await releasePortal(pool, first, {
      slotsFreeInMs: Array(6).fill(60_000) as number[],
      allowance: undefined,
    });
    expect(await press(5)).toBe(3);
    const second = await acquirePortal(pool, portalId);
    expect(second.inheritedMs).toHaveLength(10);
    expect(await press(5)).toBe(2);
  });

  test("is none if HubSpot allows the account no more", async () => {
    portalId += 1n;
    const { pool } = db.database;
    const lease = await acquirePortal(pool, portalId);
    await releasePortal(pool, lease, { slotsFreeInMs: Array(4).fill(60_000) as number[], allowance: 5 });
    expect(await press(5)).toBe(1);
  });

  test("is free soon after its answer, while those without one are held", async () => {
    portalId += 1n;
    const { pool } = db.database;
    await acquirePortal(pool, portalId);
    const [answered] = [await take(), await take()];
    expect(await press(5)).toBe(0);
    await answered?.shorten(0);
    expect(await press(5)).toBe(1);
  });

  test("whose answer comes after an owner took it over stays that owner's", async () => {
    portalId += 1n;
    const { pool } = db.database;
    const before = await take();
    const owner = await acquirePortal(pool, portalId);
    expect(owner.inheritedMs).toHaveLength(1);
    expect(await press(5)).toBe(2);
    await before?.shorten(0);
    expect(await press(5)).toBe(0);
  });

  test("is for imports one of half the window at rest, and leaves people one beside an owner", async () => {
    portalId += 1n;
    const { pool } = db.database;
    const imports = { share: 0.5, reserve: 1 };
    expect(await press(8, imports)).toBe(5);
    expect(await press(8)).toBe(5);
    portalId += 1n;
    await acquirePortal(pool, portalId);
    expect(await press(5, imports)).toBe(1);
    expect(await press(5)).toBe(1);
    expect([0, 1].map((earlier) => importReserve(110, earlier))).toEqual([1, 2]);
    expect([49, 50, 99, 100].map((limit) => importReserve(limit, 0))).toEqual([0, 1, 1, 1]);
  });
});

describe("a question of the settings site", () => {
  let simulator: Simulator;
  let db: TestDatabase;

  beforeAll(async () => {
    simulator = await startSimulatorForTest();
    db = await createTestDatabase();
  });

  afterAll(() => Promise.all([simulator.close(), db.drop()]));

  function ask() {
    const portal = simulator.addPortal({ contacts: 1 });
    const portalId = BigInt(portal.portalId);
    const accessToken = portal.accessToken();
    const forPortal = createTransport({
      apiUrl: simulator.url,
      accessTokenFor: () => Promise.resolve(accessToken),
      renewAfterRefusal: () => Promise.reject(new Error("no other token")),
    });
    const gatewayOf = createSiteGateways({
      forPortal,
      timeoutMs: 50_000,
      takePlace: (id, heldMs) =>
        takeSiteSlot(db.database.pool, { portalId: id, heldMs, limit: 110, reserve: 2 }),
    });
    const heldMs = async (): Promise<number> => {
      const { rows } = await db.database.pool.query<{ ms: number }>(
        `SELECT extract(epoch FROM request_slots_free_at[1] - clock_timestamp())::float8 * 1000 AS ms
           FROM portal_drains WHERE portal_id = $1`,
        [portalId],
      );
      return rows[0]?.ms ?? 0;
    };
    const [contactId = ""] = portal.contacts.keys();
    return { portal, heldMs, question: () => gatewayOf(portalId).findContact(contactId, []) };
  }

  test("holds its place for HubSpot's window from its answer on", async () => {
    const { question, heldMs } = ask();
    await question();
    await until(async () => (await heldMs()) < 11_000, "the place is still held");
    expect(await heldMs()).toBeGreaterThan(5_000);
  });

  test.each(["resetAfter", "errorAfter"] as const)(
    "without an answer of HubSpot's own (%s) holds it to its end",
    async (fault) => {
      const { portal, question, heldMs } = ask();
      simulator.failNext({ endpoint: "contacts", fault, portalId: portal.portalId });
      await expect(question()).rejects.toThrow();
      expect(await heldMs()).toBeGreaterThan(40_000);
    },
  );

  test("that the database kept from being asked uses nothing up", async () => {
    const gatewayOf = createSiteGateways({
      forPortal:
        ({ takeSlot }) =>
        () =>
          takeSlot(),
      timeoutMs: 5_000,
      takePlace: () => Promise.reject(new Error("the database is away")),
    });
    for (let time = 0; time < 30; time += 1)
      await expect(gatewayOf(1n).readAccount()).rejects.toThrow("the database is away");
  });
});

describe("a contact of which a page of HTML says 404", () => {
  let simulator: Simulator;

  beforeAll(async () => {
    simulator = await startSimulatorForTest();
  });

  afterAll(() => simulator.close());

  function ask() {
    const portal = simulator.addPortal({ contacts: 1 });
    const { portalId } = portal;
    const accessToken = portal.accessToken();
    const gateway = createSiteGateways({
      forPortal: createTransport({
        apiUrl: simulator.url,
        accessTokenFor: () => Promise.resolve(accessToken),
        renewAfterRefusal: () => Promise.reject(new Error("no other token")),
      }),
      timeoutMs: 5_000,
      takePlace: () => Promise.resolve({ shorten: () => Promise.resolve() }),
    })(BigInt(portalId));
    const pages = (endpoint: "contacts" | "account", times: number): void =>
      simulator.failNext({ endpoint, fault: "edgePage", status: 404, portalId, times });
    return { portal, gateway, pages };
  }

  test("is found by the next try if the page was a stranger's", async () => {
    const { portal, gateway, pages } = ask();
    pages("contacts", 1);
    const [id = ""] = portal.contacts.keys();
    expect(await gateway.findContact(id, ["email"])).toMatchObject({ id });
  });

  test("is not there if a few tries end alike while HubSpot answers", async () => {
    const { gateway, pages } = ask();
    pages("contacts", 3);
    expect(await gateway.findContact("nobody@acme.example", ["email"])).toBeUndefined();
  });

  test("is not known if all of HubSpot's answers are pages", async () => {
    const { gateway, pages } = ask();
    pages("contacts", 3);
    pages("account", 1);
    await expect(gateway.findContact("nobody@acme.example", ["email"])).rejects.toThrow("answered 404");
  });
});
