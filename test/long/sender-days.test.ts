import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DateTime } from "luxon";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { UNKIND_WORLD } from "../../src/simulator/world/presets.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const CONTACTS = 2_000;
const DAY_MS = 86_400_000;
/** A Wednesday, 7:00 in Berlin, before all windows are open. */
const BEGIN = Date.parse("2027-03-10T06:00:00Z");
const SENDERS = [
  { dailyCap: 400, windowStartMinute: 480, windowEndMinute: 1_080, timeZone: "Europe/Berlin" },
  { dailyCap: 500, windowStartMinute: 540, windowEndMinute: 1_020, timeZone: "America/New_York" },
  { dailyCap: 350, windowStartMinute: 1_320, windowEndMinute: 360, timeZone: "Asia/Kolkata" },
] as const;

describe("days of three senders with caps and windows, in simulated time", () => {
  let running: RunningApp;
  let portal: SimulatedPortal;
  /** Simulated less real time. */
  let offsetMs = BEGIN - Date.now();
  const sent: { userId: number; atMs: number }[] = [];

  beforeAll(async () => {
    running = await startRunningApp({
      senderClock: () => new Date(Date.now() + offsetMs),
      environment: { HUBSPOT_RATE_LIMIT: "1000" },
      simulator: { ...UNKIND_WORLD, rateLimit: { requests: 1_000, windowMs: 10_000 } },
    });
    portal = addPlainPortal(running.simulator, { contacts: CONTACTS });
    await running.install(portal);
    await running.simulator.waitFor(() => portal.traffic.requestsOf("owners") > 0);
    running.simulator.signals.on("enrolled", ({ contactId }) => {
      const userId = portal.enrollments.latestOf(contactId)?.userId ?? 0;
      sent.push({ userId, atMs: Date.now() + offsetMs });
    });
    const { prisma } = running.db.database;
    const portalId = BigInt(portal.portalId);
    const userIds = portal.senders.slice(0, 3).map(({ userId }) => BigInt(userId));
    await prisma.senderSettings.createMany({
      data: SENDERS.map((sender, index) => ({ portalId, userId: userIds[index] ?? 0n, ...sender })),
    });
    const members = { create: userIds.map((userId) => ({ userId })) };
    const { rotationId } = await prisma.rotation.create({ data: { portalId, name: "Team", members } });
    const sender = { mode: "rotation" as const, rotationId: String(rotationId) };
    const policy = { ...INITIAL_POLICY, sender };
    await prisma.preset.create({ data: { portalId, name: "Team", isDefault: true, policy } });
  });

  afterAll(() => running.close());

  async function look(): Promise<{ busy: number; open: number; next_in_ms: number | null }> {
    const { rows } = await running.db.database.pool.query(
      `SELECT count(*) FILTER (WHERE state <> 'QUEUED' OR due_at <= now())::int AS busy, count(*)::int AS open,
              min(extract(epoch FROM due_at - now()) * 1000)::float8 AS next_in_ms
         FROM executions WHERE portal_id = $1 AND state IN ('QUEUED', 'ATTEMPTING', 'UNCERTAIN')`,
      [portal.portalId],
    );
    return rows[0] as { busy: number; open: number; next_in_ms: number | null };
  }

  /** Until nothing is left but to wait. */
  async function quiet(): Promise<{ open: number; nextInMs: number }> {
    for (;;) {
      const { busy, open, next_in_ms } = await look();
      if (busy === 0) return { open, nextInMs: next_in_ms ?? 0 };
      await sleep(100);
    }
  }

  /** Lets time pass while nothing is under way: the clock goes on, and what is stored lies that much further back. */
  async function pass(ms: number): Promise<void> {
    // Completions are written meanwhile, in an order of their own: a deadlock with them is tried again.
    for (let isDone = false; !isDone;) isDone = await shift(ms);
    offsetMs += ms;
  }

  function shift(ms: number): Promise<boolean> {
    const work = running.db.database.pool.query(
      `UPDATE executions SET due_at = due_at - $2 * interval '1 millisecond',
              deadline_at = deadline_at - $2 * interval '1 millisecond',
              enrolled_at = enrolled_at - $2 * interval '1 millisecond' WHERE portal_id = $1`,
      [portal.portalId, ms],
    );
    return work.then(
      () => true,
      (fault: { code?: string }) => {
        if (fault.code !== "40P01") throw fault;
        return false;
      },
    );
  }

  test("everybody is served, nobody over the cap in any 24 hours, and nothing outside a window", async () => {
    const run = portal.runAction({
      actionUrl: running.publicUrl + ENROLL_ROUTE,
      contactIds: [...portal.contacts.keys()],
      inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "portal_default" },
      objectProperties: [...REQUESTED_PROPERTIES],
    });
    await run.answered;
    for (;;) {
      const { open, nextInMs } = await quiet();
      if (open === 0) break;
      // What is due within a quarter of an hour is done together.
      await pass(nextInMs + 15 * 60_000);
    }
    await run.finished;
    expect(new Set(run.executions.map(({ outputs }) => outputs["enrollment_status"]))).toEqual(
      new Set(["ENROLLED"]),
    );
    expect(sent).toHaveLength(CONTACTS);
    portal.senders.slice(0, 3).forEach(({ userId }, index) => {
      const { dailyCap, windowStartMinute, windowEndMinute, timeZone } = SENDERS[
        index
      ] as (typeof SENDERS)[number];
      const instants = sent.filter((one) => one.userId === userId).map(({ atMs }) => atMs);
      const most = instants.map((from) => instants.filter((at) => at >= from && at < from + DAY_MS).length);
      expect(Math.max(...most)).toBe(dailyCap);
      const outside = instants.filter((at) => {
        const local = DateTime.fromMillis(at, { zone: timeZone });
        const minute = local.hour * 60 + local.minute;
        return windowStartMinute < windowEndMinute
          ? minute < windowStartMinute || minute >= windowEndMinute
          : minute < windowStartMinute && minute >= windowEndMinute;
      });
      expect(outside).toEqual([]);
    });
    // 2,000 at 1,250 a day: the second day's windows are enough.
    expect(Math.max(...sent.map(({ atMs }) => atMs)) - BEGIN).toBeLessThan(2.5 * DAY_MS);
  });
});
