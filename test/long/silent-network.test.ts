import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { openDrainQueue, type DrainQueue } from "#platform/queue/drain-queue.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";

const PORTAL = 101n;
/** A statement under way is given up after 10 s; there may be a silent connection for the wake and one for the fetch. */
const RECOVERY_MS = 30_000;

let db: TestDatabase;
let relay: Server;
let queue: DrainQueue;
const sockets = new Set<Socket>();

beforeEach(async () => {
  db = await createTestDatabase();
  const { hostname, port } = new URL(db.url);
  relay = createServer((near) => {
    const far = connect({ host: hostname, port: Number(port) });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const relayed = new URL(db.url);
  relayed.hostname = "127.0.0.1";
  relayed.port = String((relay.address() as AddressInfo).port);
  queue = await openDrainQueue({
    databaseUrl: relayed.href,
    logger: createLogger({ level: "silent" }),
    applicationName: "silent network test",
  });
});

afterEach(async () => {
  await queue.stop({ graceMs: 0 }).catch(() => undefined);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => relay.close(resolve));
  await db.drop();
});

/** As when a machine on the way is switched off: what is open stays open and never hears anything again. */
function silence(): void {
  for (const socket of sockets) socket.unpipe().removeAllListeners("data").pause();
}

test("a queue whose connections fall silent for good gives them up and goes on with new ones", async () => {
  let onTurn = (): void => undefined;
  const nextTurn = (): Promise<void> => new Promise((resolve) => (onTurn = resolve));
  queue.work(
    () => {
      onTurn();
      return Promise.resolve("idle");
    },
    { capacity: 10, hasWork: () => Promise.resolve(false) },
  );
  const first = nextTurn();
  await queue.wake([PORTAL]);
  await first;

  silence();
  const silentAt = performance.now();
  const again = nextTurn();
  await wakeUntilHeard(silentAt + RECOVERY_MS);
  await again;
  expect(performance.now() - silentAt).toBeLessThan(RECOVERY_MS);
});

/** As the sweep does: a wake that failed is repeated. */
async function wakeUntilHeard(deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      return await queue.wake([PORTAL]);
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
