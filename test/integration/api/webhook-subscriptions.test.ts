import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { adminOf } from "../../support/actors.js";
import type { Browser } from "../../support/browser.js";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { install, startSite, type Site } from "../../support/site.js";

const PATH = "/api/v1/webhook-subscriptions";

let site: Site;
let client: ApiClient;
let stranger: ApiClient;
let admin: Browser;

beforeAll(async () => {
  site = await startSite();
  admin = site.browser();
  [client, stranger] = [await connect(admin), await connect(site.browser())];
});

afterAll(() => site.close());

async function connect(browser: Browser): Promise<ApiClient> {
  const portal = site.simulator.addPortal();
  await install(site, browser, portal.portalId);
  const { portalId } = adminOf(BigInt(portal.portalId));
  return createApiClient(site.url, await giveKey(site.database, portalId));
}

const DRAFT = { url: "https://example.com/hooks?key=1", events: ["enrollment.ended"], description: "CRM" };

test("a subscription is made, read, changed, switched off and on, and deleted; its secret is shown once", async () => {
  const made = await client.post(PATH, DRAFT);
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({ ...DRAFT, status: "ACTIVE", disabledReason: null });
  expect(made.body.secret).toMatch(/^whsec_/);
  const path = `${PATH}/${made.body.id}`;
  expect(made.headers.get("location")).toBe(path);
  const read = await client.get(path);
  expect(read.body).toMatchObject(DRAFT);
  expect(read.text).not.toContain("whsec_");
  const off = await client.ask("PATCH", path, { body: { status: "DISABLED" } });
  expect(off.body).toMatchObject({ ...DRAFT, status: "DISABLED", disabledReason: "BY_REQUEST" });
  expect((await client.post(`${path}/test`)).body.code).toBe("CONFLICT");
  const on = await client.ask("PATCH", path, { body: { status: "ACTIVE", events: ["sender.refused"] } });
  expect(on.body).toMatchObject({ status: "ACTIVE", disabledReason: null, events: ["sender.refused"] });
  const tested = await client.post(`${path}/test`);
  expect([tested.status, tested.body.type, tested.body.status]).toEqual([202, "webhook.test", "PENDING"]);
  const listed = await client.get(`${path}/deliveries?limit=1`);
  expect(listed.body.results).toEqual([tested.body]);
  const again = await client.post(`${path}/deliveries/${tested.body.id}/redeliver`);
  expect([again.status, again.body.code]).toEqual([409, "CONFLICT"]);
  const rotated = await client.post(`${path}/rotate-secret`);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  expect(rotated.body.oldSecretUntil).not.toBeNull();
  expect((await client.get(PATH)).body.results).toHaveLength(1);
  expect((await client.ask("DELETE", path)).status).toBe(204);
  expect((await client.get(path)).status).toBe(404);
});

test("a secret is not stored with an answer that is kept to be repeated", async () => {
  const first = await client.post(PATH, DRAFT, { "Idempotency-Key": "subscribe-1" });
  const rotate = `${PATH}/${first.body.id}/rotate-secret`;
  const rotated = await client.post(rotate, undefined, { "Idempotency-Key": "rotate-1" });
  expect([first.body.secret, rotated.body.secret]).toEqual([
    expect.stringMatching(/^whsec_/),
    expect.stringMatching(/^whsec_/),
  ]);
  const { rows } = await site.database.pool.query<{ kept: string }>(
    "SELECT r::text AS kept FROM api_requests r",
  );
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain("whsec_");
  const again = await client.post(PATH, DRAFT, { "Idempotency-Key": "subscribe-1" });
  const { secret: _shownOnce, ...rest } = first.body;
  expect([again.status, again.headers.get("idempotent-replayed"), again.body]).toEqual([201, "true", rest]);
  await client.ask("DELETE", `${PATH}/${first.body.id}`);
});

test.each([
  [{ ...DRAFT, url: "http://example.com/" }, "/url"],
  [{ ...DRAFT, url: "https://10.0.0.7/" }, "/url"],
  [{ ...DRAFT, url: "https://[::ffff:127.0.0.1]/" }, "/url"],
  [{ ...DRAFT, events: [] }, "/events"],
  [{ ...DRAFT, events: ["contact.deleted"] }, "/events/0"],
])("what cannot be subscribed is refused with the field's name: %j", async (body, pointer) => {
  const answer = await client.post(PATH, body);
  expect([400, 422]).toContain(answer.status);
  expect(answer.body.errors).toContainEqual({ pointer, detail: expect.any(String) });
  expect((await client.get(PATH)).body.results).toEqual([]);
});

test("an address that cannot be read anymore is told as such, and is set again", async () => {
  const { body } = await client.post(PATH, DRAFT);
  const path = `${PATH}/${body.id}`;
  await site.database.pool.query(
    "UPDATE webhook_subscriptions SET url_sealed = 'lost:' || url_sealed WHERE id = $1",
    [body.id],
  );
  const listed = await client.get(PATH);
  expect([listed.status, listed.body.results]).toEqual([200, [expect.objectContaining({ url: null })]]);
  const page = await admin.get(`/settings/webhooks/${body.id}`);
  expect([page.status, page.text.includes("read this webhook's URL,")]).toEqual([200, true]);
  expect((await admin.get("/settings/webhooks")).text).toContain("URL unreadable");
  const off = await client.ask("PATCH", path, { body: { status: "DISABLED" } });
  expect([off.status, off.body.url, off.body.status]).toEqual([200, null, "DISABLED"]);
  const again = await client.ask("PATCH", path, { body: { url: DRAFT.url, status: "ACTIVE" } });
  expect([again.status, again.body.url, again.body.status]).toEqual([200, DRAFT.url, "ACTIVE"]);
  expect((await client.ask("DELETE", path)).status).toBe(204);
});

test("another account's key finds none of it", async () => {
  const { body } = await client.post(PATH, DRAFT);
  const path = `${PATH}/${body.id}`;
  const tries = [
    stranger.get(path),
    stranger.ask("PATCH", path, { body: { status: "DISABLED" } }),
    stranger.ask("DELETE", path),
    stranger.get(`${path}/deliveries`),
    stranger.post(`${path}/test`),
    stranger.post(`${path}/rotate-secret`),
  ];
  for (const answer of await Promise.all(tries)) expect(answer.status).toBe(404);
  expect((await stranger.get(PATH)).body.results).toEqual([]);
  expect((await client.get(path)).body).toMatchObject({ status: "ACTIVE", oldSecretUntil: null });
});
