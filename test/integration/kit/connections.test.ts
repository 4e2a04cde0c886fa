import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { boundPipelining } from "#web/kit/bound-pipelining.js";
import { guardConnections } from "#web/kit/guard-connections.js";

const LIMITS = { total: 12, perPeer: 8, readingMs: 300, downloadMs: 600, sweepMs: 50 };
const PIPELINED = 4;
/** More than the system keeps for a connection whose client does not read. */
const LARGE = Buffer.alloc(16_000_000);

let server: Server;
let port: number;
let sockets: Socket[];
let release: (() => void)[];
let handled: number;

beforeEach(async () => {
  [sockets, release] = [[], []];
  handled = 0;
  const handle: RequestListener = (request, response) => {
    handled += 1;
    if (request.url === "/wait") return void release.push(() => response.end("done"));
    if (request.url === "/large") return void response.end(LARGE);
    if (request.url === "/export") {
      const timer = setInterval(() => response.write(LARGE), 50);
      return void response.once("close", () => {
        clearInterval(timer);
      });
    }
    request.resume().once("end", () => response.end("ok"));
  };
  server = createServer(boundPipelining(handle, PIPELINED));
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
async function open(text: string, from = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
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
    for (let round = 0; round < 2; round += 1) {
      for (let opened = 0; opened < 2 * LIMITS.perPeer; opened += 1) (await open(text, "127.0.0.2")).pause();
      expect(await call("127.0.0.1")).toBe("HTTP/1.1 200 OK");
      expect(await call("127.0.0.2")).toBe("HTTP/1.1 200 OK");
    }
    expect(await connectionsLeft()).toBeLessThanOrEqual(LIMITS.total);
  });
});

test("requests that come before the answers of earlier ones are answered in their order, if they are few", async () => {
  for (let round = 0; round < 2; round += 1) {
    const socket = await open("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(PIPELINED));
    let answers = "";
    for await (const bytes of socket) {
      answers += String(bytes);
      if (answers.split("HTTP/1.1 200 OK").length > PIPELINED) break;
    }
    expect(handled).toBe((round + 1) * PIPELINED);
  }
});

test("of thousands of requests in one piece a few are handled, and the connection is closed", async () => {
  const socket = await open("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_900));
  await once(socket, "close");
  expect(handled).toBe(PIPELINED);
  expect(await call()).toBe("HTTP/1.1 200 OK");
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

test.each(["/large", "/export"])("who does not read %s is disconnected in time", async (path) => {
  const connected = once(server, "connection") as Promise<[Socket]>;
  const socket = (await open(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).pause();
  const [served] = await connected;
  if (!served.destroyed) await once(served, "close");
  expect(await connectionsLeft()).toBe(0);
  socket.destroy();
});
