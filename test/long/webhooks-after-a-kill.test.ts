import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { TEST_EVENT } from "#domain/subscriptions/events.js";
import type { AppProcess } from "../../bench/chaos/app-process.js";
import { createApiClient, giveKey, type ApiClient } from "../support/api-client.js";
import { until } from "../support/authorizing.js";
import { startProcessStage, type ProcessStage } from "../support/process-stage.js";

const CONTACTS = 60;
/** Slow enough that messages wait and some are under way when the worker is killed. */
const ANSWER_MS = 300;
const ORDERED_ANSWER_MS = 100;
const EVENTS = ["enrollment.enrolled", "enrollment.refused"];
/** As many of one endpoint are under way at a time. */
const UNDER_WAY = 4;

interface Message {
  readonly type: string;
  readonly data: { readonly id: string };
}

let stage: ProcessStage;
let receiver: Server;
let pool: pg.Pool;
/** Each message that arrived: its id, and the enrollment that it tells of. */
const arrived: { messageId: string; enrollmentId: string }[] = [];

/** Messages that have to come one after the other, since they are of the same thing. */
const ORDERED = 30;
/** The first try of this one is refused. */
const REFUSED = 4;
/** What became of the tries of messages with an order, as they came. */
const tries: { messageId: string; before: readonly string[] }[] = [];
/** Messages with an order that were taken. */
const taken = new Set<string>();
let client: ApiClient;
let webhookId: string;

/** @returns the status to answer with. */
async function takeOrdered(messageId: string): Promise<number> {
  tries.push({ messageId, before: [...taken] });
  await sleep(ORDERED_ANSWER_MS);
  const isRefused = taken.size === REFUSED && tries.filter((one) => one.messageId === messageId).length === 1;
  if (isRefused) return 500;
  taken.add(messageId);
  return 204;
}

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void request.toArray().then(async (pieces: Buffer[]) => {
      const { type, data } = JSON.parse(Buffer.concat(pieces).toString()) as Message;
      const messageId = String(request.headers["webhook-id"]);
      if (type === TEST_EVENT) return response.writeHead(await takeOrdered(messageId)).end();
      arrived.push({ messageId, enrollmentId: data.id });
      await sleep(ANSWER_MS);
      return response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const environment = { PRIVATE_DESTINATIONS: host };
  stage = await startProcessStage({ contacts: CONTACTS, spareWorkers: 1, environment });
  pool = new pg.Pool({ connectionString: stage.database.url, max: 2 });
  const { portalId } = stage.cast.portal;
  client = createApiClient(stage.publicUrl, await giveKey({ pool }, portalId));
  const made = await client.post("/api/v1/webhook-subscriptions", { url: `http://${host}/`, events: EVENTS });
  expect(made.status).toBe(201);
  webhookId = made.body.id as string;
}, 180_000);

afterAll(async () => {
  await pool?.end();
  await stage?.close({ graceMs: 0 });
  receiver?.close();
  receiver?.closeAllConnections();
});

test("a worker that is killed during its deliveries loses none, and none comes under another id", async () => {
  const { finished } = stage.run();
  await until(() => Promise.resolve(arrived.length >= 10), "no message arrived");
  const [worker] = stage.workers as [AppProcess];
  worker.signal("SIGKILL");
  await worker.ended();
  const before = arrived.length;
  expect(before).toBeLessThan(CONTACTS);
  await stage.spareWorkers[0]?.start();
  await finished;
  const enrollments = async () =>
    (await pool.query<{ id: string }>("SELECT id FROM executions ORDER BY id")).rows.map(({ id }) => id);
  const told = () => new Set(arrived.map(({ enrollmentId }) => enrollmentId));
  // What the dead one had under way is taken over a minute later.
  await until(async () => told().size === (await enrollments()).length, "messages are missing", 200_000);
  expect([...told()].sort()).toEqual((await enrollments()).sort());
  expect(new Set(arrived.map(({ messageId }) => messageId)).size).toBe(CONTACTS);
  expect(arrived.length - CONTACTS).toBeLessThanOrEqual(UNDER_WAY);
}, 300_000);

test("messages of one thing come one after the other, whoever is killed in the middle, and none before an earlier one was taken", async () => {
  const [worker] = stage.spareWorkers as [AppProcess];
  for (let count = 0; count < ORDERED; count += 1)
    expect((await client.post(`/api/v1/webhook-subscriptions/${webhookId}/test`)).status).toBe(202);
  // The refused one is tried again after five seconds: the others wait for it.
  await until(() => Promise.resolve(taken.size >= ORDERED / 2), "few messages were taken");
  worker.signal("SIGKILL");
  await worker.ended();
  expect(taken.size).toBeLessThan(ORDERED);
  await stage.workers[0]?.start();
  await until(() => Promise.resolve(taken.size === ORDERED), "messages are missing", 200_000);
  const { rows } = await pool.query<{ id: string }>(
    "SELECT 'msg_' || portal_id || '_' || id AS id FROM webhook_deliveries WHERE type = $1 ORDER BY id",
    [TEST_EVENT],
  );
  const inOrder = rows.map(({ id }) => id);
  expect([...taken]).toEqual(inOrder);
  for (const { messageId, before } of tries)
    expect(before).toEqual(expect.arrayContaining(inOrder.slice(0, inOrder.indexOf(messageId))));
  const places = tries.map(({ messageId }) => inOrder.indexOf(messageId));
  expect(places).toEqual([...places].sort((one, other) => one - other));
  expect(places.filter((place) => place === REFUSED).length).toBeGreaterThan(1);
}, 300_000);
