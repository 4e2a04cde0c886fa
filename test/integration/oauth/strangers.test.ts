import { randomUUID } from "node:crypto";
import { get } from "node:http";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { EXCHANGE_LIMITS, guardExchange, type ExchangeLimits } from "#web/oauth/exchange-guard.js";
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

/** A code without a state, from an address of this machine's own. */
function callFrom(localAddress: string, code: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${site.url}/oauth/callback?code=${code}`, { localAddress }, (answer) => {
      answer.resume().once("end", () => {
        resolve(answer.statusCode ?? 0);
      });
    }).once("error", reject);
  });
}

/** Goes to HubSpot's consent page in a new browser; what is left is to follow the link that HubSpot gives. */
async function consented() {
  const { portalId } = site.simulator.addPortal();
  const browser = site.browser();
  const start = await browser.get("/oauth/install");
  return { browser, link: site.simulator.authorize(start.location ?? "", { portalId }) };
}

test("strangers' refused codes, of many addresses, keep nobody waiting who signs in from here", async () => {
  const { browser, link } = await consented();
  const addresses = Array.from({ length: 6 }, (_, at) => `127.0.0.${at + 1}`);
  const answers = await Promise.all(
    addresses.flatMap((address) => Array.from({ length: 12 }, () => callFrom(address, randomUUID()))),
  );
  expect(answers).toContain(503);
  expect((await browser.get(link)).location).toBe(`${site.url}/settings`);
});

test("strangers' codes about which HubSpot is silent keep nobody waiting who signs in", async () => {
  const { browser, link } = await consented();
  site.simulator.setLatency(2_500);
  const strangers = Array.from({ length: 20 }, () => callback(randomUUID()));
  while (tokenCalls() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  site.simulator.setLatency(0);
  const beganAt = performance.now();
  expect((await browser.get(link)).location).toBe(`${site.url}/settings`);
  expect(performance.now() - beganAt).toBeLessThan(2_000);
  await Promise.all(strangers);
});

test("an install that comes in a rush of browsers is as good afterward: its state was not used up", async () => {
  const { browser, link } = await consented();
  const junk = site.browser();
  const states: string[] = [];
  // More than fill the bucket: it forgets one a second, and a busy machine takes seconds for all of them.
  for (let at = 0; at < EXCHANGE_LIMITS.browser.refusedPerPeer + 8; at += 1)
    states.push(new URL((await junk.get("/oauth/install")).location ?? "").searchParams.get("state") ?? "");
  await Promise.all(
    states.map((state) =>
      junk.get(`/oauth/callback?code=${randomUUID()}&state=${encodeURIComponent(state)}`),
    ),
  );
  let answer = await browser.get(link);
  expect(answer.status).toBe(503);
  for (let tries = 0; tries < 20 && answer.status === 503; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, EXCHANGE_LIMITS.browser.forgetMs));
    answer = await browser.get(link);
  }
  expect(answer.location).toBe(`${site.url}/settings`);
});

/** A guard of strangers' codes, by a clock that stands still, before a HubSpot that refuses all. */
function guardOf(limits: Partial<ExchangeLimits> = {}) {
  const hubspot = { nowMs: 0, asked: 0, answer: () => Promise.resolve() };
  const guard = guardExchange({
    exchangeCode: async () => {
      hubspot.asked += 1;
      await hubspot.answer();
      return { kind: "code-refused" as const };
    },
    nowMs: () => hubspot.nowMs,
    limits: { ...EXCHANGE_LIMITS.stranger, ...limits },
  });
  const send = async (peer: string): Promise<boolean> => {
    const place = await guard.enter(peer);
    await place?.exchange(randomUUID());
    place?.leave();
    return place !== undefined;
  };
  return { hubspot, send };
}

test("one peer's junk leaves room for another's, and all peers' together is bounded", async () => {
  const { hubspot, send } = guardOf();
  for (let at = 0; at < 50; at += 1) await send("first");
  expect(hubspot.asked).toBe(10);
  expect(await send("first")).toBe(false);
  expect(await send("second")).toBe(true);
  for (let peer = 0; peer < 5_000; peer += 1) await send(`peer ${peer}`);
  expect(hubspot.asked).toBe(30);
  hubspot.nowMs += 60_000;
  expect(await send("first")).toBe(true);
});

test("who finds all places taken waits for one, in turn, and is sent away if none comes free in time", async () => {
  const { hubspot, send } = guardOf({ atOnce: 2, waiting: 3, patienceMs: 50 });
  const answers: (() => void)[] = [];
  hubspot.answer = () => new Promise((resolve) => void answers.push(resolve));
  const sent = ["a", "b", "c", "d", "e", "f"].map(send);
  expect(await sent[5]).toBe(false);
  expect(hubspot.asked).toBe(2);
  answers.shift()?.();
  expect(await sent[0]).toBe(true);
  while (hubspot.asked < 3) await new Promise((resolve) => setImmediate(resolve));
  expect([await sent[3], await sent[4]]).toEqual([false, false]);
  for (const answer of answers) answer();
  expect(await Promise.all(sent)).toEqual([true, true, true, false, false, false]);
  hubspot.answer = () => Promise.resolve();
  expect(await send("g")).toBe(true);
});
