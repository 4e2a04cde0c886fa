import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import express from "express";
import jwt from "jsonwebtoken";
import { openDatabase } from "#platform/db/client.js";
import { createErrorHandler } from "#web/kit/error-handler.js";
import { createLogger } from "#platform/observability/logger.js";
import { hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install, letInstallersIn, SESSION_SECRET, startSite, type Site } from "../../support/site.js";

let site: Site;
let browser: Browser;
let portalNumber: number;
let portalId: bigint;

beforeEach(async () => {
  site = await startSite();
  browser = site.browser();
  portalNumber = site.simulator.addPortal().portalId;
  portalId = BigInt(portalNumber);
  await install(site, browser, portalNumber);
  await letInstallersIn(site.database);
});

afterEach(() => site.close());

async function addUser(
  userId: bigint,
  name: { firstName: string; lastName: string; email: string },
  of = portalId,
) {
  const person = { portalId: of, userId, ...name };
  await site.database.prisma.user.create({
    data: { ...person, superAdmin: false, seatNames: [], isListed: true },
  });
}

const ann = { firstName: "Ann", lastName: "Lee", email: "ann@acme.example" };
const bob = { firstName: "Bob", lastName: "Ray", email: "bob@acme.example" };

const savedSettings = () => site.database.prisma.portalSettings.findUnique({ where: { portalId } });

/** Fills in the form as it stands on the page. */
async function chooseSender(userId: string, from = browser, page?: string) {
  const form = page ?? (await from.get("/settings")).text;
  const fields = { form_token: hiddenField(form, "form_token"), version: hiddenField(form, "version") };
  return from.post("/settings/default-sender", { ...fields, sender_user_id: userId });
}

/** Without the places where an e-mail address may be broken. */
const unbroken = (page: string): string => page.replaceAll("<wbr/>", "");

/** E-mails in the list, from the top. */
function listed(page: string): string[] {
  return [...unbroken(page).matchAll(/>([\w-]+@contacts\.example)</g)].map(([, email]) => email ?? "");
}

describe("a stranger", () => {
  test("is refused the settings and told what this is and how to get in", async () => {
    const answer = await site.browser().get("/settings");
    expect(answer.status).toBe(401);
    for (const link of ["/settings/sign-in", "/oauth/install"])
      expect(answer.text).toContain(`href="${link}"`);
    expect(answer.text).not.toContain(portalNumber.toString());
  });

  test("is refused the parts that renew themselves and every form", async () => {
    await addUser(7n, ann);
    const stranger = site.browser();
    const list = await stranger.get("/settings/waiting");
    expect([list.status, list.text, list.headers.get("hx-refresh")]).toEqual([401, "", "true"]);
    const form = await stranger.post("/settings/default-sender", {
      sender_user_id: "7",
      version: "0",
      form_token: "x",
    });
    expect(form).toMatchObject({ status: 303, location: `${site.url}/settings` });
    expect(await savedSettings()).toBeNull();
  });

  test("is not let in by a session that is forged, for another purpose, or expired", async () => {
    const claims = jwt.decode(browser.cookie("session") ?? "") as jwt.JwtPayload;
    const forgeries = [
      "rubbish",
      jwt.sign(claims, "another secret altogether, also long"),
      jwt.sign(claims, SESSION_SECRET, { algorithm: "HS384" }),
      jwt.sign({ ...claims, aud: "oauth-state" }, SESSION_SECRET),
      jwt.sign({ ...claims, portal: "1 OR 1=1" }, SESSION_SECRET),
      jwt.sign({ ...claims, exp: Math.floor(site.clock.now.getTime() / 1000) - 1 }, SESSION_SECRET),
    ];
    for (const forgery of forgeries) {
      const stranger = site.browser();
      stranger.setCookie("session", forgery);
      expect((await stranger.get("/settings")).status).toBe(401);
    }
  });

  test("finds the settings behind the bare address", async () => {
    expect(await site.browser().get("/")).toMatchObject({ status: 302, location: `${site.url}/settings` });
  });

  test("signs in by HubSpot and lands on the settings of the account chosen there", async () => {
    const visitor = site.browser();
    const start = await visitor.get("/settings/sign-in");
    await visitor.get(site.simulator.authorize(start.location ?? "", { portalId: portalNumber }));
    const page = await visitor.get("/settings");
    expect(page.status).toBe(200);
    expect(page.text).toContain(site.simulator.portals.get(portalNumber)?.admin.email);
  });
});

