import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { watchHalts } from "../../support/longest-halt.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const MEMBERS = 200;
const AWAY = 150;
const CONTACTS = 100;
/** A busy machine halts one of them now and then, a rotation that is too slow all. */
const ROUNDS = 3;
/** Requests, heartbeats and timers of all accounts wait as long as the event loop does not turn. */
const LONGEST_HALT_MS = 150;
const WORKING_HOURS = { windowDays: [1, 2, 3, 4, 5], windowStartMinute: 540, windowEndMinute: 1_020 };
const ON_LEAVE = { away: [{ from: "2026-11-01", to: "2027-05-01" }] };
/** Half past midnight in New York. */
const SATURDAY = Date.parse("2026-11-28T05:30:00Z");
const MONDAY_NINE = Date.parse("2026-11-30T14:00:00Z");

describe(`a rotation of ${MEMBERS}, most of them on leave for months, on a Saturday`, () => {
  const offsetMs = SATURDAY - Date.now();
  let running: RunningApp;
  let portal: SimulatedPortal;

  beforeAll(async () => {
    running = await startRunningApp({
      senderClock: () => new Date(Date.now() + offsetMs),
      environment: { HUBSPOT_RATE_LIMIT: "1000" },
      simulator: { rateLimit: { requests: 1_000, windowMs: 10_000 } },
    });
    portal = addPlainPortal(running.simulator, { contacts: ROUNDS * CONTACTS, users: MEMBERS + 5 });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0, { what: "the directory" });
    const { prisma } = running.db.database;
    const portalId = BigInt(portal.portalId);
    const userIds = portal.senders.slice(0, MEMBERS).map(({ userId }) => BigInt(userId));
    expect(userIds).toHaveLength(MEMBERS);
    await prisma.senderSettings.createMany({
      data: userIds.map((userId, index) => ({
        portalId,
        userId,
        ...WORKING_HOURS,
        timeZone: "America/New_York",
        ...(index < AWAY ? ON_LEAVE : {}),
      })),
    });
    const members = { create: userIds.map((userId) => ({ userId })) };
    const { rotationId } = await prisma.rotation.create({ data: { portalId, name: "All", members } });
    const sender = { mode: "rotation" as const, rotationId: String(rotationId) };
    const policy = { ...INITIAL_POLICY, sender };
    await prisma.preset.create({ data: { portalId, name: "All", isDefault: true, policy } });
  });

  afterAll(() => running.close());

  async function putOff(contactIds: readonly string[]): Promise<void> {
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...contactIds],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "portal_default" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.answered;
    const where = { portalId: BigInt(portal.portalId), contactId: { in: [...contactIds] } };
    const later = { ...where, state: "QUEUED", dueAt: { gt: new Date(Date.now() + 3_600_000) } };
    while ((await running.db.database.prisma.execution.count({ where: later })) < contactIds.length)
      await new Promise((resolve) => setTimeout(resolve, 25));
  }

  test(`${CONTACTS} contacts are put off to Monday, and the event loop never halts for long`, async () => {
    const contactIds = [...portal.contacts.keys()];
    const haltsMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const longestHaltMs = watchHalts();
      await putOff(contactIds.slice(round * CONTACTS, (round + 1) * CONTACTS));
      haltsMs.push(longestHaltMs());
    }
    expect(Math.min(...haltsMs)).toBeLessThan(LONGEST_HALT_MS);
    const waiting = await running.db.database.prisma.execution.findMany();
    for (const { dueAt, senderChoice } of waiting) {
      expect(Math.abs(Number(dueAt) + offsetMs - MONDAY_NINE)).toBeLessThan(30_000);
      // A contact tells of some, and of how many more there are.
      expect((senderChoice as { morePassedOver: number }).morePassedOver).toBeGreaterThan(100);
      expect(JSON.stringify(senderChoice).length).toBeLessThan(10_000);
    }
  });
});
