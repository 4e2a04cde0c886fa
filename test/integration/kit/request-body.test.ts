import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { request as httpRequest } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { signedHeaders } from "../../../src/simulator/world/signing.js";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

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

/** Writes all of a body before it reads a word, as many clients do; rejects where the connection breaks. */
async function writeThenRead(bytes: Buffer, heading: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: app.config.port }).pause();
  const closed = once(socket, "close");
  socket.write(`POST /hubspot/actions/enroll HTTP/1.1\r\nHost: x\r\n${heading}\r\n\r\n`);
  const written = new Promise<void>((resolve, reject) => {
    socket.write(bytes, (fault) => {
      if (fault == null) resolve();
      else reject(fault);
    });
  });
  await Promise.race([written, closed]);
  let text = "";
  socket
    .setEncoding("utf8")
    .on("data", (part: string) => (text += part))
    .resume();
  await closed;
  return text;
}

test.each([3, 20])("who writes %i MB before reading gets to read the refusal", async (megabytes) => {
  const body = Buffer.alloc(megabytes * 1024 * 1024, "x");
  const chunked = Buffer.concat([
    Buffer.from(`${body.length.toString(16)}\r\n`),
    body,
    Buffer.from("\r\n0\r\n\r\n"),
  ]);
  for (const [bytes, heading] of [
    [body, `Content-Length: ${body.length}`],
    [chunked, "Transfer-Encoding: chunked"],
  ] as const) {
    const answers = await Promise.all(Array.from({ length: 3 }, () => writeThenRead(bytes, heading)));
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(answer).toContain("BODY_TOO_LARGE");
    }
  }
});

test("who writes for longer than a moment gets to read the refusal, as long as it goes on", async () => {
  const piece = Buffer.alloc(64 * 1024, "x");
  const socket = connect({ host: "127.0.0.1", port: app.config.port }).pause();
  const closed = once(socket, "close");
  socket.write(
    `POST /hubspot/actions/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: ${40 * piece.length}\r\n\r\n`,
  );
  for (let sent = 0; sent < 40; sent += 1) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  let text = "";
  socket
    .setEncoding("utf8")
    .on("data", (part: string) => (text += part))
    .resume();
  await closed;
  expect(text).toContain("BODY_TOO_LARGE");
});

/** Announces more than it will ever send, and sends a piece at every tick until it is cut off. */
async function pour(piece: Buffer, everyMs: number): Promise<{ text: string; sent: number; tookMs: number }> {
  const startedAt = Date.now();
  const socket = connect({ host: "127.0.0.1", port: app.config.port });
  let [text, sent] = ["", 0];
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  socket.on("error", () => undefined);
  socket.write("POST /hubspot/actions/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n");
  const timer = setInterval(() => {
    if (socket.destroyed || socket.writableNeedDrain) return;
    socket.write(piece);
    sent += piece.length;
  }, everyMs);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(timer);
  return { text, sent, tookMs: Date.now() - startedAt };
}

test("a sender who never ends is disconnected: a slow one by the clock, a fast one by what it sent", async () => {
  const slow = await pour(Buffer.from("x"), 50);
  expect(slow.text).toContain("BODY_TOO_LARGE");
  expect(slow.tookMs).toBeGreaterThan(1_500);
  expect(slow.tookMs).toBeLessThan(10_000);
  const fast = await pour(Buffer.alloc(4 * 1024 * 1024), 1);
  expect(fast.text).toContain("BODY_TOO_LARGE");
  expect(fast.sent).toBeLessThan(64 * 1024 * 1024);
});

test("a compressed body without a signature is told nothing more", async () => {
  const [status, text] = await post([gzipSync("{}")], { "content-encoding": "gzip" });
  expect(status).toBe(401);
  expect(JSON.parse(text)).toMatchObject({ code: "SIGNATURE_REFUSED" });
});

test("a body that claims to be compressed is refused, even if its bytes are signed", async () => {
  const [status, text] = await post([Buffer.from("{}")], { ...signed("{}"), "content-encoding": "gzip" });
  expect(status).toBe(415);
  expect(JSON.parse(text)).toMatchObject({ code: "BODY_UNREADABLE" });
});

describe.each([
  "/hubspot/actions/enroll",
  "/hubspot/actions/check-enrollment",
  "/hubspot/actions/wait-for-sequence-end",
  "/hubspot/options/sequences",
  "/hubspot/options/senders",
  "/hubspot/options/rotations",
  "/hubspot/options/presets",
  "/hubspot/webhooks",
])("a signed body of %s", (route) => {
  /** A call that every route can read, with lists within lists beside what it needs. */
  async function postNested(deep: string): Promise<[number, string]> {
    const call = `{"callbackId":"ap-deep-1","origin":{"portalId":99},"object":{"objectId":1},"context":{"source":"AGENTS","deep":${deep}}}`;
    const event = `[{"subscriptionType":"contact.deletion","portalId":99,"objectId":1,"deep":${deep}}]`;
    const body = route.endsWith("webhooks") ? event : call;
    const to = app.publicUrl + route;
    const secret = app.config.hubspot.clientSecrets[0];
    const headers = signedHeaders({ method: "POST", url: to, body }, { secret, nowMs: Date.now() });
    const response = await fetch(to, { method: "POST", headers: { ...headers }, body });
    return [response.status, await response.text()];
  }

  test.each([
    ["lists", (depth: number) => "[".repeat(depth) + "]".repeat(depth)],
    ["objects", (depth: number) => `{"a":`.repeat(depth) + "1" + "}".repeat(depth)],
  ])("nested too deeply, %s, is refused for good, and told why", async (_what, nested) => {
    const stored = () => app.db.database.prisma.execution.count();
    const before = await stored();
    for (const depth of [100, 5_000, 40_000]) {
      const [status, text] = await postNested(nested(depth));
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({
        code: "BODY_TOO_DEEP",
        message: "The JSON is nested more than 100 levels deep.",
      });
    }
    expect(await stored()).toBe(before);
  });

  test("may be nested somewhat, and hold any number of brackets side by side or in texts", async () => {
    const beside = `[${Array.from({ length: 500 }, () => "[{}]").join()}]`;
    const inText = JSON.stringify(`"\\${"[{".repeat(500)}`);
    for (const deep of ["[".repeat(90) + "]".repeat(90), beside, inText]) {
      expect((await postNested(deep))[0]).toBe(200);
    }
  });
});

test("no body at all is a call without a signature", async () => {
  expect((await post([]))[0]).toBe(401);
});

test("a caller who hangs up halfway disturbs nobody", async () => {
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
