import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let own: ApiClient;
let other: ApiClient;

const MANY = 5;

/** The accounts, and who they are. */
let portals: readonly bigint[];

beforeAll(async () => {
  site = await startSite();
  portals = [await connect("ada"), await connect("zoe")];
});

/** A key answers a hundred requests in ten seconds: each test has one of its own. */
beforeEach(async () => {
  const clients = portals.map(async (id) => createApiClient(site.url, await giveKey(site.database, id)));
  [own, other] = (await Promise.all(clients)) as [ApiClient, ApiClient];
});

afterAll(() => site.close());

/** An account with enrollments of its own. */
async function connect(name: string): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  const portalId = BigInt(portal.portalId);
  await seedExecutions(
    site.database,
    Array.from({ length: MANY }, (_, index) => ({
      ...{ portalId, enrollmentStatus: "ENROLLED" as const, contactId: String(index + 1) },
      contactEmail: `${name}${index}@lead.example`,
    })),
  );
  return portalId;
}

const list = (query: string, client = own) => client.get(`/api/v1/enrollments?${query}`);

const emailsOf = async (query: string, client = own): Promise<string[]> =>
  (await list(query, client)).body.results.map(
    ({ contact }: { contact: { email: string } }) => contact.email,
  );

/** Every filter with a well-formed value; no enrollment matches all of them. */
const EVERY_FILTER =
  "contactId=1&email=a%40lead.example&sequenceId=9&senderUserId=9&status=QUEUED,WAITING,SENDING,ENROLLED,ALREADY_ENROLLED,SKIPPED,FAILED,CANCELLED" +
  "&reason=BLOCKED&workflowId=9&importId=9&source=agent&reference=none&createdAfter=2026-01-01T00:00:00Z&createdBefore=2026-01-02T00:00:00Z&updatedAfter=2026-01-01T00:00:00Z";

test.each([
  "status=QUEUED&reason=BLOCKED",
  "createdAfter=2030-01-01T00:00:00Z&createdBefore=2020-01-01T00:00:00Z",
  "createdAfter=2030-01-01T00:00:00Z&createdBefore=2030-01-01T00:00:00Z",
  "createdBefore=1970-01-01T00:00:00Z",
  "createdAfter=9998-12-31T23:59:59.999Z",
  "updatedAfter=2900-01-01T00:00:00Z",
  "updatedAfter=9998-12-31T23:59:59.999Z&sort=updatedAt",
  "contactId=999999999999999999",
  "importId=999999999999999999&source=workflow",
  "email=%25%25%25",
  "email=%27%3B%20DROP%20TABLE%20executions%3B--",
  "reference=%F0%9F%92%A9",
  EVERY_FILTER,
  `${EVERY_FILTER}&sort=updatedAt`,
])("filters that nothing can meet find nothing, and there is no more: %s", async (query) => {
  const { status, body } = await list(query);
  expect([status, body]).toEqual([200, { results: [] }]);
});

test("a status that is named twice counts once", async () => {
  expect(await emailsOf("status=ENROLLED,ENROLLED,FAILED")).toHaveLength(MANY);
});

const LONG = "9".repeat(10_000);

test.each([
  ...[
    ...["contactId", "email", "sequenceId", "senderUserId", "status", "reason", "workflowId", "importId"],
    ...["source", "reference", "createdAfter", "createdBefore", "updatedAfter", "sort", "limit", "after"],
  ].map((name) => [name, LONG] as const),
  ...["contactId", "sequenceId", "senderUserId", "workflowId", "importId"].map(
    (name) => [name, "-1"] as const,
  ),
  ["contactId", "1e3"],
  ["importId", "99999999999999999999"],
  ["senderUserId", "9223372036854775808"],
  ["status", ""],
  ["status", "ENROLLED,"],
  ["status", "enrolled"],
  ["status", "ENROLLED&status=FAILED"],
  ["email", "a%40lead.example&email=b%40lead.example"],
  ["email%5B%5D", "a"],
  ["email%5Bx%5D", "a"],
  ["email", ""],
  ["email", "%00"],
  ["reference", "a%00b"],
  ["source", "nowhere"],
  ["createdAfter", "2026-02-30T00:00:00Z"],
  ["createdAfter", "1970-01-01T00:00:00%2B14:00"],
  ["createdBefore", "%2B275760-09-13T00:00:00Z"],
  ["updatedAfter", "1764288000"],
  ["limit", "-1"],
  ["__proto__", "1"],
  ["constructor", "1"],
])("a value that cannot be is refused by its parameter's name: %s", async (name, value) => {
  const { status, body } = await list(`${name}=${value}`);
  expect([status, body.code]).toEqual([400, "INVALID_REQUEST"]);
  const named = body.errors.map((problem: { parameter: string }) => problem.parameter);
  expect(new Set(named)).toEqual(new Set([decodeURIComponent(name)]));
  expect(JSON.stringify(body).length).toBeLessThan(2_000);
});

test("a place in a list is of that order alone", async () => {
  const byTime = (await list("limit=2")).body.paging.next.after as string;
  const [refused, taken] = [await list(`sort=updatedAt&after=${byTime}`), await list(`after=${byTime}`)];
  expect([refused.status, refused.body.errors[0].parameter]).toEqual([400, "after"]);
  expect(taken.status).toBe(200);
  const text = (plain: string) => Buffer.from(plain).toString("base64url");
  for (const made of ["c.", "c.-1", "c.99999999999999999999", "u.1.2", "c.1 OR 1=1", "", "c.1.2"])
    expect((await list(`after=${text(made)}`)).status).toBe(400);
  for (const made of ["u.1", "u..2", "u.99999999999999999.1", "u.-1.1", "c.1"])
    expect((await list(`sort=updatedAt&after=${text(made)}`)).status).toBe(400);
  // Later than any calendar that the database knows, and the last id that there can be.
  const edge = await list(`sort=updatedAt&after=${text("u.99999999999999.999999999999999999")}`);
  expect([edge.status, edge.body]).toEqual([200, { results: [] }]);
});

test("a place in another account's list shows nothing of that account", async () => {
  const theirs = (await list("limit=2", other)).body.paging.next.after as string;
  const found = await emailsOf(`after=${theirs}`);
  expect(found.filter((email) => !email.startsWith("ada"))).toEqual([]);
  const all = await emailsOf("");
  expect(all).toHaveLength(MANY);
  expect(all.filter((email) => !email.startsWith("ada"))).toEqual([]);
});

test("nothing of it was a fault of the app's", () => {
  expect(site.logLines.filter((line) => /^\{"level":"(?:error|fatal)"/.test(line))).toEqual([]);
});
