import { beforeAll, expect, test } from "@jest/globals";
import { createLogger } from "#platform/observability/logger.js";
import { Closers } from "../../src/compose/closers.js";
import { createFoundation } from "../../src/compose/foundation.js";
import { createHttp } from "../../src/compose/web.js";
import type { Browser } from "../support/browser.js";
import { routesOf } from "../support/routes.js";
import type { FormCall } from "../support/settings-routes.js";
import {
  SECRET,
  firstAccount,
  forms,
  other,
  portal,
  reads,
  running,
  signIn,
  tokenOf,
  useTwoAccounts,
} from "../support/two-accounts.js";

/** What nobody types, escaped as a form or an address would carry it. */
const ODD: Readonly<Record<string, string>> = {
  nothing: "",
  "a NUL": "a%00b",
  "half a surrogate pair": "%ED%A0%80",
  "bytes that are no text": "%C3%28%FF",
  "an escape that is none": "%zz",
  "a number below nothing": "-1",
  "a number past a bigint": "9223372036854775808",
  "a number past everything": "9".repeat(400),
  "a number with an exponent": "1e309",
  "a fraction": "0.1",
  "no number": "NaN",
  "digits of another script": encodeURIComponent("٣۴１"),
  "an odd day": "2027-02-30T25%3A61",
  "a day before all days": "-271821-04-20",
  "a name that every object has": "__proto__",
  "another one": "constructor",
  "a way out": "..%2F..%2F..%2Fetc%2Fpasswd",
  "lines and headers": "a%0D%0ASet-Cookie%3A%20x%3Dy",
  "a pattern": "%25_%5C%5B(a%2B)%2B%24",
  "what ends a statement": "'%3B%20DROP%20TABLE%20portals%3B--",
  markup: "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
  "too many letters": "x".repeat(8_000),
  "combining letters": encodeURIComponent("Z\u0351\u036b".repeat(300)),
};

const TYPES: Readonly<Record<string, string>> = {
  "application/json": '{"name":{"__proto__":1}}',
  "text/plain": "name=1",
  "multipart/form-data": "--x\r\n",
  "multipart/form-data; boundary=x": '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n',
  "application/x-www-form-urlencoded; charset=utf-7": "name=+AGE-",
  "application/octet-stream": "\0",
};

/** These end the account or the visit. */
const LAST = ["/settings/danger/erase", "/settings/danger/disconnect", "/settings/sign-out"];
/** The site takes two requests of an account at once. */
const AT_ONCE = 2;
/** Another few for the next field: all of them are in some field of some form. */
const ODD_PER_FIELD = 5;

useTwoAccounts();

let admin: Browser;
let token: string;
/** Every field of every form on the site, and every parameter in one of its links. */
let names: Set<string>;
let routes: string[];
/** The answers that there were. */
const seen = new Set<number>();

beforeAll(async () => {
  admin = await signIn(portal);
  token = await tokenOf(admin);
  names = new Set(["constructor", "__proto__", "a[b][c]", "a[]"]);
  for (const { path } of await reads()) {
    const { text } = await admin.get(path);
    for (const [, name = ""] of text.matchAll(/ name="([^"]+)"/g)) names.add(name);
    for (const [, name = ""] of text.matchAll(/[?;]([a-z_]+)=/g)) names.add(name);
  }
  names.delete("form_token");
  routes = await everyRoute();
});

async function everyRoute(): Promise<string[]> {
  const closers = new Closers();
  const logger = createLogger({ level: "silent" });
  const { config } = running;
  const foundation = await createFoundation({ config, logger }, closers);
  closers.add(() => foundation.queue.stop({ graceMs: 1_000 }));
  const served = routesOf(createHttp(foundation));
  await closers.run(logger);
  return served;
}

interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly type?: string;
  readonly body?: string;
}