describe("a session", () => {
  test("ends after eight idle hours, and not while it is used", async () => {
    const hours = (count: number) =>
      (site.clock.now = new Date(site.clock.now.getTime() + count * 3_600_000));
    for (let visit = 0; visit < 3; visit += 1) {
      hours(7);
      expect((await browser.get("/settings")).status).toBe(200);
    }
    hours(8.1);
    expect((await browser.get("/settings")).status).toBe(401);
  });

  test("ends after a week however busy, and is not kept alive by the page's own refreshing", async () => {
    // The sign-in is timed by the database's clock, which has gone on since the site's was set.
    site.clock.now = new Date();
    const issued = browser.cookie("session");
    await browser.get("/settings/waiting");
    expect(browser.cookie("session")).toBe(issued);
    for (let hour = 0; hour < 7 * 24; hour += 6) {
      await browser.get("/settings");
      site.clock.now = new Date(site.clock.now.getTime() + 6 * 3_600_000);
    }
    expect((await browser.get("/settings")).status).toBe(401);
  });

  test("ends by signing out, which takes the form's token", async () => {
    const page = await browser.get("/settings");
    expect((await browser.post("/settings/sign-out", {})).status).toBe(403);
    const answer = await browser.post("/settings/sign-out", {
      form_token: hiddenField(page.text, "form_token"),
    });
    expect(answer).toMatchObject({ status: 303, location: `${site.url}/settings` });
    expect(browser.cookieNames()).not.toContain("session");
    expect((await browser.get("/settings")).status).toBe(401);
  });

  test("of a disconnected portal opens nothing but the way back", async () => {
    await seedExecutions(site.database, [{ portalId, contactEmail: "one@contacts.example" }]);
    await addUser(7n, ann);
    const before = await browser.get("/settings");
    await site.vault.disconnect(portalId, "The app was <b>uninstalled</b>.");
    const page = await browser.get("/settings");
    expect(page.text).toContain(`/oauth/install?portalId=${portalNumber}`);
    expect(page.text).toContain("The app was &lt;b>uninstalled&lt;/b>.");
    expect(listed(page.text)).toEqual([]);
    expect((await browser.get("/settings/waiting")).status).toBe(401);
    await chooseSender("7", browser, before.text);
    expect(await savedSettings()).toBeNull();
  });
});

describe("the default sender", () => {
  beforeEach(async () => {
    await addUser(7n, ann);
    await addUser(8n, bob);
  });

  test("is chosen from the account's active people by name and e-mail", async () => {
    const owner = { portalId, email: "cy@acme.example", firstName: "Cy", lastName: "Orr" };
    await site.database.prisma.owner.createMany({
      data: [
        { ...owner, ownerId: "1", userId: 9n, type: "PERSON", isArchived: false },
        { ...owner, ownerId: "2", userId: 10n, type: "PERSON", isArchived: true },
        { ...owner, ownerId: "3", userId: null, type: "QUEUE", isArchived: false },
        { ...owner, ...ann, ownerId: "4", userId: 7n, type: "PERSON", isArchived: false },
      ],
    });
    const { text } = await browser.get("/settings");
    const labels = [...text.matchAll(/<option value="(\d+)"[^>]*>([^<]+)</g)].map(([, value, label]) => [
      value,
      label,
    ]);
    expect(labels).toEqual([
      ["7", "Ann Lee · ann@acme.example"],
      ["8", "Bob Ray · bob@acme.example"],
      ["9", "Cy Orr · cy@acme.example"],
    ]);
  });

  test("is saved, confirmed once and shown as chosen", async () => {
    expect(await chooseSender("7")).toMatchObject({ status: 303, location: `${site.url}/settings` });
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 7n, version: 1 });
    const page = await browser.get("/settings");
    expect(page.text).toContain("Default sender saved.");
    expect(page.text).toMatch(/<option value="7" selected/);
    expect((await browser.get("/settings")).text).not.toContain("Default sender saved.");
    await chooseSender("");
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: null, version: 2 });
    expect((await browser.get("/settings")).text).toContain("Default sender removed.");
  });

  test("of another account, or none at all, is not accepted", async () => {
    await addUser(66n, { firstName: "Eve", lastName: "X", email: "eve@other.example" }, portalId + 1n);
    for (const wrong of ["66", "12345", "-1", "7 OR 1=1", "9".repeat(18)]) {
      await chooseSender(wrong);
      expect((await browser.get("/settings")).text).toContain("not an active user of this account");
    }
    expect(await savedSettings()).toBeNull();
  });

  test("is not overwritten by a form filled in before somebody else saved", async () => {
    const stale = await browser.get("/settings");
    const colleague = site.browser();
    await install(site, colleague, portalNumber);
    await chooseSender("8", colleague);
    const late = await chooseSender("7", browser, stale.text);
    expect(late.status).toBe(409);
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 8n, version: 1 });
    expect(late.text).toMatch(/Saved by them.*Typed by you.*Bob Ray.*Ann Lee/);
    expect(late.text).toMatch(/<option value="7" selected/);
    expect((await chooseSender("7", browser, late.text)).status).toBe(303);
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 7n, version: 2 });
  });

  test("of two forms sent at the same moment one wins and the other is told", async () => {
    const { text } = await browser.get("/settings");
    await Promise.all([chooseSender("7", browser, text), chooseSender("8", browser, text)]);
    expect(await savedSettings()).toMatchObject({ version: 1 });
  });

  test("who has left since is shown as such and kept until somebody chooses", async () => {
    await chooseSender("7");
    await site.database.prisma.user.updateMany({ where: { userId: 7n }, data: { isListed: false } });
    expect((await browser.get("/settings")).text).toMatch(
      /<option value="7" selected[^>]*>User 7 · no longer active/,
    );
  });

  test("is changed by no form without this session's token", async () => {
    const other = site.browser();
    await install(site, other, site.simulator.addPortal().portalId);
    const foreign = hiddenField((await other.get("/settings")).text, "form_token");
    for (const token of [undefined, "", "x", foreign]) {
      const fields = {
        sender_user_id: "7",
        version: "0",
        ...(token === undefined ? {} : { form_token: token }),
      };
      const answer = await browser.post("/settings/default-sender", fields);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("This form is out of date");
    }
    expect(await savedSettings()).toBeNull();
  });
});

