import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ApiScope } from "#domain/contract/actor.js";
import { exampleOf } from "#web/api/docs/schema-example.js";
import { createApiClient, giveKey, type ApiAnswer, type ApiClient } from "../../support/api-client.js";
import { createContract, operationsOf, type ContractOperation } from "../../support/api-contract.js";
import { seedExecutions } from "../../support/executions.js";
import { storeFlow } from "../../support/stored-flows.js";
import { install, startSite, type Site } from "../../support/site.js";

/** Calls of the fuzz, over all operations. */
const FUZZ_CALLS = 300;
const SCOPES: readonly ApiScope[] = ["enrollments:read", "enrollments:write"];

let site: Site;
let [portalId, otherId] = [0n, 0n];
let document: Parameters<typeof createContract>[0];
let problemsOf: ReturnType<typeof createContract>;
/** What the first account has, by the part of the path above its id. */
let idsOf: Readonly<Record<string, string>>;

beforeAll(async () => {
  site = await startSite();
  [portalId, otherId] = [await connect(), await connect()];
  const { body } = await createApiClient(site.url, undefined).get("/api/v1/openapi.json");
  document = body as typeof document;
  problemsOf = createContract(document);
  idsOf = await fillFirstAccount();
});

afterAll(() => site.close());

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

const clientOf = async (id: bigint, scopes = SCOPES): Promise<ApiClient> =>
  createApiClient(site.url, await giveKey(site.database, id, { scopes }));

async function fillFirstAccount(): Promise<Record<string, string>> {
  await seedExecutions(site.database, [
    { portalId },
    { portalId, enrollmentStatus: "FAILED", errorCode: "BOUNCED" },
  ]);
  const { id } = await site.database.prisma.execution.findFirstOrThrow({ where: { portalId } });
  const client = await clientOf(portalId);
  const hooks = "/api/v1/webhook-subscriptions";
  const draft = { url: "https://example.com/hook", events: ["enrollment.ended"], description: "CRM" };
  const hook = (await client.post(hooks, draft)).body.id as string;
  const delivery = (await client.post(`${hooks}/${hook}/test`)).body.id as string;
  const file = { body: "email\nada@lead.example\n", headers: { "Content-Type": "text/csv" } };
  const imported = (await client.ask("POST", "/api/v1/imports", file)).body.id as string;
  await storeFlow(site.database.pool, portalId, { flowId: "4711" });
  await site.database.pool.query(
    "INSERT INTO unenroll_setups (portal_id, state, due_at) VALUES ($1, 'ON', now() + interval '1 day')",
    [portalId],
  );
  const unenrolled = (await client.post("/api/v1/contacts/901/unenroll")).body.id as string;
  const simulated = site.simulator.portals.get(Number(portalId));
  if (simulated === undefined) throw new Error("the account is not there");
  const contact = simulated.addContact({ properties: { email: "ada@lead.example" } });
  const sequence = simulated.addSequence({ name: "Inbound" });
  await site.database.prisma.sequence.create({
    data: { portalId, sequenceId: sequence.id, name: sequence.name, isListed: true },
  });
  return {
    ...{ contacts: contact.id, sequences: sequence.id },
    ...{ enrollments: String(id), imports: imported, workflows: "4711", unenrollments: unenrolled },
    ...{ "webhook-subscriptions": hook, deliveries: delivery },
  };
}

/** The path with ids of the first account; 1 for what it does not have. */
const pathOf = ({ path }: ContractOperation): string =>
  `/api/v1${path.replaceAll(/([\w-]+)\/\{\w+\}/g, (_all, room: string) => `${room}/${idsOf[room] ?? "1"}`)}`;

/** The type and an example of the body that an operation takes. */
function bodyOf({ requestBody }: ContractOperation): { body?: unknown; headers?: Record<string, string> } {
  const [first] = Object.entries(requestBody?.content ?? {});
  if (first === undefined) return {};
  const [type, { schema = {} }] = first;
  const body = type === "application/json" ? exampleOf(schema, true) : "email\nada@lead.example\n";
  return { body, headers: { "Content-Type": type } };
}

const call = (client: ApiClient, operation: ContractOperation): Promise<ApiAnswer> =>
  client.ask(operation.method, pathOf(operation), bodyOf(operation));

test("the document is OpenAPI 3.1: names are unique, paths have their parameters, every schema compiles", () => {
  expect(document).toMatchObject({ openapi: "3.1.0", info: { title: expect.any(String), version: "1" } });
  const operations = operationsOf(document);
  expect(operations.length).toBeGreaterThan(10);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { path, parameters, responses, security } of operations) {
    const inPath = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => `{${name}}`);
    expect(inPath.sort()).toEqual([...(path.match(/\{\w+\}/g) ?? [])].sort());
    expect(Object.keys(responses).some((status) => status.startsWith("2"))).toBe(true);
    expect(SCOPES).toContain(security[0].apiKey[0]);
  }
});

