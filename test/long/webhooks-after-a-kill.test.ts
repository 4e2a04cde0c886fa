import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import type { AppProcess } from "../../bench/chaos/app-process.js";
import { createApiClient, giveKey } from "../support/api-client.js";
import { until } from "../support/authorizing.js";
import { startProcessStage, type ProcessStage } from "../support/process-stage.js";

const CONTACTS = 60;
/** Slow enough that messages wait and some are under way when the worker is killed. */
const ANSWER_MS = 300;
const EVENTS = ["enrollment.enrolled", "enrollment.refused"];
/** As many of one endpoint are under way at a time. */
const UNDER_WAY = 4;

let stage: ProcessStage;
let receiver: Server;
let pool: pg.Pool;
/** Each message that arrived: its id, and the enrollment that it tells of. */
const arrived: { messageId: string; enrollmentId: string }[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    void request.toArray().then(async (pieces: Buffer[]) => {
      const { data } = JSON.parse(Buffer.concat(pieces).toString()) as { data: { id: string } };
      arrived.push({ messageId: String(request.headers["webhook-id"]), enrollmentId: data.id });
      await sleep(ANSWER_MS);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const environment = { PRIVATE_DESTINATIONS: host };
  stage = await startProcessStage({ contacts: CONTACTS, spareWorkers: 1, environment });
  pool = new pg.Pool({ connectionString: stage.database.url, max: 2 });
  const { portalId } = stage.cast.portal;
  const client = createApiClient(stage.publicUrl, await giveKey({ pool }, portalId));
  const made = await client.post("/api/v1/webhook-subscriptions", { url: `http://${host}/`, events: EVENTS });
  expect(made.status).toBe(201);
}, 180_000);

afterAll(async () => {
  await pool?.end();
  await stage?.close({ graceMs: 0 });
  receiver?.close();
  receiver?.closeAllConnections();
});

test("a worker that is killed amid its deliveries loses none, and none comes under another id", async () => {
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
