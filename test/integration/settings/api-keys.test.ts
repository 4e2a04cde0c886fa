import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createApiClient } from "../../support/api-client.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";

const PAGE = "/settings/api-keys";
const KEY = /sqe_([A-Za-z0-9]{8})_[\w-]{43}/;

let site: Site;
let admin: Browser;
let stranger: Browser;

beforeAll(async () => {
  site = await startSite();
  [admin, stranger] = [await connect(), await connect()];
});

afterAll(() => site.close());

async function connect(): Promise<Browser> {
  const browser = site.browser();
  await install(site, browser, site.simulator.addPortal().portalId);
  return browser;
}

async function send(browser: Browser, path: string, fields: string[][]) {
  const { text } = await browser.get(PAGE);
  return browser.post(path, [["form_token", hiddenField(text, "form_token")], ...fields]);
}

async function makeKey(name: string) {
  const made = await send(admin, PAGE, [
    ["name", name],
    ["scopes", "enrollments:read"],
    ["expires", "2099-01-31"],
  ]);
  const [key = "", prefix = ""] = KEY.exec(made.text) ?? [];
  return { made, key, prefix };
}

const statusWith = async (key: string) =>
  (await createApiClient(site.url, key).get("/api/v1/presets")).status;

async function isRefusedWithin(key: string, limitMs: number): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    if ((await statusWith(key)) === 401) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

test("a key made on the page is shown once, opens the API, and is refused within 5 s once revoked", async () => {
  const { made, key, prefix } = await makeKey("Nightly import");
  expect([made.status, made.headers.get("cache-control"), made.location]).toEqual([
    200,
    "no-store",
    undefined,
  ]);
  expect(await statusWith(key)).toBe(200);
  const list = (await admin.get(PAGE)).text;
  for (const shown of ["Nightly import", prefix, "enrollments:read", "Active"]) expect(list).toContain(shown);
  const secret = key.slice(`sqe_${prefix}_`.length);
  expect([list.includes(secret), site.logLines.some((line) => line.includes(secret))]).toEqual([
    false,
    false,
  ]);

  await send(admin, `${PAGE}/revoke`, [["prefix", prefix]]);
  expect(await isRefusedWithin(key, 5_000)).toBe(true);
  const after = (await admin.get(PAGE)).text;
  expect([after.includes("Key revoked."), after.includes(">Revoked<")]).toEqual([true, true]);
  const audit = (await admin.get("/settings/audit")).text;
  for (const told of ["API key", "revoked", "created", prefix]) expect(audit).toContain(told);
});

test("another account's admin neither sees nor revokes a key", async () => {
  const { key, prefix } = await makeKey("Ours alone");
  const page = (await stranger.get(PAGE)).text;
  expect([page.includes(prefix), page.includes("Ours alone")]).toEqual([false, false]);
  await send(stranger, `${PAGE}/revoke`, [["prefix", prefix]]);
  expect((await stranger.get(PAGE)).text).toContain("Nothing was revoked");
  expect(await statusWith(key)).toBe(200);
  expect((await admin.get(PAGE)).text).toContain("Active");
});

test("a key without name or scope, or with a day that is over, is not made, and the page says why", async () => {
  const before = await site.database.prisma.apiKey.count();
  const answer = await send(admin, PAGE, [["expires", "2020-02-01"]]);
  expect(answer.status).toBe(422);
  for (const told of ["Give the key a name", "Choose at least one scope", "Choose a day in the future"])
    expect(answer.text).toContain(told);
  expect((await send(admin, PAGE, [["expires", "2027-02-31"]])).text).toContain("Enter a date");
  expect(await site.database.prisma.apiKey.count()).toBe(before);
});