test("no operation answers a call without a key, or with one that has only other scopes", async () => {
  const nobody = createApiClient(site.url, undefined);
  const readOnly = await clientOf(portalId, ["enrollments:read"]);
  const writeOnly = await clientOf(portalId, ["enrollments:write"]);
  for (const operation of operationsOf(document)) {
    const unknown = await call(nobody, operation);
    expect([operation.operationId, unknown.status]).toEqual([operation.operationId, 401]);
    const without = operation.security[0].apiKey[0] === "enrollments:read" ? writeOnly : readOnly;
    const forbidden = await call(without, operation);
    expect([operation.operationId, forbidden.status]).toEqual([operation.operationId, 403]);
    for (const answer of [unknown, forbidden]) expect(problemsOf(operation, answer)).toEqual([]);
  }
});

test("no operation finds with one account's key what is another's", async () => {
  const stranger = await clientOf(otherId);
  for (const operation of operationsOf(document).filter(({ path }) => path.includes("{"))) {
    const answer = await call(stranger, operation);
    // An account that cannot unenroll is told so of any contact, without a look for it.
    const [status, code] =
      operation.operationId === "unenrollContact" ? [409, "NOT_SUPPORTED"] : [404, "NOT_FOUND"];
    expect([operation.operationId, answer.status, answer.text]).toEqual([
      operation.operationId,
      status,
      expect.stringContaining(code),
    ]);
    expect(problemsOf(operation, answer)).toEqual([]);
  }
});

test("what is answered to the account's own key is what the document says", async () => {
  const client = await clientOf(portalId);
  const last = ({ method }: ContractOperation): number => ["GET", "POST", "PATCH", "DELETE"].indexOf(method);
  for (const operation of operationsOf(document).sort((a, b) => last(a) - last(b))) {
    const answer = await call(client, operation);
    expect(problemsOf(operation, answer)).toEqual([]);
    if (operation.method === "GET")
      expect([operation.operationId, answer.status]).toEqual([operation.operationId, 200]);
  }
});

const oddText = fc.oneof(
  fc.constantFrom(
    "0",
    "-1",
    "1e3",
    "9223372036854775808",
    "999999999999999999",
    "",
    " ",
    "null",
    "[]",
    "a,b",
  ),
  fc.constantFrom(
    "\0",
    "\ud800",
    "../x",
    "%",
    "💥",
    "'; --",
    "9999-12-31T23:59:59.999Z",
    "0000-01-01T00:00:00Z",
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const oddValue = fc.oneof(oddText, fc.jsonValue({ maxDepth: 3 }), fc.constant("x".repeat(100_000)));

/** A request of an operation in which some parts are odd. */
function oddRequest(operation: ContractOperation) {
  const query = operation.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const example = bodyOf(operation);
  return fc.record({
    id: fc.option(oddText),
    query: fc.array(fc.tuple(fc.constantFrom("strange", "__proto__", ...query, ...query), oddText), {
      maxLength: 3,
    }),
    body: fc.oneof(
      fc.constant(example.body),
      fc.dictionary(fc.constantFrom(...Object.keys(Object(example.body)), "__proto__"), oddValue),
      oddValue,
      fc.constantFrom("{", "\ufeff{}", '{"a":1e999}', "[".repeat(50)),
    ),
    type: fc.constantFrom(...Object.values(example.headers ?? {}), "application/json", "text/plain"),
    once: fc.option(fc.constantFrom("same", "x".repeat(255), "x".repeat(300), "é")),
  });
}

type OddRequest = ReturnType<typeof oddRequest> extends fc.Arbitrary<infer Value> ? Value : never;

const encoded = (text: string): string =>
  encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd")).replaceAll(".", "%2e");

function askOdd(client: ApiClient, operation: ContractOperation, odd: OddRequest): Promise<ApiAnswer> {
  const path =
    odd.id === null ? pathOf(operation) : `/api/v1${operation.path.replaceAll(/\{\w+\}/g, encoded(odd.id))}`;
  const query = odd.query.map(([name, value]) => `${name}=${encoded(value)}`).join("&");
  return client.ask(operation.method, `${path}?${query}`, {
    ...(operation.method === "GET" ? {} : { body: odd.body }),
    headers: {
      ...(operation.method === "GET" ? {} : { "Content-Type": odd.type }),
      ...(odd.once === null ? {} : { "Idempotency-Key": odd.once.replace("é", "\u00e9") }),
    },
  });
}

test("nothing a client sends is answered as our own fault, or in an undocumented way", async () => {
  const operations = operationsOf(document);
  const numRuns = Math.floor(FUZZ_CALLS / operations.length);
  for (const operation of operations) {
    const client = await clientOf(portalId);
    await fc.assert(
      fc.asyncProperty(oddRequest(operation), async (odd) => {
        const answer = await askOdd(client, operation, odd);
        expect(answer.status).toBeLessThan(500);
        // An id may lead to another address, or to none.
        if (answer.status !== 404) expect(problemsOf(operation, answer)).toEqual([]);
      }),
      { seed: 20_261_127, numRuns, endOnFailure: true },
    );
  }
  const faults = site.logLines.filter((line) => /^\{"level":"(?:error|fatal)"/.test(line));
  expect(faults).toEqual([]);
});
