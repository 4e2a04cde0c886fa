import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { Agent, request, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { setTimeout as sleep } from "node:timers/promises";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { hasNginx, SERVER_NAME, startNginx, type Nginx } from "../support/nginx.js";
import { v3Headers } from "../support/signed-request.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

if (!hasNginx) console.warn("skipped: nginx is not installed, so the proxy's configuration met no nginx");

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

function call(nginx: Nginx, options: RequestOptions & { body?: string | Buffer }): Promise<Answer> {
  const { body, ...rest } = options;
  const place = { host: "127.0.0.1", port: nginx.port, servername: SERVER_NAME, ca: nginx.ca };
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...place, ...rest, headers: { host: SERVER_NAME, ...rest.headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString("utf8") });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

function open(nginx: Nginx): Promise<TLSSocket> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port: nginx.port, servername: SERVER_NAME, ca: nginx.ca };
    const socket = connectTls(options, () => {
      resolve(socket);
    });
    socket.on("error", () => undefined);
  });
}

const ofForm = "multipart/form-data; boundary=b";

(hasNginx ? describe : describe.skip)("the app behind deploy/nginx", () => {
  let running: RunningApp;
  let nginx: Nginx;
  const publicUrl = `https://${SERVER_NAME}`;

  beforeAll(async () => {
    const secrets = {
      ENCRYPTION_KEYS: `test:${randomBytes(32).toString("base64")}`,
      SESSION_SECRET: randomBytes(32).toString("base64"),
    };
    running = await startRunningApp({ environment: { PUBLIC_URL: publicUrl, ...secrets } });
    nginx = await startNginx(`127.0.0.1:${new URL(running.publicUrl).port}`);
  });

  afterAll(async () => {
    await nginx.stop();
    await running.close();
  });

  function signed(body: string) {
    const secret = running.environment["HUBSPOT_CLIENT_SECRET"] ?? "";
    const of = { url: publicUrl + ENROLL_ROUTE, body, secret, timestamp: Date.now() };
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    return { method: "POST", path: ENROLL_ROUTE, body, headers: { ...headers, ...v3Headers(of) } };
  }

  test("`nginx -t` finds nothing to say", () => {
    expect(nginx.verdict).toMatch(/syntax is ok[\s\S]*test is successful/);
    expect(nginx.verdict).not.toMatch(/warn|emerg/);
  });

  test("HubSpot's signature still fits: bytes, path and query arrive as they were sent", async () => {
    const portal = addPlainPortal(running.simulator);
    const body = JSON.stringify({
      callbackId: "ap-1-2-3",
      origin: { portalId: portal.portalId },
      object: { objectId: 151, note: "Ünïcode  with   blanks" },
      inputFields: {},
    });
    // Nobody installed the app in this account: an answer to a call that was believed.
    const believed = await call(nginx, signed(body));
    expect(believed.status).toBe(200);
    expect(believed.body).toContain("NOT_CONNECTED");
    expect((await call(nginx, { ...signed(body), body: body.replace("151", "152") })).status).toBe(401);
  });

  test("headers or a body beyond the app's limits are refused by the proxy, and what is just within is not", async () => {
    const tooLong = await call(nginx, { path: "/healthz", headers: { "x-filler": "x".repeat(17_000) } });
    expect(tooLong.status).toBe(400);
    const long = await call(nginx, { path: "/healthz", headers: { "x-filler": "x".repeat(7_000) } });
    expect(long.status).toBe(200);
    const large = Buffer.alloc(257 * 1024, "x");
    const post = { method: "POST", path: ENROLL_ROUTE };
    expect((await call(nginx, { ...post, body: large })).status).toBe(413);
    // Not signed: the app itself has read it.
    expect((await call(nginx, { ...post, body: large.subarray(0, 256 * 1024) })).status).toBe(401);
    const file = { method: "POST", path: "/settings/imports", headers: { "content-type": ofForm } };
    expect((await call(nginx, { ...file, body: Buffer.alloc(1024 * 1024, "x") })).status).not.toBe(413);
  });

  test("plain HTTP is sent to HTTPS, and metrics are nobody's outside", async () => {
    const response = await fetch(`http://127.0.0.1:${nginx.httpPort}/settings?x=1`, {
      redirect: "manual",
      headers: { host: SERVER_NAME },
    });
    expect(response.status).toBe(301);
    expect(response.headers.get("location")).toMatch(/^https:\/\/.*\/settings\?x=1$/);
    expect((await call(nginx, { path: "/metrics" })).status).toBe(404);
    expect((await call(nginx, { path: "/metrics" })).body).toMatch(/nginx/);
  });

  test("whoever begins installs over and over is slowed down, and calls from HubSpot are not", async () => {
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async () => (await call(nginx, { path: "/oauth/install" })).status),
    );
    expect(statuses.filter((status) => status === 302).length).toBeGreaterThanOrEqual(20);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(20);
    const unsigned = await Promise.all(
      Array.from(
        { length: 60 },
        async () => (await call(nginx, { method: "POST", path: ENROLL_ROUTE })).status,
      ),
    );
    expect(new Set(unsigned)).toEqual(new Set([401]));
  });

  test("codes and tokens in a URL stand in no log of the proxy's", async () => {
    await call(nginx, { path: "/oauth/callback?code=a-code-of-hubspots&state=a-state" });
    await call(nginx, { path: "/healthz?token=a-token-in-a-link" });
    expect(await nginx.accessLog()).toContain("/oauth/callback");
    for (const log of [await nginx.accessLog(), await nginx.errorLog()])
      expect(log).not.toMatch(/a-code-of|a-state|a-token-in/);
  });
});

