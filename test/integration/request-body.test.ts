import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { request as httpRequest } from "node:http";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { signedHeaders } from "../../src/simulator/signing.js";
import { startRunningApp, type RunningApp } from "../support/start-app.js";

let app: RunningApp;
let url: string;

beforeAll(async () => {
  app = await startRunningApp({ environment: { ROLE: "web" } });
  url = `${app.publicUrl}/hubspot/actions/enroll`;
});

afterAll(() => app.close());

/** Sends the chunks one after the other, without telling their length beforehand. */
function post(chunks: readonly Buffer[], headers: Record<string, string> = {}): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        resolve([response.statusCode ?? 0, text]);
      });
    });
    request.on("error", reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

function signed(body: string): Record<string, string> {
  const secret = app.config.hubspot.clientSecrets[0];
  return signedHeaders({ method: "POST", url, body }, { secret, nowMs: Date.now() });
}

test("a body that comes in pieces is checked and read as a whole", async () => {
  const body = JSON.stringify({
    callbackId: "ap-pieces-1",
    origin: { portalId: 99 },
    object: { objectId: 1 },
    inputFields: { sequence_id: "1", sender_mode: "contact_owner", note: "é".repeat(1_000) },
  });
  const bytes = Buffer.from(body);
  // The cut falls inside a character.
  const cut = bytes.indexOf(0xa9);
  const [status, text] = await post([bytes.subarray(0, cut), bytes.subarray(cut)], signed(body));
  expect(status).toBe(200);
  expect(text).toContain("NOT_CONNECTED");
});

test("a body that grows past 256 KiB without having said so is refused", async () => {
  const [status, text] = await post(Array.from({ length: 9 }, () => Buffer.alloc(32 * 1024, "x")));
  expect(status).toBe(413);
  expect(JSON.parse(text)).toMatchObject({ code: "BODY_TOO_LARGE" });
});

test("a compressed body without a signature is told no more than that", async () => {
  const [status, text] = await post([gzipSync("{}")], { "content-encoding": "gzip" });
  expect(status).toBe(401);
  expect(JSON.parse(text)).toMatchObject({ code: "SIGNATURE_REFUSED" });
});

test("a body that calls itself compressed is refused, even where its bytes are signed", async () => {
  const [status, text] = await post([Buffer.from("{}")], { ...signed("{}"), "content-encoding": "gzip" });
  expect(status).toBe(415);
  expect(JSON.parse(text)).toMatchObject({ code: "BODY_UNREADABLE" });
});

test("no body at all is a call without a signature", async () => {
  expect((await post([]))[0]).toBe(401);
});

test("a caller who hangs up half-way disturbs nobody", async () => {
  const request = httpRequest(url, {
    method: "POST",
    headers: { "content-length": "1000" },
    agent: false,
  });
  request.on("error", () => undefined);
  request.write("half");
  await once(request, "socket").then(([socket]) => once(socket as NodeJS.EventEmitter, "connect"));
  request.destroy();
  expect((await post([]))[0]).toBe(401);
  expect(app.logLines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
