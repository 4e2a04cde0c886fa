import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Agent } from "undici";
import { exchange } from "#platform/hubspot/exchange.js";
import { readText } from "#platform/hubspot/read-text.js";

const MiB = 1024 * 1024;
const TERMS = { timeoutMs: 10_000, assertMaySend: () => undefined };

const ANSWERS: Record<string, (response: ServerResponse) => void> = {
  "/packed": (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync('{"name":"é🚀"}'));
  },
  "/bomb": (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(32 * MiB)));
  },
  "/not-packed": (response) => {
    response.writeHead(200, { "content-encoding": "gzip" }).end("{}");
  },
  "/endless": (response) => {
    const piece = Buffer.alloc(MiB, " ");
    const timer = setInterval(() => response.write(piece), 1);
    response.on("close", () => {
      clearInterval(timer);
    });
  },
  "/redirect": (response) => {
    response.writeHead(307, { location: "/packed" }).end();
  },
  "/none": (response) => {
    response.writeHead(204, { date: "Fri, 20 Nov 2026 12:00:00 GMT" }).end();
  },
};

let server: Server;
let origin: string;
const agent = new Agent();
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    request.resume();
    ANSWERS[request.url ?? ""]?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await agent.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function ask(path: string): Promise<Response> {
  return exchange(agent, {
    ...{ url: new URL(origin + path), method: "POST", headers: {}, body: "{}" },
    terms: TERMS,
  });
}

test("an answer that comes packed is unpacked", async () => {
  expect(await readText(await ask("/packed"))).toBe('{"name":"é🚀"}');
  expect(await (await ask("/packed")).json()).toEqual({ name: "é🚀" });
  await expect(readText(await ask("/packed"), 10)).rejects.toMatchObject({ code: "HUBSPOT_UNAVAILABLE" });
});

test("an answer that is larger than any from HubSpot, packed or not, is given up", async () => {
  // Not by the time that it takes, which is the same kind of fault.
  await expect(ask("/endless")).rejects.toMatchObject({
    code: "HUBSPOT_UNAVAILABLE",
    message: expect.stringMatching(/^HubSpot answered 200 with more than \d+ bytes$/),
  });
  await expect(ask("/bomb")).rejects.toMatchObject({ code: "ERR_BUFFER_TOO_LARGE" });
});

test("an answer that is not packed as it says cannot be read", async () => {
  await expect(ask("/not-packed")).rejects.toMatchObject({ code: "Z_DATA_ERROR" });
});

test("a redirect is not followed", async () => {
  const before = asked.length;
  await expect(ask("/redirect")).rejects.toMatchObject({ code: "HUBSPOT_UNAVAILABLE", wasNotSent: false });
  expect(asked.slice(before)).toEqual(["/redirect"]);
});

test("an answer without a body brings its status and its headers", async () => {
  const answer = await ask("/none");
  expect([answer.status, answer.headers.get("date")]).toEqual([204, "Fri, 20 Nov 2026 12:00:00 GMT"]);
  expect(await readText(answer)).toBe("");
});
