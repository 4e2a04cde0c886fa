import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createApiClient, giveKey } from "../../support/api-client.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { install, startSite, type Site } from "../../support/site.js";

const PAGE = "/settings/webhooks";
const SECRET = /class="secret">(whsec_[\w+/=]+)</;

let site: Site;
let admin: Browser;
let portalId: bigint;

beforeAll(async () => {
  site = await startSite();
  portalId = BigInt(site.simulator.addPortal().portalId);
  admin = site.browser();
  await install(site, admin, Number(portalId));
});

afterAll(() => site.close());

async function send(path: string, fields: string[][], version?: string) {
  const { text } = await admin.get(PAGE);
  const token = ["form_token", hiddenField(text, "form_token")];
  return admin.post(path, [token, ...(version === undefined ? [] : [["version", version]]), ...fields]);
}

/** The form of a new webhook, filled in. */
const typed = (url: string, ...events: string[]) => [
  ["url", url],
  ["description", "The CRM"],
  ...events.map((event) => ["events", event]),
];

async function add(url: string, ...events: string[]) {
  const { status, text } = await send(`${PAGE}/new`, typed(url, ...events));
  const path = /action="(\/settings\/webhooks\/\d+)"/.exec(text)?.[1] ?? "";
  return { status, text, path, secret: SECRET.exec(text)?.[1] ?? "", version: hiddenField(text, "version") };
}

const stored = (path: string) =>
  site.database.prisma.webhookSubscription.findFirst({ where: { id: BigInt(path.split("/").at(-1) ?? 0) } });

const versionOf = async (path: string) => hiddenField((await admin.get(path)).text, "version");

test("a webhook is added, and its secret is shown this once and kept out of pages, audit and log", async () => {
  const { status, path, secret } = await add("https://crm.example.com/hook?key=77", "enrollment.ended");
  expect([status, secret.length > 40]).toEqual([200, true]);
  const list = (await admin.get(PAGE)).text;
  for (const shown of ["crm.example.com", "The CRM", "enrollment.ended", "None yet"])
    expect(list).toContain(shown);
  expect(list).not.toContain("key=77");
  const audit = (await admin.get("/settings/audit")).text;
  for (const told of ["Webhook", "created", "crm.example.com"]) expect(audit).toContain(told);
  const pages = [list, audit, (await admin.get(path)).text];
  expect(pages.some((text) => text.includes(secret))).toBe(false);
  expect(site.logLines.some((line) => line.includes(secret) || line.includes("key=77"))).toBe(false);
});

test("what cannot be saved comes back as it was typed, with what is wrong at its field", async () => {
  const { status, text } = await add("http://10.0.0.7/hook");
  expect(status).toBe(422);
  for (const told of [
    "must begin with https://",
    "Choose at least one event.",
    'value="http://10.0.0.7/hook"',
  ])
    expect(text).toContain(told);
  expect(await site.database.prisma.webhookSubscription.count({ where: { description: "" } })).toBe(0);
});

test("events and address are changed, and a save from an older state is refused with what differs", async () => {
  const { path, version } = await add("https://one.example.com/a", "enrollment.ended");
  const changed = await send(path, typed("https://one.example.com/b", "sender.refused"), version);
  expect([changed.status, changed.location?.endsWith(PAGE)]).toEqual([303, true]);
  expect(await stored(path)).toMatchObject({ events: ["sender.refused"] });
  const late = await send(path, typed("https://two.example.com/", "enrollment.enrolled"), version);
  expect(late.status).toBe(409);
  for (const told of ["Their version", "https://one.example.com/b", "sender.refused"])
    expect(late.text).toContain(told);
  expect(late.text).toContain('value="https://two.example.com/"');
  expect(await stored(path)).toMatchObject({ events: ["sender.refused"] });
});

