import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { siteReserve } from "#platform/hubspot/pace/request-budget.js";
import { createSiteGateways } from "#platform/hubspot/site-gateway.js";
import { createTransport } from "#platform/hubspot/transport.js";
import { takeSiteSlot } from "#platform/queue/site-slots.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const LIMIT = 110;
/** More than one of HubSpot's windows takes. */
const BACKLOG = 150;

describe("questions on the settings site, beside a backlog that uses the account's requests up", () => {
  let running: RunningApp;

  beforeAll(async () => {
    running = await startRunningApp({ simulator: { latencyMs: [10, 60] } });
  });

  afterAll(() => running.close());

  test("find room, and cause no 429, however often and in whatever process people ask", async () => {
    const { simulator, db } = running;
    const portal = addPlainPortal(simulator, { contacts: BACKLOG });
    await running.install(portal);
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    const accessToken = portal.accessToken();
    const forPortal = createTransport({
      apiUrl: simulator.url,
      accessTokenFor: () => Promise.resolve(accessToken),
      renewAfterRefusal: () => Promise.reject(new Error("no other token")),
    });
    const processes = [1, 2].map(() =>
      createSiteGateways({
        forPortal,
        timeoutMs: 3_000,
        takePlace: (portalId, heldMs) =>
          takeSiteSlot(db.database.pool, { portalId, heldMs, limit: LIMIT, reserve: siteReserve(LIMIT) }),
      }),
    );
    let isOver = false;
    const over = run.finished.then(() => (isOver = true));
    const [contactId = ""] = portal.contacts.keys();
    let answered = 0;
    let mostNoted = 0;
    while (!isOver) {
      const pace = await db.database.prisma.portalPace.findUnique({
        where: { portalId: BigInt(portal.portalId) },
      });
      mostNoted = Math.max(mostNoted, pace?.requestsCounted ?? 0);
      const asked = processes.map((gatewayOf) =>
        gatewayOf(BigInt(portal.portalId)).findContact(contactId, []),
      );
      const answers = await Promise.allSettled(asked);
      answered += answers.filter(({ status }) => status === "fulfilled").length;
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 500))]);
    }
    expect(answered).toBeGreaterThan(0);
    // What the overview shows as used: the whole window but the reserve, more or less, and never more than HubSpot allows.
    expect(mostNoted).toBeGreaterThan(LIMIT / 2);
    expect(mostNoted).toBeLessThanOrEqual(LIMIT);
    expect(portal.traffic.throttled).toBe(0);
    expect(simulator.peakOf(portal.portalId)).toBeLessThanOrEqual(LIMIT);
    expect(run.executions.filter(({ outputs }) => outputs["enrollment_status"] !== "ENROLLED")).toEqual([]);
  });
});
