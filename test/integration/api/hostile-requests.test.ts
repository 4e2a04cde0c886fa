import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { exampleRequest, operationsOf, type ContractOperation } from "../../support/api-contract.js";
import { install, startSite, type Site } from "../../support/site.js";

/** A request as bytes: what no client library would send. */
interface Hostile {
  readonly method?: string;
  /** After the operation's own address. */
  readonly query?: Buffer | string;
  readonly headers?: readonly (Buffer | string)[];
  readonly body?: Buffer | string;
}

const json = (body: Buffer | string): Hostile => ({ headers: ["Content-Type: application/json"], body });
const bytes = (...codes: number[]): Buffer => Buffer.from(codes);

/** Every way in which we have seen servers fall, in what a client can send. */
const HOSTILE: Readonly<Record<string, Hostile>> = {
  "bytes that are no UTF-8 in the body": json(bytes(0x22, 0xc3, 0x28, 0xff, 0xfe, 0x22)),
  "a body that ends in the middle of a character": json(bytes(0x22, 0xf0, 0x9f)),
  "UTF-16": json(Buffer.from("\ufeff{}", "utf16le")),
  "half a surrogate pair": json('{"\\ud800":"\\udc00"}'),
  "a NUL": json('{"contact":{"email":"a\\u0000@b.example"}}'),
  "a hundred thousand levels": json("[".repeat(100_000)),
  "a hundred thousand levels of objects": json('{"a":'.repeat(50_000)),
  "numbers that are none": json('{"cooldownDays":1e999,"limit":-0,"a":NaN}'),
  "a number of a hundred thousand digits": json("9".repeat(100_000)),
  prototypes: json('{"__proto__":{"a":1},"constructor":{"prototype":{}},"toString":1}'),
  "the same field a thousand times": json(`{${'"contact":{"id":"1"},'.repeat(1_000)}"contact":1}`),
  "null, an array, a text and nothing": json("null"),
  "an array": json("[[],{}]"),
  "an empty body": json(""),
  "a compressed body that is none": {
    headers: ["Content-Type: application/json", "Content-Encoding: br"],
    body: "x",
  },
  "a form": { headers: ["Content-Type: multipart/form-data; boundary="], body: "--\r\n\r\n----" },
  "a form without an end": {
    headers: ["Content-Type: multipart/form-data; boundary=x"],
    body: "--x\r\nA: b",
  },
  "a file of NULs": { headers: ["Content-Type: text/csv"], body: Buffer.alloc(10_000) },
  "lines that are no JSON": {
    headers: ["Content-Type: application/x-ndjson"],
    body: bytes(0xff, 0x0a, 0x7b, 0x0a, 0x0a),
  },
  "a line without an end": {
    headers: ["Content-Type: application/x-ndjson"],
    body: `{"a":"${"x".repeat(40_000)}`,
  },
  "an unknown type with odd letters": {
    headers: [Buffer.from("Content-Type: \xe9/\xff;;=", "latin1")],
    body: "x",
  },
  "a query of bytes": { query: Buffer.from("?a=\xff&%00&%ff&=&&[]=1", "latin1") },
  "a query with a thousand parameters": { query: `?${"limit=1&".repeat(1_000)}` },
  "a parameter with levels": { query: `?limit${"[a]".repeat(200)}=1` },
  "a key as an array and as an object": { query: "?limit=1&limit=2&limit[]=3&after[x]=1" },
  "a path that climbs": { query: "/../../../etc/passwd" },
  "a path of bytes": { query: "/%c0%ae%c0%ae/%00/%ff" },
  "another Authorization besides": { headers: ["Authorization: Bearer"] },
  "headers of twelve KiB": { headers: [`X-Long: ${"x".repeat(12_000)}`] },
  "headers of a hundred KiB": { headers: [`X-Long: ${"x".repeat(100_000)}`] },
  "a thousand headers": { headers: Array.from({ length: 1_000 }, (_, index) => `X-${index}: 1`) },
  "an odd Idempotency-Key": { headers: [Buffer.from("Idempotency-Key: \x80\xff", "latin1")] },
  "the method TRACE": { method: "TRACE" },
  "the method PROPFIND": { method: "PROPFIND" },
  "the method OPTIONS": { method: "OPTIONS" },
  "the method HEAD": { method: "HEAD" },
  "a method that there is not": { method: "FETCHALL" },
};

/** Answers that a hostile request may get, by our server or by Node's own. */
const REFUSED = { from: 200, below: 500 };
const ANSWER_WITHIN_MS = 5_000;

let site: Site;
let key: string;
let operations: ContractOperation[];

beforeAll(async () => {
  site = await startSite();
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  key = await giveKey(site.database, portal.portalId);
  const { body } = await createApiClient(site.url, undefined).get("/api/v1/openapi.json");
  operations = operationsOf(body);
});

afterAll(() => site.close());

function requestOf(
  operation: ContractOperation,
  { method, query = "", headers = [], body }: Hostile,
): Buffer {
  const example = exampleRequest(operation);
  const ownBody = operation.method === "GET" ? "" : Buffer.from(String(JSON.stringify(example.body) ?? ""));
  const content = Buffer.from(body ?? ownBody);
  const isTyped = headers.some((header) => /^content-type/i.test(String(header)));
  const lines = [
    Buffer.concat([
      Buffer.from(`${method ?? operation.method} /api/v1${operation.path.replaceAll(/\{\w+\}/g, "1")}`),
      ...[Buffer.from(query), Buffer.from(" HTTP/1.1")],
    ]),
    ...[
      "Host: localhost",
      `Authorization: Bearer ${key}`,
      "Connection: close",
      `Content-Length: ${content.length}`,
    ],
    ...(isTyped ? [] : [`Content-Type: ${example.headers?.["Content-Type"] ?? "application/json"}`]),
    ...headers,
  ];
  const head = lines.flatMap((line) => [Buffer.from(line), Buffer.from("\r\n")]);
  return Buffer.concat([...head, Buffer.from("\r\n"), content]);
}

/** @returns the status; 0: the connection was ended without an answer. */
function sendBytes(request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(Number(new URL(site.url).port), "127.0.0.1", () => socket.write(request));
    let answer = "";
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      socket.destroy();
      reject(new Error("no answer"));
    });
    socket.on("data", (piece) => (answer += piece.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0));
    });
  });
}

test.each(Object.entries(HOSTILE))("%s: no endpoint fails over it", async (_name, hostile) => {
  const answers = await Promise.all(
    operations.map(
      async (operation) => [operation.operationId, await sendBytes(requestOf(operation, hostile))] as const,
    ),
  );
  // Node itself ends a connection whose request is none.
  const wrong = answers.filter(
    ([, status]) => status !== 0 && (status < REFUSED.from || status >= REFUSED.below),
  );
  expect(wrong).toEqual([]);
});

test("the app has noted no fault, and answers as before", async () => {
  const faults = site.logLines.filter((line) => /^\{"level":"(?:error|fatal)"/.test(line));
  expect(faults).toEqual([]);
  expect((await createApiClient(site.url, key).get("/api/v1/presets")).status).toBe(200);
});
