import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openDatabase } from "#platform/db/client.js";
import type { Foundation } from "../../../src/compose/foundation.js";
import { createHttp } from "../../../src/compose/web.js";
import { createApiClient, giveKey, type ApiAnswer, type ApiClient } from "../../support/api-client.js";
import {
  createContract,
  exampleRequest,
  operationsOf,
  type ContractOperation,
} from "../../support/api-contract.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let foundation: Foundation;
let portalId: bigint;
let operations: ContractOperation[];
let problemsOf: ReturnType<typeof createContract>;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  site = await startSite({ change: (given) => (foundation = given) });
  portalId = await connect();
  const { body } = await createApiClient(site.url, undefined).get("/api/v1/openapi.json");
  operations = operationsOf(body);
  problemsOf = createContract(body);
});

afterAll(async () => {
  for (const close of closing) await close();
  await site.close();
});

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

const clientOf = async (url = site.url): Promise<ApiClient> =>
  createApiClient(url, await giveKey(site.database, portalId));

/** A further process' worth of the app with something changed. */
async function serve(changed: Foundation): Promise<string> {
  const server = createServer(createHttp({ ...changed, wake: () => undefined }, {}));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** None of the refusals needs the ids to be there: all come before anything is looked for. */
const addressOf = ({ path }: ContractOperation, query = ""): string =>
  `/api/v1${path.replaceAll(/\{\w+\}/g, "1")}${query}`;

type Send = (operation: ContractOperation) => Promise<ApiAnswer>;

/** Every one of the operations is to refuse the request in the same way, as the document says. */
async function expectRefused(
  by: [status: number, code: string],
  of: readonly ContractOperation[],
  send: Send,
) {
  expect(of.length).toBeGreaterThan(0);
  for (const operation of of) {
    const answer = await send(operation);
    expect([operation.operationId, answer.status, answer.body?.code]).toEqual([operation.operationId, ...by]);
    expect(problemsOf(operation, answer)).toEqual([]);
  }
}

const send = (client: ApiClient, query = "", changes: Parameters<ApiClient["ask"]>[2] = {}): Send => {
  return (operation) => {
    const example = exampleRequest(operation);
    const request = { ...example, ...changes, headers: { ...example.headers, ...changes.headers } };
    return client.ask(operation.method, addressOf(operation, query), request);
  };
};

const takesJson = ({ requestBody }: ContractOperation): boolean =>
  requestBody?.content["application/json"] !== undefined;
const isPost = ({ method }: ContractOperation): boolean => method === "POST";
const mayHaveBody = ({ method }: ContractOperation): boolean => method !== "GET";
/** Of a body that is streamed, the endpoint itself says how long it may be. */
const streams = (operation: ContractOperation): boolean =>
  operation.requestBody !== undefined && !takesJson(operation);

test("an unknown parameter: 400, by name", async () => {
  await expectRefused([400, "INVALID_REQUEST"], operations, send(await clientOf(), "?portalId=1"));
});

test("a body with an unknown field: 422, by its pointer", async () => {
  const client = await clientOf();
  const body = { strange: 1 };
  const headers = { "Content-Type": "application/json" };
  await expectRefused([422, "INVALID_REQUEST"], operations.filter(takesJson), async (operation) => {
    const answer = await send(client, "", { body, headers })(operation);
    expect(answer.body.errors).toContainEqual({ pointer: "/strange", detail: expect.any(String) });
    return answer;
  });
});

test("a body that is too large, even where none is expected: 413", async () => {
  const changes = { body: " ".repeat(300_000), headers: { "Content-Type": "application/json" } };
  const of = operations.filter((operation) => mayHaveBody(operation) && !streams(operation));
  await expectRefused([413, "PAYLOAD_TOO_LARGE"], of, send(await clientOf(), "", changes));
});

test("a body of a type that is not read, or compressed: 415", async () => {
  const client = await clientOf();
  const of = operations.filter(mayHaveBody);
  const text = { body: "x", headers: { "Content-Type": "text/plain" } };
  await expectRefused([415, "UNSUPPORTED_MEDIA_TYPE"], of, send(client, "", text));
  const packed = { headers: { "Content-Encoding": "gzip" } };
  await expectRefused([415, "UNSUPPORTED_MEDIA_TYPE"], of, send(client, "", packed));
});

test("a method that an address does not have: 405 with those it has", async () => {
  const client = await clientOf();
  for (const operation of operations) {
    const { status, body, headers } = await client.ask("PUT", addressOf(operation));
    expect([operation.path, status, body.code]).toEqual([operation.path, 405, "INVALID_REQUEST"]);
    expect(headers.get("allow")?.split(", ")).toContain(operation.method);
  }
});

test("an invalid Idempotency-Key: 400; one of another request: 422; one of a request under way: 409", async () => {
  const client = await clientOf();
  const of = operations.filter(isPost);
  const once = (key: string) => ({ headers: { "Idempotency-Key": key } });
  await expectRefused([400, "INVALID_REQUEST"], of, send(client, "", once("x".repeat(256))));

  const draft = { url: "https://example.com/", events: ["enrollment.ended"], description: "First" };
  const first = await client.post("/api/v1/webhook-subscriptions", draft, { "Idempotency-Key": "used" });
  expect(first.status).toBe(201);
  await expectRefused([422, "IDEMPOTENCY_KEY_REUSED"], of, send(client, "", once("used")));

  const connection = await site.database.pool.connect();
  const digest = createHash("sha256").update("held").digest("hex");
  const lock = [`api-request:${portalId}:${digest}`];
  await connection.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", lock);
  try {
    await expectRefused([409, "IDEMPOTENCY_KEY_IN_USE"], of, send(client, "", once("held")));
  } finally {
    await connection.query("SELECT pg_advisory_unlock(hashtextextended($1, 0))", lock);
    connection.release();
  }
});

test("an account that is not connected: 409", async () => {
  const left = await connect();
  const client = createApiClient(site.url, await giveKey(site.database, left));
  await site.database.prisma.portal.update({ where: { portalId: left }, data: { status: "DISCONNECTED" } });
  await expectRefused([409, "NOT_CONNECTED"], operations, send(client));
});

test("a key that has no requests left: 429, with the time to wait", async () => {
  const url = await serve({ ...foundation, config: { ...foundation.config, apiRateLimit: 1 } });
  const client = await clientOf(url);
  await client.get("/api/v1/presets");
  await expectRefused([429, "RATE_LIMITED"], operations, async (operation) => {
    const answer = await send(client)(operation);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    return answer;
  });
});

test("a database that does not answer: 503, with the time to wait, and nothing about it", async () => {
  const database = openDatabase({
    url: "postgres://nobody@127.0.0.1:9/nothing",
    applicationName: "down",
    poolSize: 1,
  });
  closing.push(() => database.close());
  const client = await clientOf(await serve({ ...foundation, siteDatabase: database }));
  await expectRefused([503, "UNAVAILABLE"], operations, async (operation) => {
    const answer = await send(client)(operation);
    expect([answer.headers.get("retry-after"), answer.text.includes("ECONNREFUSED")]).toEqual(["5", false]);
    return answer;
  });
});

test("a key is refused in every process within five seconds of its revocation", async () => {
  const url = await serve(foundation);
  const key = await giveKey(site.database, portalId);
  const clients = [site.url, url].map((address) => createApiClient(address, key));
  for (const client of clients) expect((await client.get("/api/v1/presets")).status).toBe(200);
  await site.database.pool.query("UPDATE api_keys SET revoked_at = now() WHERE prefix = $1", [
    key.slice(4, 12),
  ]);
  const revokedMs = Date.now();
  for (const client of clients)
    while ((await client.get("/api/v1/presets")).status === 200)
      expect(Date.now() - revokedMs).toBeLessThan(5_000);
});
