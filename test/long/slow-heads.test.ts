import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRunningApp, type RunningApp } from "../support/start-app.js";

const QUESTION = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

let app: RunningApp;

beforeAll(async () => {
  app = await startRunningApp({ environment: { ROLE: "web" } });
});
afterAll(() => app.close());

async function open(text: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: app.config.port }).on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  const [bytes] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [unknown];
  return String(bytes);
}

test("the app closes who has not sent a whole head within some seconds, and keeps a silent proxy's connection", async () => {
  const slow = await Promise.all(["", "GET / HT", "GET / HTTP/1.1\r\nA: "].map(open));
  const proxied = await open(QUESTION);
  expect(await answerOf(proxied)).toContain("200 OK");
  const startedAt = Date.now();
  await Promise.all(slow.map((socket) => once(socket.resume(), "close")));
  expect(Date.now() - startedAt).toBeLessThan(9_000);
  proxied.write(QUESTION);
  expect(await answerOf(proxied)).toContain("200 OK");
  proxied.destroy();
});
