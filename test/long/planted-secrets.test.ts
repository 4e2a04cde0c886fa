import { createServer, request as send, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import { ENROLL_ROUTE, REQUESTED_PROPERTIES } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createApiClient, giveKey } from "../support/api-client.js";
import { query } from "../support/sql.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const METRICS_TOKEN = "planted-metrics-token-000001";
const MAIL_PASSWORD = "planted-Mail-pw";
const WEBHOOK_PATH = "/planted-webhook-path-aB3";
const STATUSES = [200, 400, 401, 403, 404, 409, 429, 500];
/** How an error may repeat the request that it is about. */
const ECHOES: readonly (readonly [string, (request: string) => string])[] = [
  ["application/json", (echo) => JSON.stringify({ status: "error", message: `refused: ${echo}` })],
  ["application/json", (echo) => JSON.stringify({ errors: [{ message: echo, code: echo }] })],
  ["application/json", (echo) => JSON.stringify({ error: echo, error_description: echo })],
  ["application/json", (echo) => JSON.stringify({ message: JSON.stringify({ headers: { sent: echo } }) })],
  ["text/plain", (echo) => `failed for ${echo}`],
];

let running: RunningApp;
let hubspot: Server;
let echoUrl: string;
/** How HubSpot answers everything; undefined: as the simulator does. */
let answer: { status: number; type: string; body: (request: string) => string } | undefined;
/** Each with what it is, for the report of a failure. */
const secrets = new Map<string, string>();
const shown: string[] = [];
/** HubSpot's errors name the contact by it, too. */
let latestAddress = "";

/** Every token and every form's secret that goes over the wire in either direction. */
function listen(text: string): void {
  const found = [
    ...text.matchAll(/(?:refresh_token|client_secret|code)=([^&\s]{8,})/g),
    ...text.matchAll(/"(?:refresh_token|access_token)":"([^"]+)"/g),
    ...text.matchAll(/Bearer ([\w.~+/=-]{16,})/g),
  ];
  for (const [whole, secret = ""] of found) secrets.set(secret, `on the wire: ${whole.slice(0, 20)}…`);
}

/** Stands before the simulator, hears all secrets, and repeats each request in its errors. */
async function startEcho(): Promise<string> {
  hubspot = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { authorization = "" } = request.headers;
      const sent = `${authorization} ${Buffer.concat(parts).toString("utf8")} ${request.url}`;
      listen(sent);
      const echo = `${sent} of ${latestAddress}`;
      if (answer !== undefined) {
        response.writeHead(answer.status, { "content-type": answer.type }).end(answer.body(echo));
        return;
      }
      const { hostname, port, host } = new URL(running.simulator.url);
      const { "accept-encoding": _, ...headers } = request.headers;
      const { method, url: path } = request;
      const onward = send({ hostname, port, method, path, headers: { ...headers, host } }, (given) => {
        const chunks: Buffer[] = [];
        given.on("data", (chunk: Buffer) => chunks.push(chunk));
        given.on("end", () => {
          listen(Buffer.concat(chunks).toString("utf8"));
          const { "content-length": __, "transfer-encoding": ___, ...rest } = given.headers;
          response.writeHead(given.statusCode ?? 500, rest).end(Buffer.concat(chunks));
        });
      });
      onward.once("error", () => response.destroy());
      onward.end(Buffer.concat(parts));
    });
  });
  await new Promise<void>((resolve) => hubspot.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(hubspot.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  echoUrl = await startEcho();
  running = await startRunningApp({
    environment: {
      HUBSPOT_API_URL: echoUrl,
      PRIVATE_DESTINATIONS: new URL(echoUrl).host,
      SMTP_URL: `smtp://operator:${MAIL_PASSWORD}@127.0.0.1:9`,
      MAIL_FROM: "ops@example.com",
      METRICS_TOKEN,
    },
  });
  const { SESSION_SECRET = "", HUBSPOT_CLIENT_SECRET = "", ENCRYPTION_KEYS = "" } = running.environment;
  const planted = { SESSION_SECRET, HUBSPOT_CLIENT_SECRET, METRICS_TOKEN, MAIL_PASSWORD };
  for (const [name, secret] of Object.entries(planted)) secrets.set(secret, name);
  secrets.set(ENCRYPTION_KEYS.split(":")[1] ?? "", "ENCRYPTION_KEYS");
  const { password } = new URL(running.db.url);
  if (password !== "") secrets.set(password, "the database's password");
});

afterAll(async () => {
  await running.close();
  hubspot.close();
});

/** Lets everything happen that asks HubSpot: contacts, copies, refreshes, sign-ins; and looks at the pages. */
async function tryAll(portal: SimulatedPortal, round: number, look: () => Promise<string>): Promise<void> {
  const route = round % 3 === 2 ? CHECK_ENROLLMENT_ROUTE : ENROLL_ROUTE;
  const contact = portal.addContact();
  latestAddress = contact.properties["email"] ?? "";
  const run = portal.runAction({
    actionUrl: running.publicUrl + route,
    contactIds: [contact.id],
    inputs: { sequence_id: [...portal.sequences.keys()][0] ?? "", sender_mode: "contact_owner" },
    objectProperties: [...REQUESTED_PROPERTIES],
  });
  await run.answered;
  await running.db.database.pool.query(
    `UPDATE portal_tokens SET access_expires_at = now() + interval '1 minute', refresh_not_before = NULL;
     UPDATE portal_drains SET circuit_open_until = now() WHERE circuit_open_until IS NOT NULL;
     UPDATE portals SET directory_requested_at = now(), flows_requested_at = now();
     UPDATE executions SET due_at = now() - interval '1 millisecond' WHERE completed_at IS NULL`,
  );
  const code = `planted-code-${round}-abcdefgh`;
  secrets.set(code, "a code of a stranger");
  const callback = await fetch(`${running.publicUrl}/oauth/callback?code=${code}`, { redirect: "manual" });
  shown.push(await callback.text(), await look());
}

