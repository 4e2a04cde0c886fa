import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { guardConnections } from "../../src/http/guard-connections.js";
import { startRunningApp } from "../support/start-app.js";

const LIMITS = { total: 40, perPeer: 30, readingMs: 500, downloadMs: 1_500 };

let server: Server;
let port: number;
let sockets: Socket[];
let release: (() => void)[];

beforeEach(async () => {
  [sockets, release] = [[], []];
  server = createServer((request, response) => {
    if (request.url === "/wait") return void release.push(() => response.end("done"));
    if (request.url === "/large") return void response.end(Buffer.alloc(20_000_000));
    if (request.url === "/export") {
      const timer = setInterval(() => response.write(Buffer.alloc(1_000_000)), 20);
      return void response.once("close", () => {
        clearInterval(timer);
      });
    }
    request.resume().once("end", () => response.end("ok"));
  });
  guardConnections(server, LIMITS);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** A connection from an address of this machine's own. */
async function open(text: string, from = "127.0.0.1", to = port): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: to, localAddress: from });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  socket.write(text);
  return socket;
}

async function answerOf(socket: Socket): Promise<string> {
  const [bytes] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [unknown];
  return String(bytes);
}

async function call(from?: string): Promise<string> {
  const socket = await open("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", from);
  return (await answerOf(socket)).slice(0, 15);
}

const connectionsLeft = (): Promise<number> =>
  new Promise((resolve) => server.getConnections((_fault, left) => resolve(left)));

describe.each([
  ["nothing sent", ""],
  ["half a head", "POST / HTTP/1.1\r\nHost: x\r\nX-Half: "],
  ["half a body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"],
  ["an answer that is not read", "GET /large HTTP/1.1\r\nHost: x\r\n\r\n"],
])("connections with %s", (_what, text) => {
  test("never keep out a call that comes whole, of the same peer or of another", async () => {
    for (let round = 0; round < 5; round += 1) {
      for (let opened = 0; opened < 40; opened += 1) (await open(text, "127.0.0.2")).pause();
      expect(await call("127.0.0.1")).toBe("HTTP/1.1 200 OK");
      expect(await call("127.0.0.2")).toBe("HTTP/1.1 200 OK");
    }
    expect(await connectionsLeft()).toBeLessThanOrEqual(LIMITS.total);
  });
});

test("calls under way are not cut off for newcomers; when all are at work, the newcomer of that peer is", async () => {
  const waiting: Socket[] = [];
  for (let at = 0; at < LIMITS.perPeer; at += 1)
    waiting.push(await open("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (release.length < LIMITS.perPeer) await new Promise((resolve) => setImmediate(resolve));
  await once(await open(""), "close");
  expect(await call("127.0.0.2")).toBe("HTTP/1.1 200 OK");
  const answers = waiting.map(answerOf);
  for (const end of release) end();
  for (const answer of await Promise.all(answers)) expect(answer).toContain("200 OK");
  expect(await call()).toBe("HTTP/1.1 200 OK");
});

test.each(["/large", "/export"])(
  "who does not read %s is let go of in time",
  async (path) => {
    const socket = (await open(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).pause();
    const startedAt = Date.now();
    while ((await connectionsLeft()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(Date.now() - startedAt).toBeLessThan(8_000);
    socket.destroy();
  },
  15_000,
);

test("the app closes who has not sent a whole head within some seconds, and keeps a silent proxy's connection", async () => {
  const app = await startRunningApp({ environment: { ROLE: "web" } });
  const to = app.config.port;
  const slow = await Promise.all(
    ["", "GET / HT", "GET / HTTP/1.1\r\nA: "].map((text) => open(text, undefined, to)),
  );
  const proxied = await open("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", undefined, to);
  expect(await answerOf(proxied)).toContain("200 OK");
  const startedAt = Date.now();
  await Promise.all(slow.map((socket) => once(socket.resume(), "close")));
  expect(Date.now() - startedAt).toBeLessThan(9_000);
  proxied.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await answerOf(proxied)).toContain("200 OK");
  await app.close();
}, 30_000);
