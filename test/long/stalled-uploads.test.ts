import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { giveKey } from "../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

let app: RunningApp;
let key: string;

beforeAll(async () => {
  app = await startRunningApp();
  const portal = addPlainPortal(app.simulator);
  await app.install(portal);
  key = await giveKey(app.db.database, portal.portalId);
});
afterAll(() => app.close());

/** @returns how long the connection lasted after the last byte. */
async function begin(type: string, beginning: string): Promise<number> {
  const socket = connect({ host: "127.0.0.1", port: app.config.port }).on("error", () => undefined);
  await once(socket, "connect");
  const head = ["POST /api/v1/imports HTTP/1.1", "Host: x", `Authorization: Bearer ${key}`];
  socket.write([...head, `Content-Type: ${type}`, "Content-Length: 1000000", "", beginning].join("\r\n"));
  const startedAt = performance.now();
  await once(socket.resume(), "close");
  return performance.now() - startedAt;
}

test("an upload that goes on no more is ended after half a minute, and leaves nothing", async () => {
  const field = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n';
  const rows = "Email\nada@lead.example\n";
  const uploads = [begin("text/csv", rows), begin("multipart/form-data; boundary=b", field + rows)];
  const tooLate = new Promise<number[]>((resolve) => setTimeout(resolve, 40_000, []).unref());
  const lastedMs = await Promise.race([Promise.all(uploads), tooLate]);
  expect(lastedMs).toEqual([expect.closeTo(30_000, -4), expect.closeTo(30_000, -4)]);
  expect(await app.db.database.prisma.import.count()).toBe(0);
});
