import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { resealWebhooks } from "#domain/alerts/webhook-seals.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createCipher } from "#domain/vault/cipher.js";
import { authorizeAs, until } from "../../support/authorizing.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { startListener, type Listener, type ReceivedRequest } from "../../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let webhook: Listener;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;
/** What the receiver answers. */
let status = 204;

beforeAll(async () => {
  webhook = await startListener(() => status);
  const environment = { PRIVATE_DESTINATIONS: new URL(webhook.url).host };
  running = await startRunningApp({ environment });
  portal = addPlainPortal(running.simulator);
  portalId = BigInt(portal.portalId);
  ({ browser: admin } = await authorizeAs(running, { portal, userId: portal.admin.userId, by: "install" }));
});

afterAll(async () => {
  await running.close();
  await webhook.close();
});

const prisma = () => running.db.database.prisma;
const stored = () => prisma().portalSettings.findUniqueOrThrow({ where: { portalId } });
const page = async () => (await admin.get("/settings/alerts")).text;

async function post(path: string, fields: Record<string, string> = {}) {
  const form = await page();
  const hidden = { form_token: hiddenField(form, "form_token"), version: hiddenField(form, "version") };
  return admin.post(path, { ...hidden, ...fields });
}

async function newSecret(): Promise<string> {
  const { text } = await post("/settings/alerts/secret");
  const [, secret = ""] = /class="secret">(whsec_[^<]+)</.exec(text) ?? [];
  return secret;
}

/** Raises an alert, and gives the posts of it once there are this many. */
async function postsOf(message: string, count = 1): Promise<ReceivedRequest[]> {
  await prisma().alert.create({ data: { portalId, kind: "BACKLOG_LATE", channel: "WEBHOOK", message } });
  const posts = () => webhook.received.filter(({ body }) => body.includes(message));
  await until(async () => {
    if (posts().length >= count) return true;
    await prisma().alert.updateMany({
      where: { portalId, message, outcome: null },
      data: { dueAt: new Date() },
    });
    return false;
  }, `"${message}" was not posted ${count} times`);
  return posts();
}

/** By the Standard Webhooks, as a receiver would. */
function isSignedWith(secret: string, { headers, body }: ReceivedRequest): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const content = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  return headers["webhook-signature"] === `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
}

describe("a webhook's address", () => {
  test("is stored sealed, shown to admins, and of no use in another account's row", async () => {
    const url = `${webhook.url}/hook?key=as-good-as-a-password`;
    expect((await post("/settings/alerts", { webhook_url: url })).status).toBe(303);
    expect(await page()).toContain("as-good-as-a-password");
    const row = await stored();
    expect(row.alertWebhookUrl).toBeNull();
    expect(
      JSON.stringify(row, (_key, value) => (typeof value === "bigint" ? String(value) : value)),
    ).not.toContain("password");
    expect(() =>
      createCipher(running.config.encryptionKeys).open(row.alertWebhookSealed ?? "", {
        portalId: portalId + 1n,
        field: "alert_webhook_sealed",
      }),
    ).toThrow();
  });

  test("that an earlier release stored in clear text still works, and is sealed over time", async () => {
    const row = await stored();
    const alertWebhookUrl = `${webhook.url}/earlier`;
    await prisma().portalSettings.update({
      where: { portalId },
      data: { alertWebhookUrl, alertWebhookSealed: null },
    });
    expect((await postsOf("before it is sealed"))[0]?.url).toBe("/earlier");
    const { pool } = running.db.database;
    expect(await resealWebhooks(pool, createCipher(running.config.encryptionKeys))).toBe(1);
    expect((await stored()).alertWebhookUrl).toBeNull();
    expect((await postsOf("after it is sealed"))[0]?.url).toBe("/earlier");
    const { alertWebhookSealed } = row;
    await prisma().portalSettings.update({ where: { portalId }, data: { alertWebhookSealed } });
  });
});

describe("a post", () => {
  test("is signed with the secret that was shown once, and tried again under the same id", async () => {
    const secret = await newSecret();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await page()).not.toContain(secret);
    expect((await stored()).alertSecretSealed).not.toContain(secret);
    status = 500;
    await postsOf("signed");
    status = 204;
    // Two alerts say the same by now: of three posts two are of one of them.
    const posts = await postsOf("signed", 3);
    for (const one of posts) expect(isSignedWith(secret, one)).toBe(true);
    expect(new Set(posts.map(({ headers }) => headers["webhook-id"])).size).toBe(2);
    expect(Math.abs(Number(posts[0]?.headers["webhook-timestamp"]) - Date.now() / 1_000)).toBeLessThan(60);
    expect(isSignedWith(secret, { ...posts[0]!, body: `${posts[0]!.body} ` })).toBe(false);
  });

  test("is signed with the new secret alone once there is one; the audit log records the change without the secret", async () => {
    const old = await newSecret();
    const secret = await newSecret();
    const [one] = await postsOf("signed again");
    expect([isSignedWith(old, one!), isSignedWith(secret, one!)]).toEqual([false, true]);
    const { text } = await admin.get("/settings/audit");
    expect(text).toContain("Signing secret of the webhook");
    expect(text).not.toContain(secret);
  });
});

test("no secret is made without an address, nor by a form without this session's token", async () => {
  const { alertSecretSealed } = await stored();
  expect((await admin.post("/settings/alerts/secret", { form_token: "x" })).status).toBe(403);
  expect((await post("/settings/alerts", { webhook_url: "" })).status).toBe(303);
  expect((await post("/settings/alerts/secret")).status).toBe(303);
  expect(await stored()).toMatchObject({ alertSecretSealed });
});
