import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createSiteGateways } from "#platform/hubspot/site-gateway.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { acquirePortal, releasePortal } from "#platform/queue/portal-lease.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import type { Simulator } from "../../../src/simulator/simulator.js";
import { startSimulatorForTest } from "../../support/simulated-app.js";
import { createTestDatabase, type TestDatabase } from "../../support/database.js";

describe("a place in the window for the settings site", () => {
  let db: TestDatabase;
  let portalId = 9_000n;

  beforeAll(async () => {
    db = await createTestDatabase();
  });

  afterAll(() => db.drop());

  /** How many of the presses at once get one. */
  async function press(times: number): Promise<number> {
    const asked = Array.from({ length: times }, () =>
      takeSiteSlot(db.database.pool, { portalId, heldMs: 60_000, limit: 10, reserve: 2 }),
    );
    return (await Promise.all(asked)).filter(Boolean).length;
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
      takePlace: () => Promise.resolve(true),
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
