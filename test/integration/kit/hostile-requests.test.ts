import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startRunningApp, type RunningApp } from "../../support/start-app.js";

let app: RunningApp;

beforeAll(async () => {
  app = await startRunningApp({ environment: { ROLE: "web" } });
});
afterAll(() => app.close());
beforeEach(() => void app.logLines.splice(0));

/** Far above what a plain request takes on a busy machine, far below what one of these took. */
const LIMIT_MS = 1_500;
/** Node takes 16 kB of request line and headers. */
const LENGTH = 12_000;

interface Hostile {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

async function send({ method = "GET", path, headers = {}, body }: Hostile): Promise<number> {
  const startedAt = performance.now();
  const request = httpRequest(
    ...([{ port: app.config.port, method, path, headers, agent: false }] as const),
  ).end(body);
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
  response.resume();
  await once(response, "end");
  return performance.now() - startedAt;
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
    const lines = app.logLines.filter(({ err }) => err === undefined);
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(1_000);
  });
});

describe("of a request that is refused, the log", () => {
  test("holds the status, code, type and beginning of the path, and nothing else the caller wrote", async () => {
    await send({ path: `/settings/activity/${to("a")}%zz` });
    expect(app.logLines).toHaveLength(1);
    const [line] = app.logLines;
    expect(line).toMatchObject({ status: 400, code: "BAD_REQUEST", type: "URIError", method: "GET" });
    expect(line).not.toHaveProperty("err");
    expect(String(line?.["path"]).length).toBeLessThanOrEqual(201);
    expect(JSON.stringify(line)).not.toContain("Failed to decode");
  });

  test("has no part of a token in the path, wherever the path is cut", async () => {
    const token = "CKjX0JPGMhIUAAEAAQAAABAAAIAAgAAADgEYqJGqFiC8yqY4KJ3U6gIyFDhY1sC2lV9nQ0mR7tZpWx";
    for (const before of [100, 160, 178, 181, 190]) {
      await send({ path: `/settings/activity/${"x.".repeat(before / 2)}${token}${to(".y")}%zz` });
    }
    expect(app.logLines).toHaveLength(5);
    for (const line of app.logLines) expect(JSON.stringify(line)).not.toContain(token.slice(0, 6));
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
      const request = httpRequest({ port: app.config.port, method: "POST", path, headers, agent: false });
      request.on("error", () => undefined).write("a=1");
      const [response] = (await once(request, "response")) as [{ statusCode: number }];
      expect(response.statusCode).toBe(303);
      request.destroy();
    }
  }
  expect(app.logLines).toEqual([]);
});
