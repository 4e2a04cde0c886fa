import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import type { RotationTask } from "../support/rotation-process.js";

/** Four processes take a portal in turns, as its owners do; some turns break off with requests just sent. */
describe("four processes with the senders of one portal", () => {
  let db: TestDatabase;

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.database.pool.query(`CREATE TABLE sends (execution_id bigint, sender bigint)`);
  });

  afterAll(() => db.drop());

  async function open(portalId: bigint, weights: readonly number[], contacts: number): Promise<void> {
    const { prisma, pool } = db.database;
    await prisma.portal.create({ data: { portalId, status: "CONNECTED" } });
    const { rotationId } = await prisma.rotation.create({
      data: {
        portalId,
        name: "Team",
        members: { create: weights.map((weight, index) => ({ userId: BigInt(index + 1), weight })) },
      },
    });
    const fallback = { ...INITIAL_POLICY.fallback, whenNobody: "fail" as const };
    const sender = { mode: "rotation" as const, rotationId: String(rotationId) };
    await prisma.preset.create({
      data: { portalId, name: "Team", isDefault: true, policy: { ...INITIAL_POLICY, fallback, sender } },
    });
    await pool.query(
      `INSERT INTO executions (portal_id, callback_id, kind, state, deadline_at, contact_id, sequence_id, request)
       SELECT $1, 'ap-' || number, 'ENROLL', 'QUEUED', now() + interval '1 day', number::text, '7',
              '{"senderMode": "portal_default"}' FROM generate_series(1, $2::int) AS number`,
      [portalId, contacts],
    );
  }

  async function limit(portalId: bigint, caps: readonly number[]): Promise<void> {
    await db.database.prisma.senderSettings.createMany({
      data: caps.map((dailyCap, index) => ({ portalId, userId: BigInt(index + 1), dailyCap })),
    });
  }

  async function inFourProcesses(portalId: bigint, task: Pick<RotationTask, "crashShare" | "perClaim">) {
    const script = fileURLToPath(new URL("../support/rotation-process.ts", import.meta.url));
    const children = [1, 2, 3, 4].map(() => fork(script, { execArgv: ["--import", "tsx"] }));
    try {
      await Promise.all(children.map((child) => once(child, "message")));
      const ask = async (child: ChildProcess, seed: number): Promise<number> => {
        const answered = once(child, "message");
        child.send({ ...task, databaseUrl: db.url, portalId: String(portalId), seed } satisfies RotationTask);
        return Number((await answered)[0]);
      };
      return await Promise.all(children.map((child, index) => ask(child, index + 1)));
    } finally {
      for (const child of children) child.kill();
    }
  }

  async function sendsOf(portalId: bigint): Promise<Record<string, number>> {
    const { rows } = await db.database.pool.query<{ sender: string; count: number }>(
      `SELECT s.sender, count(*)::int FROM sends s JOIN executions e ON e.id = s.execution_id AND e.portal_id = $1
        GROUP BY s.sender`,
      [portalId],
    );
    return Object.fromEntries(rows.map(({ sender, count }) => [sender, count]));
  }

  test("10,000 picks of a weighted rotation are within 1% of the weights, crashes included", async () => {
    const weights = [1, 2, 3, 4];
    await open(1n, weights, 10_000);
    await limit(1n, [10_000, 10_000, 10_000, 10_000]);
    const turns = await inFourProcesses(1n, { crashShare: 0.1, perClaim: 200 });
    for (const ofOne of turns) expect(ofOne).toBeGreaterThan(1);
    const sends = await sendsOf(1n);
    expect(Object.values(sends).reduce((sum, count) => sum + count, 0)).toBe(10_000);
    weights.forEach((weight, index) => {
      const due = (weight / 10) * 10_000;
      expect(Math.abs((sends[String(index + 1)] ?? 0) - due)).toBeLessThanOrEqual(0.01 * due);
    });
  });

  test("a cap is used up and never exceeded, however many turns break off between intent and answer", async () => {
    await open(2n, [1, 1, 5], 700);
    await limit(2n, [40, 90, 200]);
    await inFourProcesses(2n, { crashShare: 0.5, perClaim: 20 });
    expect(await sendsOf(2n)).toEqual({ 1: 40, 2: 90, 3: 200 });
    const { rows } = await db.database.pool.query(
      `SELECT enrollment_status, error_code, count(*)::int FROM executions WHERE portal_id = 2 GROUP BY 1, 2 ORDER BY 3`,
    );
    expect(rows).toEqual([
      { enrollment_status: "ENROLLED", error_code: null, count: 330 },
      { enrollment_status: "FAILED", error_code: "NO_SENDER_AVAILABLE", count: 370 },
    ]);
  });
});
