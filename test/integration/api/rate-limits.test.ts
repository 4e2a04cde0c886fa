import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Foundation } from "../../../src/compose/foundation.js";
import { createHttp } from "../../../src/compose/web.js";
import { deleteOldRecords } from "#worker/sweeps/delete-old-records.js";
import { createApiClient, giveKey, type ApiAnswer } from "../../support/api-client.js";
import { install, startSite, type Site } from "../../support/site.js";

const LIMIT = 50;
const PATH = "/api/v1/presets";

let site: Site;
let portalId: bigint;
let another: { url: string; close(): void };

/** Two processes' worth of the app, each with a memory of its own, over one database. */
beforeAll(async () => {
  let foundation: Foundation | undefined;
  site = await startSite({
    change: (given) => (foundation = { ...given, config: { ...given.config, apiRateLimit: LIMIT } }),
  });
  if (foundation === undefined) throw new Error("the site was not composed");
  another = await serve(foundation);
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  portalId = BigInt(portal.portalId);
});

afterAll(async () => {
  another.close();
  await site.close();
});

async function serve(foundation: Foundation): Promise<typeof another> {
  const server = createServer(createHttp({ ...foundation, wake: () => undefined }, {}));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

const statuses = (answers: readonly ApiAnswer[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

/** Of the two sites in turn, a few at a time. */
async function askBoth(key: string, count: number): Promise<ApiAnswer[]> {
  const clients = [site.url, another.url].map((url) => createApiClient(url, key));
  const answers: ApiAnswer[] = [];
  for (let asked = 0; asked < count; asked += 6)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 6 }, (_, i) => clients[i % 2]?.get(PATH) as Promise<ApiAnswer>),
      )),
    );
  return answers;
}

test("an answer says how many requests the key has left, and until when", async () => {
  const client = createApiClient(site.url, await giveKey(site.database, portalId));
  const first = await client.get(PATH);
  expect(first.status).toBe(200);
  expect(first.headers.get("ratelimit-policy")).toBe(`"default";q=${LIMIT};w=10`);
  expect(first.headers.get("ratelimit")).toBe(`"default";r=${LIMIT - 1};t=10`);
  expect((await client.get(PATH)).headers.get("ratelimit")).toMatch(/^"default";r=48;t=\d+$/);
  const refused = await client.get(`${PATH}?nothing=1`);
  expect([refused.status, refused.headers.get("ratelimit")]).toEqual([
    400,
    expect.stringMatching(/^"default";r=47;t=\d+$/),
  ]);
});

test("two processes share a key's limit, and refuse what exceeds it until the window ends", async () => {
  const key = await giveKey(site.database, portalId);
  const answers = await askBoth(key, LIMIT * 2);
  expect(statuses(answers, 200)).toBeLessThanOrEqual(LIMIT);
  expect(statuses(answers, 200)).toBeGreaterThanOrEqual(LIMIT * 0.9);
  expect(statuses(answers, 200) + statuses(answers, 429)).toBe(answers.length);
  for (const { url } of [site, another]) {
    const { status, headers, body } = await createApiClient(url, key).get(PATH);
    expect([status, body.code, body.status]).toEqual([429, "RATE_LIMITED", 429]);
    expect(headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    const wait = headers.get("retry-after");
    expect(Number(wait)).toBeGreaterThanOrEqual(1);
    expect(Number(wait)).toBeLessThanOrEqual(10);
    expect(headers.get("ratelimit")).toBe(`"default";r=0;t=${wait}`);
  }
  const other = createApiClient(site.url, await giveKey(site.database, portalId));
  expect((await other.get(PATH)).status).toBe(200);
});

test("a burst at one process gets exactly the limit, and a flood beyond it costs the database nothing", async () => {
  const key = await giveKey(site.database, portalId);
  const client = createApiClient(site.url, key);
  const burst = await Promise.all(Array.from({ length: LIMIT * 2 }, () => client.get(PATH)));
  expect([statuses(burst, 200), statuses(burst, 429)]).toEqual([LIMIT, LIMIT]);
  const counted = await countOf(key);
  await Promise.all(Array.from({ length: LIMIT }, () => client.get(PATH)));
  expect(await countOf(key)).toEqual(counted);
});

test("requests are let through while they cannot be counted", async () => {
  const client = createApiClient(site.url, await giveKey(site.database, portalId));
  await site.database.pool.query("ALTER TABLE api_rate_limits RENAME TO api_rate_limits_away");
  try {
    const answer = await client.get(PATH);
    expect([answer.status, answer.headers.get("ratelimit")]).toEqual([200, null]);
  } finally {
    await site.database.pool.query("ALTER TABLE api_rate_limits_away RENAME TO api_rate_limits");
  }
  expect((await client.get(PATH)).headers.get("ratelimit")).not.toBeNull();
});

test("counts of windows that ended long ago are deleted, and no others", async () => {
  const key = await giveKey(site.database, portalId);
  await createApiClient(site.url, key).get(PATH);
  await site.database.pool.query("INSERT INTO api_rate_limits VALUES ('1:1', 3, $1)", [
    Date.now() - 4_000_000,
  ]);
  await deleteOldRecords(site.database.pool, () => false);
  const { rows } = await site.database.pool.query("SELECT FROM api_rate_limits WHERE key = '1:1'");
  expect([rows, await countOf(key)]).toEqual([[], expect.any(Number)]);
});

async function countOf(key: string): Promise<number | undefined> {
  const { rows } = await site.database.pool.query<{ points: number }>(
    `SELECT l.points FROM api_rate_limits l JOIN api_keys k ON l.key = k.portal_id || ':' || k.id
      WHERE k.portal_id = $1 AND k.prefix = $2`,
    [portalId, key.slice(4, 12)],
  );
  return rows[0]?.points;
}
