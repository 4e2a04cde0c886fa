import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { guardExchange } from "#web/oauth/exchange-guard.js";
import { startSite, type Site } from "../../support/site.js";

let site: Site;

beforeEach(async () => {
  site = await startSite();
});
afterEach(() => site.close());

const tokenCalls = () => site.simulator.requests.filter(({ path }) => path.endsWith("/token")).length;

const callback = (code: string) => fetch(`${site.url}/oauth/callback?code=${code}`, { redirect: "manual" });

test("made-up codes cost HubSpot a few questions, and then a minute's patience is asked for", async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, () => callback(randomUUID())));
  const statuses = answers.map(({ status }) => status);
  expect(tokenCalls()).toBeLessThanOrEqual(10);
  expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(90);
  const busy = answers.find(({ status }) => status === 503);
  expect(busy?.headers.get("retry-after")).toBe("60");
  expect(await busy?.text()).toContain("Try again in a minute");
});

test("what cannot be a code, and a code that was refused before, is never asked about", async () => {
  for (const odd of [
    "short",
    "x".repeat(513),
    "a%20code%20with%20blanks",
    "%00%00%00%00%00%00%00%00",
    "<script>1",
  ]) {
    expect((await callback(odd)).status).toBe(400);
  }
  expect(tokenCalls()).toBe(0);
  const code = randomUUID();
  for (let at = 0; at < 20; at += 1) expect((await callback(code)).status).toBe(400);
  expect(tokenCalls()).toBe(1);
});

test("installs that succeed use up nothing, however many there are", async () => {
  for (let at = 0; at < 25; at += 1) {
    const { portalId } = site.simulator.addPortal();
    const browser = site.browser();
    const start = await browser.get("/oauth/install");
    const landing = await browser.get(site.simulator.authorize(start.location ?? "", { portalId }));
    expect(landing.location).toBe(`${site.url}/settings`);
  }
});

test("an install that comes in a rush is as good afterwards: its state was not used up", async () => {
  const { portalId } = site.simulator.addPortal();
  const browser = site.browser();
  const start = await browser.get("/oauth/install");
  const link = site.simulator.authorize(start.location ?? "", { portalId });
  for (let at = 0; at < 12; at += 1) await callback(randomUUID());
  expect((await browser.get(link)).status).toBe(503);
  await new Promise((resolve) => setTimeout(resolve, 6_500));
  expect((await browser.get(link)).location).toBe(`${site.url}/settings`);
});

test("one peer's junk leaves room for another's, and all peers' together is bounded", async () => {
  let nowMs = 0;
  let asked = 0;
  const guard = guardExchange({
    exchangeCode: () => Promise.resolve({ kind: "code-refused" as const }).finally(() => (asked += 1)),
    nowMs: () => nowMs,
  });
  for (let at = 0; at < 50; at += 1) await guard.exchange(randomUUID(), "first");
  expect(asked).toBe(10);
  expect(guard.hasRoom("first")).toBe(false);
  expect(guard.hasRoom("second")).toBe(true);
  for (let peer = 0; peer < 5_000; peer += 1) await guard.exchange(randomUUID(), `peer ${peer}`);
  expect(asked).toBe(30);
  nowMs += 60_000;
  expect(guard.hasRoom("first")).toBe(true);
});