const isAboutContact = ({ err }: Record<string, unknown>): boolean =>
  JSON.stringify(err ?? "").includes("failed for Bearer");

/** Requests that are wrong in many ways, with the key where it belongs and where it does not. */
async function misuse(key: string): Promise<void> {
  const paths = [`?api_key=${key}`, `/${key}`, "/%zz", `?limit=${key}`, `?cursor=${key}`];
  for (const path of paths)
    for (const headers of [{ authorization: `Bearer ${key}` }, { "x-api-key": key }, { authorization: key }])
      for (const method of ["GET", "POST", "DELETE"]) {
        const body = method === "GET" ? {} : { body: `{"key":"${key}"` };
        await fetch(`${running.publicUrl}/api/v1/enrollments${path}`, { method, headers, ...body });
      }
}

/** A program of the customer's, whose address is as good as a password, and whose answers repeat what it is sent. */
async function addProgram(key: string): Promise<string> {
  const api = createApiClient(running.publicUrl, key);
  const { status, text } = await api.post("/api/v1/webhook-subscriptions", {
    url: echoUrl + WEBHOOK_PATH,
    events: ["enrollment.refused"],
  });
  expect([status, text]).toEqual([201, expect.stringContaining("whsec_")]);
  return /whsec_[\w+/=]+/.exec(text)?.[0] ?? "";
}

/** Every row of every table, as text. */
async function allRows(): Promise<string> {
  const tables = await query(
    running.db.url,
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_schema IN ('public', 'pgboss') AND table_type = 'BASE TABLE'`,
  );
  expect(tables.length).toBeGreaterThan(40);
  const rows = await Promise.all(
    tables.map(({ name }) =>
      query(running.db.url, `SELECT row_to_json(t)::text AS row FROM ${String(name)} AS t`),
    ),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .join("\n");
}

/** Secrets are looked for as they are, as an address writes them, and as base64 of a whole header would. */
function leaksIn(places: Record<string, string>): string[][] {
  return [...secrets].flatMap(([secret, what]) =>
    Object.entries(places).flatMap(([place, text]) =>
      [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)].some((form) =>
        text.includes(form),
      )
        ? [[place, what]]
        : [],
    ),
  );
}

test("no secret is in a log line, a page or a table after errors of every kind that repeat them, and no address in a line", async () => {
  const portal = addPlainPortal(running.simulator);
  const browser = await running.install(portal);
  const [, session = ""] = /session=([^;]+)/.exec(browser.cookies()) ?? [];
  secrets.set(session, "the cookie of a session");
  const key = await giveKey(running.db.database, portal.portalId);
  secrets.set(key, "a key of the API").set(await addProgram(key), "the secret of a webhook");
  let round = 0;
  for (const status of STATUSES)
    for (const [type, body] of ECHOES) {
      answer = { status, type, body };
      const heard = secrets.size;
      await tryAll(portal, round, async () => (await browser.open(`${running.publicUrl}/settings`)).body);
      round += 1;
      expect(secrets.size).toBeGreaterThan(heard);
    }
  // HubSpot's own words, which name the contact, are in the log for sure.
  answer = { status: 400, type: "text/plain", body: (echo) => `failed for ${echo}` };
  for (let tries = 0; !running.logLines.some(isAboutContact); tries += 1) {
    expect(tries).toBeLessThan(100);
    await tryAll(portal, round, () => new Promise((resolve) => setTimeout(resolve, 200, "")));
  }
  await misuse(key);
  answer = undefined;
  await query(
    running.db.url,
    "ALTER TABLE portal_tokens ADD CONSTRAINT never CHECK (portal_id < 0) NOT VALID",
  );
  await createApiClient(running.publicUrl, key).post("/api/v1/enrollments", { contactId: key });
  await expect(running.install(portal)).rejects.toThrow();
  for (const path of ["/settings/activity", "/settings/audit", "/settings/webhooks", "/settings/api-keys"])
    shown.push((await browser.open(running.publicUrl + path)).body);
  expect(running.logLines.length).toBeGreaterThan(30);
  const log = running.logLines.map((line) => JSON.stringify(line)).join("\n");
  const tables = await allRows();
  expect(leaksIn({ log, tables, pages: shown.join("\n") })).toEqual([]);
  const addresses = [...portal.contacts.values()].map(({ properties }) => properties["email"] ?? "");
  for (const { email } of portal.users.values()) addresses.push(email);
  expect(addresses.length).toBeGreaterThan(STATUSES.length * ECHOES.length);
  const forms = addresses.flatMap((address) => [address, encodeURIComponent(address)]);
  expect(log.split("\n").filter((line) => forms.some((form) => line.includes(form)))).toEqual([]);
  // Its owner sees the address on the settings site, and what their own program answers.
  expect(log).not.toContain(WEBHOOK_PATH);
}, 400_000);
