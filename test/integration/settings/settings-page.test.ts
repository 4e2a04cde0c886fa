import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import express from "express";
import jwt from "jsonwebtoken";
import { openDatabase } from "#platform/db/client.js";
import { createErrorHandler } from "#web/kit/error-handler.js";
import { createLogger } from "#platform/observability/logger.js";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { SESSION_SECRET } from "../../support/site.js";
import {
  site,
  browser,
  portalNumber,
  portalId,
  addUser,
  ann,
  savedSettings,
  chooseSender,
  listed,
  useSettingsStage,
} from "../../support/settings-stage.js";
import { systemOf } from "../../support/actors.js";

useSettingsStage();

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
    await site.vault.disconnect({ actor: systemOf(portalId), reason: "The app was <b>uninstalled</b>." });
    const page = await browser.get("/settings");
    expect(page.text).toContain('href="/settings/reconnect"');
    expect(page.text).toContain("The app was &lt;b>uninstalled&lt;/b>.");
    expect(listed(page.text)).toEqual([]);
    expect((await browser.get("/settings/waiting")).status).toBe(401);
    await chooseSender("7", browser, before.text);
    expect(await savedSettings()).toBeNull();
  });
});

describe("the connection", () => {
  test("names missing permissions and the last failure of reading the account", async () => {
    const calm = await browser.get("/settings");
    expect(calm.text).toContain("All required permissions granted.");
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { scopes: ["oauth", "automation"], directoryError: "HubSpot did not answer." },
    });
    const { text } = await browser.get("/settings");
    expect(text).toContain(
      "Missing permissions: automation.sequences.read, automation.sequences.enrollments.write",
    );
    expect(text).toContain("Optional, not granted: settings.users.read.");
    expect(text).toContain("Some of it couldn't be read: HubSpot did not answer.");
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
    const changedAt = stylesheet.headers.get("last-modified") ?? "";
    expect(
      (
        await browser.get("/settings/assets/settings.css", {
          "if-modified-since": changedAt,
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

  test("a form too large is refused as such, and saves nothing", async () => {
    const token = hiddenField((await browser.get("/settings")).text, "form_token");
    const fields = { form_token: token, sender_user_id: "", version: "0", note: "x".repeat(20_000) };
    expect((await browser.post("/settings/default-sender", fields)).status).toBe(413);
    expect(await savedSettings()).toBeNull();
  });

  test("our own fault is a 500 that shows nothing of it", async () => {
    await site.database.pool.query(`
      ALTER TABLE portals RENAME TO portals_kept;
      CREATE VIEW portals AS SELECT * FROM portals_kept WHERE 1 / (portal_id - portal_id) = 1`);
    const broken = await browser.get("/settings");
    expect(broken.status).toBe(500);
    expect(broken.text).toContain("Something went wrong on our end");
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
