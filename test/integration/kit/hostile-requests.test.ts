import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import { v3Headers } from "../../support/signed-request.js";
import { startWebProcess, type WebProcess } from "../../support/web-process.js";

/** A process of its own: one that a request halts for good is noticed, and ended. */
let app: WebProcess;
/** The test in which it answered nothing anymore. */
let halted: string | undefined;

beforeAll(async () => {
  app = await startWebProcess();
});
afterAll(() => app.close());
beforeEach(async () => {
  expect(halted).toBeUndefined();
  await linesUntilNow();
});

/** Far above what a plain request takes on a busy machine, far below what one of these took. */
const LIMIT_MS = 1_500;
/** An answer is waited for no longer than this. */
const PATIENCE_MS = 5_000;
/** Node takes 16 kB of request line and headers. */
const LENGTH = 12_000;

interface Hostile {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** @returns how long the answer took; of one that does not come, how long it was waited for. */
async function send({ method = "GET", path, headers = {}, body }: Hostile): Promise<number> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const request = httpRequest({ port: app.port, method, path, headers, agent: false, signal }).end(body);
  try {
    const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
    await once(response.resume(), "end");
  } catch (error) {
    if (!signal.aborted) throw error;
    halted = expect.getState().currentTestName;
  }
  return performance.now() - startedAt;
}

let asked = 0;

/** What was logged since this was last asked: all of it, since what is logged for this question comes after it. */
async function linesUntilNow(): Promise<Record<string, unknown>[]> {
  const path = `/settings/activity/until-${(asked += 1)}.`;
  await send({ path: `${path}%zz` });
  expect(halted).toBeUndefined();
  const isLast = (line: Record<string, unknown>): boolean => String(line["path"]).startsWith(path);
  const endsAt = Date.now() + PATIENCE_MS;
  while (!app.logLines.some(isLast)) {
    expect(Date.now()).toBeLessThan(endsAt);
    await sleep(5);
  }
  return app.logLines.splice(0).filter((line) => !isLast(line));
}

const to = (unit: string, length = LENGTH) => unit.repeat(Math.ceil(length / unit.length));

/** Broken escapes and refused encodings end in the error handler, with all that was written in the error's message. */
const TEXTS: Record<string, string> = {
  "backslashes and a secret's name": `${to("\\")}"${to("token", 2_000)}`,
  "names without an end": to('"token'),
  "names that are none": to('\\"token\\":'),
  "a scheme without an end": to("a."),
  "addresses without an end": to("a://b:"),
  "parameters without an end": to("x=token"),
  "tokens without an end": to("eyJa."),
  words: to("aB1-"),
};

const FORM = { method: "POST", path: "/settings/alerts", body: "a=1" };
const FORM_TYPE = "application/x-www-form-urlencoded";

function everyWayIn(text: string): Record<string, Hostile> {
  const inPath = encodeURI(text).replaceAll("%5C", "\\").replaceAll("%22", '"');
  return {
    "a path that cannot be read": { path: `/settings/activity/${inPath}%zz` },
    "a path of the tab": { path: `/hubspot/settings/${inPath}%zz` },
    "a query": { path: `/settings?q=${inPath}%zz` },
    "a way back": { path: `/oauth/callback?code=1&state=${inPath}&returnUrl=${inPath}` },
    "an encoding": { ...FORM, headers: { "content-type": FORM_TYPE, "content-encoding": text } },
    "a charset": { ...FORM, headers: { "content-type": `${FORM_TYPE}; charset=${text}` } },
    "a type": { ...FORM, headers: { "content-type": text } },
    "a cookie": { path: "/settings", headers: { cookie: `session=${text}; ${text}` } },
    "a referer": { path: "/settings/%zz", headers: { referer: text, "user-agent": text } },
    "what is accepted": { path: "/nowhere", headers: { accept: text, "accept-language": text } },
    "many types accepted": { path: "/nowhere", headers: { accept: `${to(',"')}${text.slice(0, 100)}` } },
    "a signature": { method: "POST", path: "/hubspot/webhooks", headers: { "x-hubspot-signature-v3": text } },
    "a time": {
      method: "POST",
      path: "/hubspot/webhooks",
      headers: { "x-hubspot-signature-v3": "x", "x-hubspot-request-timestamp": text },
    },
    "a request id": { path: "/settings/%zz", headers: { "x-request-id": text } },
    "a credential": { path: "/metrics", headers: { authorization: text } },
  };
}