describe("the list of contacts", () => {
  test("starts empty with words on what to do", async () => {
    expect((await browser.get("/settings")).text).toContain("Enroll in sequence");
    expect((await browser.get("/settings/activity")).text).toContain("No contact has reached an action yet.");
  });

  test("shows the contact, sequence, sender, status, reason and time of each, newest first", async () => {
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { timeZone: "America/New_York", uiDomain: "app-eu1.hubspot.com" },
    });
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name: "Outbound", isListed: true },
    });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: "151",
        contactEmail: "one@contacts.example",
        sequenceId: "31",
        senderEmail: "ann@acme.example",
        enrollmentStatus: "ENROLLED",
        acceptedAt: new Date("2026-11-20T17:04:00Z"),
      },
      {
        portalId,
        contactId: "152",
        enrollmentStatus: "FAILED",
        errorCode: "OWNER_MISSING",
        errorMessage: "The contact has no owner to send from.",
      },
      { portalId, contactId: "153", state: "UNCERTAIN", enrollmentStatus: null },
    ]);
    const text = unbroken((await browser.get("/settings/activity")).text);
    expect(text.indexOf("Contact 153")).toBeLessThan(text.indexOf("Contact 152"));
    expect(text.indexOf("Contact 152")).toBeLessThan(text.indexOf("one@contacts.example"));
    expect(text).toContain(`href="https://app-eu1.hubspot.com/contacts/${portalNumber}/record/0-1/151"`);
    for (const words of [
      "20 Nov 2026, 12:04",
      "America/New York",
      "Outbound",
      "ann@acme.example",
      "The contact has no owner to send from.",
      "OWNER_MISSING",
      "Checking what happened before anything is sent again",
    ]) {
      expect(text).toContain(words);
    }
  });

  test("says what HubSpot said where we have no better words", async () => {
    const lastProblem = "400 VALIDATION_ERROR: contact is on fire";
    const failure = { enrollmentStatus: "FAILED", errorCode: "HUBSPOT_REJECTED", errorMessage: "Refused." };
    await seedExecutions(site.database, [{ portalId, ...failure, lastProblem }]);
    expect((await browser.get("/settings/activity")).text).toContain(`Last problem: ${lastProblem}`);
  });

  test.each(["The app's database did not answer.", "Enrolling is paused for this account."])(
    "does not put into HubSpot's mouth what is ours: %s",
    async (lastProblem) => {
      await seedExecutions(site.database, [{ portalId, state: "QUEUED", lastProblem }]);
      const { text } = await browser.get("/settings/activity");
      expect(text.replaceAll("&#39;", "'")).toContain(`Last problem: ${lastProblem}`);
      expect(text).not.toContain("HubSpot said");
    },
  );

  test("never shows another account's contacts, figures or people", async () => {
    const other = site.simulator.addPortal().portalId;
    const stranger = site.browser();
    await install(site, stranger, other);
    await seedExecutions(site.database, [
      { portalId, contactEmail: "mine@contacts.example", sequenceId: "31", senderUserId: 66n },
      {
        portalId: BigInt(other),
        contactEmail: "theirs@contacts.example",
        enrollmentStatus: "ENROLLED",
        senderUserId: 66n,
      },
    ]);
    await site.database.prisma.sequence.create({
      data: { portalId: BigInt(other), sequenceId: "31", name: "Their sequence", isListed: true },
    });
    await site.database.prisma.owner.create({
      data: {
        portalId: BigInt(other),
        ownerId: "1",
        userId: 66n,
        firstName: "Their",
        type: "PERSON",
        isArchived: false,
      },
    });
    for (const path of [
      "/settings/activity",
      "/settings/activity/latest",
      `/settings/activity?portalId=${other}`,
      `/settings/activity/latest?portal_id=${other}`,
    ]) {
      const { text } = await browser.get(path);
      expect(listed(text)).toEqual(["mine@contacts.example"]);
      expect(text).not.toContain("Their");
    }
    const overview = (await browser.get(`/settings?portalId=${other}`)).text;
    expect(overview).toContain("1 contact waits");
    expect(overview).not.toContain("Their");
    expect(listed((await stranger.get("/settings/activity")).text)).toEqual(["theirs@contacts.example"]);
  });

  test("escapes whatever names and messages contain", async () => {
    const attack = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`;
    await site.database.prisma.portal.update({
      where: { portalId },
      data: {
        hubDomain: attack,
        authorizedByEmail: attack,
        directoryError: attack,
        timeZone: attack,
        uiDomain: attack,
      },
    });
    await addUser(7n, { firstName: attack, lastName: attack, email: attack });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: attack,
        contactEmail: attack,
        sequenceName: attack,
        senderEmail: attack,
        enrollmentStatus: "FAILED",
        errorCode: attack,
        errorMessage: attack,
        lastProblem: attack,
      },
    ]);
    const { text, status } = await browser.get(
      `/settings/activity?status=${encodeURIComponent(attack)}&before=${encodeURIComponent(attack)}`,
    );
    expect(status).toBe(200);
    expect(text).not.toContain("<script>alert");
    expect(text).not.toContain("<img");
    expect(text).toContain("&lt;script>alert(1)&lt;/script>");
  });

  test("is narrowed to one status", async () => {
    await seedExecutions(site.database, [
      { portalId, contactEmail: "enrolled@contacts.example", enrollmentStatus: "ENROLLED" },
      { portalId, contactEmail: "already@contacts.example", enrollmentStatus: "ALREADY_ENROLLED" },
      { portalId, contactEmail: "skipped@contacts.example", enrollmentStatus: "SKIPPED" },
      { portalId, contactEmail: "failed@contacts.example", enrollmentStatus: "FAILED" },
      { portalId, contactEmail: "queued@contacts.example", state: "QUEUED", enrollmentStatus: null },
      { portalId, contactEmail: "trying@contacts.example", state: "ATTEMPTING", enrollmentStatus: null },
    ]);
    const expected = {
      enrolled: ["enrolled@contacts.example"],
      "already-enrolled": ["already@contacts.example"],
      skipped: ["skipped@contacts.example"],
      failed: ["failed@contacts.example"],
      waiting: ["trying@contacts.example", "queued@contacts.example"],
    };
    for (const [status, emails] of Object.entries(expected)) {
      expect(listed((await browser.get(`/settings/activity?status=${status}`)).text)).toEqual(emails);
    }
    expect(listed((await browser.get("/settings/activity?status=nonsense")).text)).toHaveLength(6);
  });

  test("is paged by Older, without gaps or repeats while new ones arrive", async () => {
    const seeds = Array.from({ length: 60 }, (_, index) => ({
      portalId,
      contactEmail: `c${index}@contacts.example`,
    }));
    await seedExecutions(site.database, seeds);
    const seen: string[] = [];
    let address: string | undefined = "/settings/activity";
    while (address !== undefined) {
      const { text } = await browser.get(address);
      seen.push(...listed(text));
      address = /href="([^"]*)"[^>]*>Older</.exec(text)?.[1]?.replaceAll("&amp;", "&");
      await seedExecutions(site.database, [{ portalId, contactEmail: "new@contacts.example" }]);
    }
    expect(seen).toEqual(seeds.map(({ contactEmail }) => contactEmail).reverse());
  });
});

describe("the connection", () => {
  test("names missing permissions and the last failure of reading the account", async () => {
    const calm = await browser.get("/settings");
    expect(calm.text).toContain("Everything the app needs is granted.");
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { scopes: ["oauth", "automation"], directoryError: "HubSpot did not answer." },
    });
    const { text } = await browser.get("/settings");
    expect(text).toContain("Missing: automation.sequences.read, automation.sequences.enrollments.write");
    expect(text).toContain("Not granted, and not needed: settings.users.read.");
    expect(text).toContain("Not all of it could be read: HubSpot did not answer.");
  });
});

describe("every page", () => {
  test("forbids inline script and style, foreign sources and foreign frames, and has none", async () => {
    const { headers, text } = await browser.get("/settings");
    const policy = headers.get("content-security-policy") ?? "";
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors https://*.hubspot.com",
    ]) {
      expect(policy).toContain(rule);
    }
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-frame-options")).toBeNull();
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script>/);
  });

  test("has its stylesheet and script, with cache headers", async () => {
    const stylesheet = await browser.get("/settings/assets/settings.css");
    expect(stylesheet.headers.get("content-type")).toContain("text/css");
    expect(stylesheet.headers.get("cache-control")).toBe("no-cache");
    const tag = stylesheet.headers.get("etag") ?? "";
    expect(
      (
        await browser.get("/settings/assets/settings.css", {
          "if-none-match": tag,
          "cache-control": "max-age=0",
        })
      ).status,
    ).toBe(304);
    const script = await browser.get("/settings/assets/htmx.js");
    expect(script.headers.get("content-type")).toContain("javascript");
    expect(script.headers.get("cache-control")).toContain("max-age=86400");
  });

  test("carries a request id, the caller's own where it is harmless", async () => {
    const own = await browser.get("/settings", { "x-request-id": "trace-12345678" });
    expect(own.headers.get("x-request-id")).toBe("trace-12345678");
    const replaced = await browser.get("/settings", { "x-request-id": "<b>x</b> and more" });
    expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("what goes wrong", () => {
  test("is a page for a browser and JSON for a program, with a code and the request id, never the error's words", async () => {
    const page = await browser.get("/no/such/page");
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    const answer = await browser.get("/no/such/page", { accept: "application/json" });
    expect(JSON.parse(answer.text)).toEqual({
      code: "NOT_FOUND",
      requestId: answer.headers.get("x-request-id"),
    });
  });

  test("a form too large is refused as such", async () => {
    const answer = await browser.post("/settings/default-sender", { form_token: "x".repeat(20_000) });
    expect(answer.status).toBe(413);
  });

  test("a fault of ours is a 500 that shows nothing of it", async () => {
    await site.database.pool.query(`
      ALTER TABLE portals RENAME TO portals_kept;
      CREATE VIEW portals AS SELECT * FROM portals_kept WHERE 1 / (portal_id - portal_id) = 1`);
    const broken = await browser.get("/settings");
    expect(broken.status).toBe(500);
    expect(broken.text).toContain("Something went wrong on our side");
    expect(broken.text).not.toMatch(/division|portals/);
    expect(site.logLines.join("")).toContain(broken.headers.get("x-request-id"));
  });

  test.each(["prisma", "pool"] as const)(
    "a database that is gone (met by %s) is a 503: try again",
    async (way) => {
      const gone = openDatabase({
        url: "postgresql://nobody@127.0.0.1:1/x",
        applicationName: "test",
        poolSize: 1,
      });
      const app = express();
      app.get("/", async () => {
        await (way === "pool" ? gone.pool.query("SELECT 1") : gone.prisma.portal.count());
      });
      app.use(createErrorHandler({ logger: createLogger({ level: "silent" }) }));
      const server = app.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        expect([answer.status, await answer.json()]).toEqual([
          503,
          { code: "STORAGE_UNAVAILABLE", requestId: "" },
        ]);
      } finally {
        server.closeAllConnections();
        server.close();
        await gone.close();
      }
    },
  );
});
