import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import express from "express";
import request from "supertest";
import { readConfig } from "../../../src/config.js";
import { createSecurityTxt } from "#web/kit/security-txt.js";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let admin: ReturnType<typeof request.agent>;

beforeEach(async () => {
  site = await startSite();
  const portal = site.simulator.addPortal();
  portalId = BigInt(portal.portalId);
  admin = request.agent(site.url);
  const start = await admin.get("/oauth/install").expect(302);
  const back = new URL(site.simulator.authorize(start.get("location") ?? "", { portalId: portal.portalId }));
  await admin.get(back.pathname + back.search);
});

afterEach(() => site.close());

describe("a browser", () => {
  test("is allowed no camera, place or payment on any page", async () => {
    for (const path of ["/settings", "/settings/alerts", "/nowhere"]) {
      const policy = (await admin.get(path)).get("permissions-policy") ?? "";
      for (const feature of ["camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"])
        expect(policy).toContain(feature);
    }
  });

  test("forgets all of the site when somebody signs out, and not before", async () => {
    const page = await admin.get("/settings").expect(200);
    expect(page.get("clear-site-data")).toBeUndefined();
    const form_token = hiddenField(page.text, "form_token");
    const gone = await admin.post("/settings/sign-out").type("form").send({ form_token }).expect(303);
    expect(gone.get("clear-site-data")).toBe('"cache", "cookies", "storage"');
    await admin.get("/settings").expect(401);
  });
});

test("a file that somebody takes along stands in the audit, with the number of its rows", async () => {
  await seedExecutions(site.database, [{ portalId }, { portalId }, { portalId: portalId + 1n }]);
  await admin.get("/settings/activity/export.csv").expect(200);
  await admin.get("/settings/reports.csv").expect(200);
  expect(await site.database.prisma.auditEntry.findMany({ where: { action: "EXPORTED" } })).toMatchObject([
    { portalId, subject: "export", subjectName: "Activity", userId: expect.any(BigInt), after: { rows: 2 } },
    { portalId, subject: "export", subjectName: "Reports", after: { rows: expect.any(Number) } },
  ]);
  expect((await admin.get("/settings/audit").expect(200)).text).toContain("Rows exported");
});

describe("security.txt", () => {
  const contactOf = (SECURITY_CONTACT: string) =>
    readConfig({
      HUBSPOT_CLIENT_ID: "id",
      HUBSPOT_CLIENT_SECRET: "secret",
      HUBSPOT_APP_ID: "1",
      SECURITY_CONTACT,
      NODE_ENV: "development",
      SESSION_SECRET: "of-these-tests-only",
      ENCRYPTION_KEYS: `k:${Buffer.alloc(32, 7).toString("base64")}`,
    }).securityContact;
  const served = (contact: string | undefined) =>
    request(
      express().use(
        createSecurityTxt({
          contact,
          publicUrl: "https://enroller.example",
          now: () => new Date("2026-11-26T12:00:00Z"),
        }),
      ),
    ).get("/.well-known/security.txt");

  test("names whom the operator set, until a date", async () => {
    const { text, type } = await served(contactOf("security@operator.example")).expect(200);
    expect(type).toBe("text/plain");
    expect(text).toContain("Contact: mailto:security@operator.example\nExpires: 2027-02-24T12:00:00.000Z\n");
    expect(contactOf("https://operator.example/security")).toBe("https://operator.example/security");
  });

  test("is not there without a contact", async () => {
    await served(contactOf("")).expect(404);
    for (const wrong of ["us", "http://operator.example", "a@b.example\nX: y"])
      expect(() => contactOf(wrong)).toThrow("SECURITY_CONTACT: must be");
  });
});