describe.each(Object.entries(TEXTS))("%s", (_text, text) => {
  test.each(Object.entries(everyWayIn(text)))("in %s hold nobody up", async (_way, hostile) => {
    const [hostileMs, healthMs] = await Promise.all([send(hostile), send({ path: "/healthz" })]);
    expect(hostileMs).toBeLessThan(LIMIT_MS);
    expect(healthMs).toBeLessThan(LIMIT_MS);
    // What was refused is not logged as a fault; faults of the database are, with their stack, whoever asks meanwhile.
    const lines = (await linesUntilNow()).filter(({ err }) => err === undefined);
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(1_000);
  });
});

describe("of a request that is refused, the log", () => {
  test("holds the status, code, type and beginning of the path, and nothing else the caller wrote", async () => {
    await send({ path: `/settings/activity/${to("a")}%zz` });
    const [line, ...others] = await linesUntilNow();
    expect(others).toEqual([]);
    expect(line).toMatchObject({ status: 400, code: "BAD_REQUEST", type: "URIError", method: "GET" });
    expect(line).not.toHaveProperty("err");
    expect(String(line?.["path"]).length).toBeLessThanOrEqual(201);
    expect(JSON.stringify(line)).not.toContain("Failed to decode");
  });

  test("holds no query: it may have a name or an address in it", async () => {
    for (const path of [
      "/settings/activity/%zz",
      "/api/v1/enrollments",
      "/hubspot/options/sequences",
      "/oauth/callback",
    ])
      await send({ path: `${path}?q=Ada%20Lovelace&email=bob@lead.example` });
    const lines = JSON.stringify(await linesUntilNow());
    expect(lines).toContain("/settings/activity/%zz");
    expect(lines).not.toMatch(/Ada|Lovelace|bob|lead\.example/);
  });

  test("has no part of a token in the path, wherever the path is cut", async () => {
    const token = "CKjX0JPGMhIUAAEAAQAAABAAAIAAgAAADgEYqJGqFiC8yqY4KJ3U6gIyFDhY1sC2lV9nQ0mR7tZpWx";
    for (const before of [100, 160, 178, 181, 190]) {
      await send({ path: `/settings/activity/${"x.".repeat(before / 2)}${token}${to(".y")}%zz` });
    }
    const lines = await linesUntilNow();
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(JSON.stringify(line)).not.toContain(token.slice(0, 6));
  });
});

describe("whatever a request's Host says", () => {
  const OTHER = "other.example";
  const body = JSON.stringify({
    callbackId: "ap-1-2-3",
    origin: { portalId: 1 },
    object: { objectId: 1 },
    inputFields: {},
  });

  async function ask(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string },
  ) {
    const { body: sent, ...rest } = options;
    const headers = { ...rest.headers, host: OTHER, "x-forwarded-host": OTHER, forwarded: `host=${OTHER}` };
    const request = httpRequest({ port: app.port, path, ...rest, headers, agent: false }).end(sent);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  }

  test("HubSpot's signature counts for PUBLIC_URL, and for no other address", async () => {
    const call = (origin: string) => {
      const signed = { url: origin + ENROLL_ROUTE, body, secret: app.clientSecret, timestamp: Date.now() };
      const headers = { "content-type": "application/json", ...v3Headers(signed) };
      return ask(ENROLL_ROUTE, { method: "POST", body, headers });
    };
    expect((await call(app.publicUrl)).status).toBe(200);
    for (const origin of [`http://${OTHER}`, `https://${OTHER}`])
      expect((await call(origin)).status).toBe(401);
  });

  test("no answer names it: links and redirects lead to PUBLIC_URL", async () => {
    for (const path of [
      "/",
      "/settings",
      "/oauth/install",
      "/settings/sign-in",
      "/api/v1/presets",
      "/api/docs",
      "/nowhere",
    ]) {
      const answer = await ask(path, {});
      expect(answer.text + JSON.stringify(answer.headers)).not.toContain(OTHER);
    }
    const { headers } = await ask("/oauth/install", {});
    expect(headers.location).toContain(encodeURIComponent(`${app.publicUrl}/oauth/callback`));
  });
});

test("of a form that a stranger sends, nothing is read: whatever it is, they are asked to sign in", async () => {
  for (const path of [
    "/settings/alerts",
    "/settings/policy",
    "/settings/activity/bulk",
    "/settings/sign-out",
  ]) {
    for (const headers of [
      { "content-type": FORM_TYPE, "content-encoding": "nonsense" },
      { "content-type": `${FORM_TYPE}; charset=nonsense` },
      { "content-type": FORM_TYPE, "content-length": String(9 * 1024 * 1024) },
    ]) {
      const request = httpRequest({ port: app.port, method: "POST", path, headers, agent: false });
      request.on("error", () => undefined).write("a=1");
      const [response] = (await once(request, "response")) as [{ statusCode: number }];
      expect(response.statusCode).toBe(303);
      request.destroy();
    }
  }
  expect(await linesUntilNow()).toEqual([]);
});
