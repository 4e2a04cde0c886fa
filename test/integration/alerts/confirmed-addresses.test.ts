import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { confirmUrl } from "#domain/alerts/confirmation-mails.js";
import { migrationsDirectory, readMigrations } from "#platform/db/migrations/migration-files.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createCipher } from "#domain/vault/cipher.js";
import { authorizeAs, until } from "../../support/authorizing.js";
import { createBrowser, hiddenField, type Browser } from "../../support/browser.js";
import { startMailServer, type MailServerStandIn } from "../../support/mail-server.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let server: MailServerStandIn;
let portal: SimulatedPortal;
let portalId: bigint;
let admin: Browser;
let stranger: Browser;

beforeAll(async () => {
  server = await startMailServer();
  const environment = { SMTP_URL: server.url(), MAIL_FROM: "enroller@operator.example" };
  running = await startRunningApp({ environment });
  stranger = createBrowser(running.publicUrl);
});

afterAll(async () => {
  await running.close();
  await server.close();
});

beforeEach(async () => {
  ({ portal, portalId, admin } = await connectAccount());
});

afterEach(async () => {
  server.mails.length = 0;
  server.refusals.clear();
  await pool().query("DELETE FROM alert_addresses");
});

const pool = () => running.db.database.pool;
const prisma = () => running.db.database.prisma;

async function connectAccount() {
  const one = addPlainPortal(running.simulator);
  const { browser } = await authorizeAs(running, { portal: one, userId: one.admin.userId, by: "install" });
  return { portal: one, portalId: BigInt(one.portalId), admin: browser };
}

/** Sends a form of the alerts page, and gives the page that follows. */
async function press(form: string, fields: Record<string, string>, by = admin): Promise<string> {
  const { text } = await by.get("/settings/alerts");
  const base = { form_token: hiddenField(text, "form_token"), version: hiddenField(text, "version") };
  const answer = await by.post(`/settings/alerts${form}`, { ...base, ...fields });
  expect(answer.status).toBe(303);
  return (await by.get("/settings/alerts")).text;
}

const setAddresses = (email: string, by = admin) => press("", { email }, by);
const askAgain = (address: string, by = admin) => press("/ask-again", { address }, by);
const mailsTo = (address: string) => server.mails.filter(({ to }) => to === address);

/** The link of the newest mail that has one, once it is there. */
async function linkTo(address: string, count = 1): Promise<string> {
  await until(() => Promise.resolve(mailsTo(address).length >= count), `no mail to ${address}`);
  const text = mailsTo(address).at(-1)?.text ?? "";
  return /within 7 days: (http\S+)/.exec(text.replaceAll("=\r\n", ""))?.[1] ?? "";
}

/** Raises an alert and waits until it is over. */
async function alertEnds(message: string) {
  const { id } = await prisma().alert.create({
    data: { portalId, kind: "BACKLOG_LATE", channel: "EMAIL", message },
  });
  const find = () => prisma().alert.findUniqueOrThrow({ where: { portalId_id: { portalId, id } } });
  await until(async () => (await find()).outcome !== null, "the alert did not end");
  const to = server.mails.filter(({ text }) => text.includes(message)).map((mail) => mail.to);
  return { to, ...(await find()) };
}

const audited = async (action: string) =>
  (await prisma().auditEntry.findMany({ where: { portalId, action } })).map(({ userEmail }) => userEmail);

/** As if the mails so far had been asked for so long ago. */
const age = (interval: string) =>
  pool().query(
    "UPDATE alert_addresses SET asked_at = ARRAY(SELECT at - $1::interval FROM unnest(asked_at) AS asked (at))",
    [interval],
  );

