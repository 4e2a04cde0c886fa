import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { authorizeAs, until } from "../../support/authorizing.js";
import { confirmAddresses } from "../../support/confirmed-addresses.js";
import { createBrowser, type Browser } from "../../support/browser.js";
import { startMailServer, type MailServerStandIn } from "../../support/mail-server.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const ADDRESS = "ops@acme.example";

let running: RunningApp;
let server: MailServerStandIn;
let portal: SimulatedPortal;
let portalId: bigint;
let stranger: Browser;

beforeAll(async () => {
  server = await startMailServer();
  const environment = { SMTP_URL: server.url(), MAIL_FROM: "enroller@operator.example" };
  running = await startRunningApp({ environment });
  portal = addPlainPortal(running.simulator);
  portalId = BigInt(portal.portalId);
  await authorizeAs(running, { portal, userId: portal.admin.userId, by: "install" });
  await prisma().portalSettings.create({ data: { portalId, alertEmail: `${ADDRESS}, it@acme.example` } });
  await confirmAddresses(running.db.database.pool);
  stranger = createBrowser(running.publicUrl);
});

afterAll(async () => {
  await running.close();
  await server.close();
});

const prisma = () => running.db.database.prisma;

/** Raises an alert and waits until it is over: who got it. */
async function mailedTo(message: string): Promise<string[]> {
  const { id } = await prisma().alert.create({
    data: { portalId, kind: "BACKLOG_LATE", channel: "EMAIL", message },
  });
  const key = { portalId_id: { portalId, id } };
  await until(
    async () => (await prisma().alert.findUniqueOrThrow({ where: key })).outcome !== null,
    "the alert did not end",
  );
  return server.mails.filter(({ text }) => text.includes(message)).map(({ to }) => to);
}

const linkTo = (address: string): string => {
  const text = server.mails.find(({ to }) => to === address)?.text ?? "";
  return /Unsubscribe: (http\S+)/.exec(text.replaceAll("=\r\n", ""))?.[1] ?? "";
};

describe("a mailed alert", () => {
  test("can be ended by its recipient: for that address of that account alone, with a button or the mail program", async () => {
    expect(await mailedTo("first of all")).toEqual([ADDRESS, "it@acme.example"]);
    const [mail] = server.mails;
    expect(mail?.text).toMatch(/List-Unsubscribe:\s*<http/);
    expect(mail?.text).toContain("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    const link = linkTo(ADDRESS);
    expect(link).not.toContain("ops");
    // Scanners follow links: only a POST counts.
    expect((await stranger.get(link)).text).toContain("Unsubscribe");
    expect(await mailedTo("still wanted")).toHaveLength(2);
    await stranger.post(link, { "List-Unsubscribe": "One-Click" });
    expect(await mailedTo("after the end")).toEqual(["it@acme.example"]);
    const last = await prisma().alert.findFirstOrThrow({ where: { portalId }, orderBy: { id: "desc" } });
    expect(last).toMatchObject({ outcome: "PARTLY_SENT", lastProblem: `${ADDRESS} has unsubscribed.` });
    expect(await prisma().auditEntry.count({ where: { portalId, action: "UNSUBSCRIBED" } })).toBe(1);
    await stranger.post(link, { again: "yes" });
    expect(await mailedTo("wanted again")).toHaveLength(2);
  });

  test("is ended by no link that was changed, or is of another account", async () => {
    const link = new URL(linkTo("it@acme.example"));
    const other = new URL(link);
    other.searchParams.set("account", String(portalId + 1n));
    const damaged = new URL(link);
    damaged.searchParams.set("token", `${damaged.searchParams.get("token")}x`);
    for (const href of [other.href, damaged.href, `${running.publicUrl}/alerts/unsubscribe`])
      expect((await stranger.post(href, {})).status).toBe(404);
    expect(await prisma().alertOptOut.count()).toBe(0);
  });
});
