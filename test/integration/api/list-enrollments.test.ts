import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let otherId: bigint;

beforeAll(async () => {
  site = await startSite();
  [portalId, otherId] = [await connect(), await connect()];
  await seedExecutions(site.database, [
    { portalId, enrollmentStatus: "ENROLLED", contactId: "1", contactEmail: "Ada@lead.example" },
    { portalId, enrollmentStatus: "FAILED", errorCode: "BOUNCED", contactId: "2" },
    { portalId, contactId: "3" },
    { portalId: otherId, enrollmentStatus: "ENROLLED", contactId: "1" },
  ]);
});

afterAll(() => site.close());

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

const get = async (query: string, id = portalId) =>
  createApiClient(site.url, await giveKey(site.database, id)).get(`/api/v1/enrollments${query}`);

const contactsOf = async (query: string, id = portalId): Promise<string[]> =>
  (await get(query, id)).body.results.map(({ contact }: { contact: { id: string } }) => contact.id);

test("a list holds the key's own account's enrollments alone, newest first", async () => {
  expect(await contactsOf("")).toEqual(["3", "2", "1"]);
  expect(await contactsOf("", otherId)).toEqual(["1"]);
});

test("filters are combined, and a status may be one of several", async () => {
  expect(await contactsOf("?status=ENROLLED,FAILED")).toEqual(["2", "1"]);
  expect(await contactsOf("?status=FAILED&reason=BOUNCED")).toEqual(["2"]);
  expect(await contactsOf("?email=ada%40LEAD.example")).toEqual(["1"]);
  expect(await contactsOf("?status=FAILED&contactId=1")).toEqual([]);
});

test.each(["", "&sort=updatedAt"])(
  "pages follow each other to the last, which has no paging%s",
  async (sort) => {
    // Other writers of the database server hold changes back for as long as they take.
    while ((await get(`?limit=3${sort}`)).body.results.length < 3);
    const first = await get(`?limit=2${sort}`);
    expect(first.body.results).toHaveLength(2);
    const second = await get(`?limit=2${sort}&after=${first.body.paging.next.after}`);
    expect(second.body.results).toHaveLength(1);
    expect(second.body).not.toHaveProperty("paging");
  },
);

test.each([
  ["limit", "limit=201"],
  ["limit", "limit=0"],
  ["after", "after=bm90aGluZw"],
  ["status", "status=ENROLLED,LOST"],
  ["sort", "sort=name"],
  ["createdAfter", "createdAfter=yesterday"],
  ["updatedAfter", "updatedAfter=0001-01-01T00:00:00Z"],
  ["contactId", "contactId=abc"],
  ["color", "color=red"],
])("a wrong %s is refused by name: %s", async (parameter, query) => {
  const { status, body } = await get(`?${query}`);
  expect([status, body.code]).toEqual([400, "INVALID_REQUEST"]);
  expect(body.errors).toEqual([expect.objectContaining({ parameter })]);
});