test("a webhook is turned off and on, which is audited; nothing is sent to one that is off", async () => {
  const { path, version } = await add("https://turned.example.com/", "enrollment.ended");
  await send(`${path}/turn`, [["to", "off"]], version);
  const off = (await admin.get(path)).text;
  for (const told of ["Webhook turned off.", "This webhook is off.", "An admin or a program turned it off."])
    expect(off).toContain(told);
  expect(off).not.toContain("Send test");
  await send(`${path}/test`, []);
  expect((await admin.get(path)).text).toContain("Nothing was sent: this webhook is turned off.");
  await send(`${path}/turn`, [["to", "on"]], version);
  expect((await admin.get(path)).text).toContain("Someone else changed this webhook");
  expect(await stored(path)).toMatchObject({ status: "DISABLED" });
  await send(`${path}/turn`, [["to", "on"]], await versionOf(path));
  expect(await stored(path)).toMatchObject({ status: "ACTIVE", disabledReason: null });
  const audit = (await admin.get("/settings/audit")).text;
  expect(audit).toContain(">Off<");
});

test("a new secret is shown once, and the page says until when the old one signs along", async () => {
  const { path, secret } = await add("https://rotated.example.com/", "enrollment.ended");
  const { status, text } = await send(`${path}/secret`, []);
  const renewed = SECRET.exec(text)?.[1];
  expect([status, renewed === undefined, renewed === secret]).toEqual([200, false, false]);
  const later = (await admin.get(path)).text;
  expect([later.includes(renewed ?? ""), later.includes("messages are also signed with")]).toEqual([
    false,
    true,
  ]);
});

test("messages are listed with their answers, narrowed by state and page by page, and sent again", async () => {
  const { path } = await add("https://listed.example.com/", "enrollment.ended");
  const subscriptionId = BigInt(path.split("/").at(-1) ?? 0);
  const message = {
    portalId,
    subscriptionId,
    type: "sender.refused",
    orderKey: "sender:1",
    tries: 1,
    triedAt: new Date(),
  };
  await site.database.prisma.webhookDelivery.createMany({
    data: [
      ...Array.from({ length: 26 }, () => ({
        ...message,
        state: "DELIVERED",
        httpStatus: 202,
        durationMs: 35,
      })),
      {
        ...message,
        state: "GIVEN_UP",
        httpStatus: 500,
        answer: "<b>no</b>",
        problem: "Your webhook returned 500.",
      },
    ],
  });
  const first = (await admin.get(path)).text;
  for (const told of ["Failed", "&lt;b>no&lt;/b>", "Your webhook returned 500.", "Returned 202."])
    expect(first.replaceAll("&gt;", ">")).toContain(told);
  const older = /href="(\/settings\/webhooks\/\d+\?before=\d+)"/.exec(first)?.[1] ?? "";
  expect((await admin.get(older)).text.match(/Returned 202/g)).toHaveLength(2);
  const givenUp = (await admin.get(`${path}?state=given-up`)).text;
  expect(givenUp).not.toContain("Returned 202");
  const again = /action="([^"]*\/again)"/.exec(givenUp)?.[1] ?? "";
  await send(again, []);
  expect((await admin.get(path)).text).toContain("Resending the message");
  await send(again, []);
  expect((await admin.get(path)).text).toContain("still being delivered");
  const part = (await admin.get(`${path}/deliveries`)).text;
  const renewal = /hx-get="([^"]+)"/.exec(part)?.[1]?.replaceAll("&amp;", "&") ?? "";
  expect([part.startsWith("<section"), (await admin.get(renewal)).status]).toEqual([true, 204]);
});

test("a webhook is deleted with its messages, unless somebody changed it since the page was shown", async () => {
  const { path, version } = await add("https://deleted.example.com/", "enrollment.ended");
  await send(`${path}/test`, []);
  const client = createApiClient(site.url, await giveKey(site.database, portalId));
  const api = path.replace("/settings/webhooks", "/api/v1/webhook-subscriptions");
  expect((await client.ask("PATCH", api, { body: { description: "Changed by a program" } })).status).toBe(
    200,
  );
  const kept = await send(`${path}/delete`, [], version);
  expect([kept.status, kept.text.includes("so it wasn't deleted")]).toEqual([409, true]);
  const deleted = await send(`${path}/delete`, [], await versionOf(path));
  expect([deleted.status, (await admin.get(PAGE)).text.includes("Webhook deleted.")]).toEqual([303, true]);
  expect([await stored(path), (await admin.get(path)).status]).toEqual([null, 404]);
  const subscriptionId = BigInt(path.split("/").at(-1) ?? 0);
  expect(await site.database.prisma.webhookDelivery.count({ where: { subscriptionId } })).toBe(0);
});