describe("an address that an admin sets", () => {
  test("gets a link and no alert, until its holder has confirmed by a button behind the link", async () => {
    const address = "Somebody@else.example";
    const page = await setAddresses(`${address}, ${portal.admin.email}`);
    expect(page).toContain("get an email with a confirmation link first");
    expect(page).toMatch(/Somebody@else\.example<\/bdi>: .*not confirmed yet/s);
    expect(await alertEnds("before anybody agreed")).toMatchObject({
      to: [portal.admin.email],
      outcome: "PARTLY_SENT",
      lastProblem: `${address} has not confirmed yet that alerts may come.`,
    });
    const link = await linkTo(address.toLowerCase());
    expect(link).not.toContain("omebody");
    // Scanners follow links, and some send forms without what is in them.
    expect((await stranger.get(link)).text).toContain("Yes, send me alerts");
    await stranger.post(link, {});
    expect((await alertEnds("still before")).to).toEqual([portal.admin.email]);
    expect(await audited("CONFIRMED")).toEqual([]);
    expect((await stranger.post(link, { confirm: "yes" })).text).toContain("You're getting alerts");
    expect((await stranger.post(link, { confirm: "yes" })).status).toBe(200);
    expect(await audited("CONFIRMED")).toEqual([address.toLowerCase()]);
    expect((await alertEnds("after that")).to).toEqual([address, portal.admin.email]);
    expect((await admin.get("/settings/alerts")).text).not.toContain("Send the link again");
  });

  test("has to be confirmed again after it was off the list, and its old link did nothing meanwhile", async () => {
    await setAddresses("ops@acme.example");
    const link = await linkTo("ops@acme.example");
    await stranger.post(link, { confirm: "yes" });
    await setAddresses("");
    const answer = await stranger.post(link, { confirm: "yes" });
    expect([answer.status, answer.text.includes("Nothing to confirm")]).toEqual([404, true]);
    await age("11 minutes");
    expect(await setAddresses("ops@acme.example")).toContain("not confirmed yet");
    expect(await linkTo("ops@acme.example", 2)).not.toBe(link);
  });

  test("is not confirmed by a link that was altered, is too old, or is for another account or purpose", async () => {
    await setAddresses("ops@acme.example");
    const good = new URL(await linkTo("ops@acme.example"));
    const unsubscribe = /https?:\/\/\S+unsubscribe\S+/.exec(mailsTo("ops@acme.example")[0]?.text ?? "")?.[0];
    const withParameter = (name: string, value: string) => {
      const url = new URL(good);
      url.searchParams.set(name, value);
      return url.href;
    };
    const other = await connectAccount();
    const maker = { cipher: createCipher(running.config.encryptionKeys), publicUrl: running.publicUrl };
    const weekAgo = new Date(Date.now() - 7 * 86_400_000 - 1_000);
    for (const link of [
      withParameter("account", String(other.portalId)),
      withParameter("token", `${good.searchParams.get("token")}x`),
      withParameter("token", new URL(unsubscribe ?? "").searchParams.get("token") ?? ""),
      confirmUrl({ portalId, address: "ops@acme.example" }, maker, weekAgo),
      `${running.publicUrl}/alerts/confirm`,
    ])
      expect((await stranger.post(link, { confirm: "yes" })).status).toBe(404);
    const asUnsubscribe = good.href.replace("/alerts/confirm", "/alerts/unsubscribe");
    expect((await stranger.post(asUnsubscribe, {})).status).toBe(404);
    expect(await prisma().alertAddress.count({ where: { confirmedAt: { not: null } } })).toBe(0);
  });

  test("is not asked if it has opted out of the account's alerts", async () => {
    await prisma().alertOptOut.create({ data: { portalId, address: "No@acme.example" } });
    expect(await setAddresses("no@acme.example")).toContain("has unsubscribed");
    expect(await askAgain("no@acme.example")).toContain("or has unsubscribed");
    expect(await prisma().alertAddress.findFirst({ where: { mailDueAt: { not: null } } })).toBeNull();
  });

  test("shows why the link did not get there", async () => {
    server.refusals.set("gone@acme.example", "550 No such mailbox");
    await setAddresses("gone@acme.example");
    const row = () => prisma().alertAddress.findFirstOrThrow({ where: { portalId } });
    await until(async () => (await row()).mailProblem !== null, "the refusal was not noted");
    expect(await row()).toMatchObject({ mailDueAt: null, mailTries: 1 });
    expect((await admin.get("/settings/alerts")).text).toContain("550 No such mailbox");
  });
});

describe("mails with the link", () => {
  test("go again to an address three times a day, of all accounts together, and not at once", async () => {
    await setAddresses("ops@acme.example");
    await linkTo("ops@acme.example");
    expect(await askAgain("OPS@acme.example")).toContain("Wait ten minutes");
    await age("11 minutes");
    expect(await askAgain("ops@acme.example")).toContain("We're emailing the link again.");
    expect(await audited("ASKED_TO_CONFIRM")).toEqual([portal.admin.email]);
    await linkTo("ops@acme.example", 2);
    const other = await connectAccount();
    await setAddresses("ops@acme.example", other.admin);
    await linkTo("ops@acme.example", 3);
    await age("11 minutes");
    for (const by of [admin, other.admin])
      expect(await askAgain("ops@acme.example", by)).toContain(
        "You've reached today's limit of confirmation links",
      );
    await age("1 day");
    expect(await askAgain("ops@acme.example")).toContain("We're emailing the link again.");
  });

  test("are twenty a day for an account, however often its list changes", async () => {
    const list = (from: number) =>
      Array.from({ length: 10 }, (_, index) => `p${from + index}@acme.example`).join();
    for (const from of [0, 10, 20, 30]) await setAddresses(list(from));
    await setAddresses(list(0));
    const asked = await prisma().alertAddress.findMany({ where: { portalId } });
    expect(asked.flatMap(({ askedAt }) => askedAt)).toHaveLength(20);
  });

  test("do not go to an address that is off the list, or to one that is confirmed", async () => {
    await setAddresses(portal.admin.email);
    for (const address of ["stranger@acme.example", portal.admin.email])
      expect(await askAgain(address)).toContain("That address isn't on the list, is already confirmed");
    expect(server.mails).toEqual([]);
  });
});

test("addresses that an earlier release stored go on getting alerts after the update", async () => {
  await prisma().portalSettings.create({
    data: { portalId, alertEmail: "Ops@acme.example, it@acme.example" },
  });
  const migration = (await readMigrations(migrationsDirectory)).find(({ name }) =>
    name.endsWith("_alert_addresses"),
  );
  const sql = await readFile(path.join(migrationsDirectory, migration?.name ?? "", "migration.sql"), "utf8");
  await pool().query("DROP TABLE alert_addresses");
  await pool().query(sql);
  expect((await alertEnds("as before")).to).toEqual(["Ops@acme.example", "it@acme.example"]);
});
