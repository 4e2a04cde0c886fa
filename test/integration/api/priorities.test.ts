import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

/** Requests that the app allows itself in ten seconds: what waits does not fit into one window. */
const LIMIT = 60;
const [BATCH, WORKFLOW, CALLS] = [70, 40, 3];

let running: RunningApp;
let [busy, other]: SimulatedPortal[] = [];
let [busyClient, otherClient]: ApiClient[] = [];

beforeAll(async () => {
  running = await startRunningApp({ environment: { HUBSPOT_RATE_LIMIT: String(LIMIT) } });
  [busy, other] = [await connect(), await connect()];
  [busyClient, otherClient] = [await clientOf(busy), await clientOf(other)];
});

afterAll(() => running.close());

async function connect(): Promise<SimulatedPortal> {
  const portal = addPlainPortal(running.simulator, { contacts: BATCH + WORKFLOW + CALLS });
  await running.install(portal);
  const { prisma } = running.db.database;
  const where = { portalId: BigInt(portal.portalId) };
  const isCopied = async () =>
    (await prisma.sequence.count({ where })) > 0 && (await prisma.owner.count({ where })) > 0;
  while (!(await isCopied())) await new Promise((resolve) => setTimeout(resolve, 50));
  return portal;
}

const clientOf = async ({ portalId }: SimulatedPortal): Promise<ApiClient> =>
  createApiClient(running.publicUrl, await giveKey(running.db.database, portalId));

const rowOf = (portal: SimulatedPortal | undefined, contactId: string | undefined) => ({
  contact: { id: contactId },
  sequence: { id: [...(portal?.sequences.keys() ?? [])][0] },
  sender: { mode: "specific_user", userId: String(portal?.senders[0]?.userId) },
});

async function pause(portalId: number | undefined, pausedAt: Date | null): Promise<void> {
  const { prisma } = running.db.database;
  const id = { portalId: BigInt(portalId ?? 0) };
  await prisma.portalSettings.upsert({ where: id, create: { ...id, pausedAt }, update: { pausedAt } });
}

test("while all wait, workflows have at least half, single calls pass a batch, and another account waits for none of it", async () => {
  const contacts = [...(busy?.contacts.keys() ?? [])];
  await pause(busy?.portalId, new Date());
  const inputs = contacts.slice(0, BATCH).map((id) => rowOf(busy, id));
  const batch = await busyClient?.post("/api/v1/enrollments/batch", { inputs });
  expect(batch?.text.match(/ACCEPTED/g)).toHaveLength(BATCH);
  for (const id of contacts.slice(BATCH, BATCH + CALLS))
    expect((await busyClient?.post("/api/v1/enrollments", rowOf(busy, id)))?.status).toBe(202);
  const run = busy?.runAction({
    actionUrl: running.publicUrl + ENROLL_ROUTE,
    contactIds: contacts.slice(BATCH + CALLS, BATCH + CALLS + WORKFLOW),
    inputs: { sequence_id: rowOf(busy, "").sequence.id ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await running.simulator.waitFor(() => run?.counts().blocked === WORKFLOW, { what: "the workflow's calls" });
  await pause(busy?.portalId, null);

  const quick = await otherClient?.post(
    "/api/v1/enrollments?wait=20",
    rowOf(other, [...(other?.contacts.keys() ?? [])][0]),
  );
  expect([quick?.status, quick?.body.status]).toEqual([200, "ENROLLED"]);

  const begun = await begunWhen(LIMIT - 15);
  expect(
    begun.filter(({ isDecided }) => !isDecided).length + (BATCH + WORKFLOW + CALLS - begun.length),
  ).toBeGreaterThan(0);
  // Turns of one claim begin at the same moment: only whole ones are compared.
  const lanes = begun.map(({ lane }) => lane);
  const half = (many: number) => lanes.slice(0, many).filter((lane) => lane === 0).length;
  for (let many = 10; many <= Math.min(lanes.length, 2 * WORKFLOW - 20); many += 10)
    expect([many, half(many) >= many / 2 - 5]).toEqual([many, true]);
  const lastCall = lanes.lastIndexOf(1);
  expect(lanes.filter((lane) => lane === 1)).toHaveLength(CALLS);
  expect(lastCall).toBeLessThan(4 * CALLS + 5);
});

/** The account's executions that were begun, in their order, once there are this many. */
async function begunWhen(many: number): Promise<{ lane: number; isDecided: boolean }[]> {
  for (;;) {
    const { rows } = await running.db.database.pool.query<{ lane: number; isDecided: boolean }>(
      `SELECT lane, decided_at IS NOT NULL AS "isDecided" FROM executions WHERE portal_id = $1 AND first_attempt_at IS NOT NULL
        ORDER BY first_attempt_at, lane = 2, lane, id`,
      [busy?.portalId],
    );
    if (rows.length >= many) return rows;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