(hasNginx ? describe : describe.skip)("what stands between deploy/nginx and the app", () => {
  let server: Server;
  let nginx: Nginx;
  const seen: IncomingMessage[] = [];
  let opened = 0;

  beforeAll(async () => {
    server = createServer((incoming, response) => {
      seen.push(incoming);
      incoming.resume().once("end", () => response.end("taken"));
    });
    server.keepAliveTimeout = 75_000;
    server.on("connection", () => (opened += 1));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    nginx = await startNginx(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterAll(async () => {
    await nginx.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("a body that comes slowly reaches the app whole, or not at all", async () => {
    const before = { opened, requests: seen.length };
    const slow = await Promise.all(Array.from({ length: 30 }, () => open(nginx)));
    for (const socket of slow)
      socket.write(`POST /x HTTP/1.1\r\nHost: ${SERVER_NAME}\r\nContent-Length: 40\r\n\r\n`);
    for (let round = 0; round < 4; round += 1) {
      for (const socket of slow) socket.write("piece-----");
      expect({ opened, requests: seen.length }).toEqual(before);
      if (round === 2) break;
      await sleep(300);
    }
    const answers = slow.slice(0, 10).map(async (socket) => {
      socket.write("piece-----");
      const [data] = (await once(socket, "data")) as [Buffer];
      return data.toString("utf8").slice(0, 15);
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["HTTP/1.1 200 OK"]));
    expect(seen.length).toBe(before.requests + 10);
    for (const socket of slow) socket.destroy();
  });

  test("headers that do not arrive are given up after five seconds, a body after ten", async () => {
    const closedAfter = async (text: string) => {
      const socket = await open(nginx);
      const startedAt = performance.now();
      socket.write(text);
      socket.resume();
      await once(socket, "close");
      return performance.now() - startedAt;
    };
    const [head, body] = await Promise.all([
      closedAfter("POST /x HTTP/1.1\r\nHost: "),
      closedAfter(`POST /x HTTP/1.1\r\nHost: ${SERVER_NAME}\r\nContent-Length: 40\r\n\r\nhalf`),
    ]);
    expect(head).toBeGreaterThan(4_000);
    expect(head).toBeLessThan(9_500);
    expect(body).toBeGreaterThan(9_000);
    expect(body).toBeLessThan(16_000);
  });

  test("a body or head that is too large is refused before the app hears of it; the file of an import goes on", async () => {
    const before = seen.length;
    const large = Buffer.alloc(257 * 1024, "x");
    for (const path of ["/", ENROLL_ROUTE, "/settings/alerts", "/oauth/install", "/hubspot/settings/imports"])
      expect((await call(nginx, { method: "POST", path, body: large })).status).toBe(413);
    expect((await call(nginx, { path: "/", headers: { "x-filler": "x".repeat(9_000) } })).status).toBe(400);
    expect(seen.length).toBe(before);
    for (const path of ["/settings/imports", "/api/v1/imports"])
      expect((await call(nginx, { method: "POST", path, body: large })).body).toBe("taken");
    expect(seen.length).toBe(before + 2);
  });

  test("connections to the app are kept, and a client's too", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = opened;
    for (let index = 0; index < 10; index += 1) await call(nginx, { path: "/", agent });
    expect(opened - before).toBeLessThanOrEqual(1);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
    agent.destroy();
  });

  test("what a client claims of itself does not go on to the app", async () => {
    const claims = {
      "x-forwarded-for": "10.0.0.1",
      forwarded: "for=10.0.0.1",
      "x-forwarded-host": "evil.example",
    };
    await call(nginx, { path: "/claims", headers: claims });
    const { headers } = seen.at(-1) as IncomingMessage;
    expect(headers).toMatchObject({
      host: SERVER_NAME,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": SERVER_NAME,
    });
    expect(headers).not.toHaveProperty("forwarded");
  });
});