/** What came of all of them that must not: a failed answer, or a word in the log that something did. */
async function faultsOf(all: readonly Sent[], { as = admin }: { as?: Browser } = {}): Promise<unknown[]> {
  const found: unknown[] = [];
  running.logLines.splice(0);
  const waiting = [...all];
  const session = as
    .cookieNames()
    .map((name) => `${name}=${as.cookie(name)}`)
    .join("; ");
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const { path, method = "GET", type = "application/x-www-form-urlencoded", body } = one;
      const answer = await fetch(running.publicUrl + path, {
        method,
        redirect: "manual",
        headers: { cookie: session, ...(body === undefined ? {} : { "content-type": type }) },
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.text();
      seen.add(answer.status);
      const isForeign = as !== admin && text.includes(SECRET);
      if (answer.status >= 500 || isForeign) found.push({ ...one, status: answer.status, isForeign });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return [...found, ...running.logLines.filter(({ level }) => Number(level) >= 50)];
}

const encoded = (fields: readonly (readonly string[])[]): string =>
  fields.map(([name = "", value = ""]) => `${encodeURIComponent(name)}=${value}`).join("&");

const escaped = ({ fields }: FormCall): string[][] =>
  fields.map(([name = "", value = ""]) => [name, encodeURIComponent(value)]);

const harmlessForms = async (): Promise<FormCall[]> =>
  (await forms()).filter(({ path }) => !LAST.includes(path));

const post = (path: string, fields: readonly (readonly string[])[]): Sent => ({
  path,
  method: "POST",
  body: encoded([...fields, ["form_token", encodeURIComponent(token)]]),
});

test.each(Object.entries(ODD))("%s in an address", async (_name, odd) => {
  const query = encoded([...names].map((name) => [name, odd.slice(0, 60)]));
  const all = routes
    .filter((route) => route.startsWith("GET "))
    .map((route) => route.replace("GET ", ""))
    .flatMap((path) => [
      { path: `${path.replaceAll(/:\w+/g, "1")}?${query}` },
      ...(path.includes(":") ? [{ path: path.replaceAll(/:\w+/g, odd.slice(0, 2_000)) }] : []),
    ]);
  expect(await faultsOf(all)).toEqual([]);
});

test.each(Object.entries(ODD))("%s in a form", async (_name, odd) => {
  const all = (await harmlessForms()).flatMap((form) => {
    const fields = escaped(form);
    const everyName = new Set([...fields.map(([name = ""]) => name), ...names]);
    const lists = fields.map(([name = ""]) => [`${name}[]`, odd]);
    return [
      post(
        form.path,
        [...everyName].map((name) => [name, odd]),
      ),
      post(form.path, [...fields, ...fields.map(([name = ""]) => [name, odd]), ...lists]),
    ];
  });
  expect(await faultsOf(all)).toEqual([]);
});

test("an odd value in one field of a form that is right otherwise", async () => {
  const values = Object.values(ODD);
  const all = (await harmlessForms()).flatMap((form, nth) => {
    const fields = escaped(form);
    return fields.flatMap((_, at) =>
      Array.from({ length: ODD_PER_FIELD }, (_none, turn) => {
        const odd = values[(nth + at + turn * ODD_PER_FIELD) % values.length] ?? "";
        return post(
          form.path,
          fields.map(([name = "", value = ""], place) => [name, place === at ? odd : value]),
        );
      }),
    );
  });
  expect(await faultsOf(all)).toEqual([]);
});

test("a form of another type, too large, or with too many fields", async () => {
  const all = (await harmlessForms()).flatMap(({ path }) => [
    ...Object.entries(TYPES).map(([type, body]) => ({ path, method: "POST", type, body })),
    { path, method: "POST", body: `name=${"x".repeat(300_000)}` },
    { path, method: "POST", body: "name=1&".repeat(3_000) },
    { path, method: "POST", body: `form_token=${token}&${"&".repeat(10_000)}` },
  ]);
  expect(await faultsOf(all)).toEqual([]);
});

test("another method than the address has", async () => {
  const paths = new Set(routes.map((route) => (route.split(" ")[1] ?? "").replaceAll(/:\w+/g, "1")));
  const all = [...paths].flatMap((path) => {
    return ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"].map((method) => ({ path, method }));
  });
  expect(await faultsOf(all.filter(({ path }) => !LAST.includes(path)))).toEqual([]);
});

test("ids of another account, in every spelling, show nothing of it", async () => {
  const stranger = await signIn(other);
  const spellings = (id: string) => [
    id,
    `0${id}`,
    `+${id}`,
    `%20${id}`,
    `${id}.0`,
    `${id}%00`,
    `${id}e0`,
    `0x${BigInt(id).toString(16)}`,
  ];
  const all = (await reads()).flatMap(({ path }) => {
    const [id] = /\d+/.exec(path) ?? [];
    return [
      ...(id === undefined ? [] : spellings(id).map((spelling) => ({ path: path.replace(id, spelling) }))),
      ...spellings(String(firstAccount())).map((spelling) => ({
        path: `${path}${path.includes("?") ? "&" : "?"}${["portalId", "portal", "account", "portal_id", "portalId[]"].map((name) => `${name}=${spelling}`).join("&")}`,
      })),
    ];
  });
  expect(await faultsOf(all, { as: stranger })).toEqual([]);
});

test("after all of that the admin's pages are as before, and what ends a visit takes odd fields, too", async () => {
  expect((await admin.get("/settings")).status).toBe(200);
  // Pages were shown, forms taken and refused for what was in them, and not for a lack of rights.
  for (const status of [200, 303, 404, 422]) expect([...seen]).toContain(status);
  const all = LAST.flatMap((path) =>
    Object.values(ODD).map((odd) =>
      post(
        path,
        [...names].map((name) => [name, odd]),
      ),
    ),
  );
  expect(await faultsOf(all)).toEqual([]);
});
