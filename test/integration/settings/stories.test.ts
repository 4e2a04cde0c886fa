import { beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import {
  HOSTILE,
  site,
  browser,
  portalId,
  otherBrowser,
  hoursAgo,
  idOf,
  seedVariety,
  useActivitySite,
} from "../../support/activity-site.js";

useActivitySite();

describe("an execution's story", () => {
  test("tells who was considered as sender and why each was passed over, the attempts, the reason and its fix", async () => {
    await site.database.prisma.owner.create({
      data: {
        portalId,
        ownerId: "1",
        userId: 7n,
        firstName: "Ann",
        lastName: "Lee",
        type: "PERSON",
        isArchived: false,
      },
    });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: "151",
        contactEmail: "one@contacts.example",
        workflowId: "77",
        attempts: 3,
        enrollmentStatus: "FAILED",
        errorCode: "INBOX_NOT_CONNECTED",
        decidedAt: hoursAgo(1),
        errorMessage:
          "The sender has no connected personal inbox. The user must connect one in HubSpot's settings.",
        lastProblem: "400 NO_CONNECTED_EMAILS",
        request: { senderMode: "contact_owner", properties: { email: "one@contacts.example" } },
        senderChoice: {
          chosen: { userId: "7", via: "rotation", rotationName: "EMEA" },
          passedOver: [
            { via: "contact_owner", code: "OWNER_MISSING", reason: "The contact has no owner." },
            {
              userId: "8",
              via: "rotation",
              code: "SENDER_LIMIT_REACHED",
              reason: "Over the cap.",
              freeAt: "2026-11-22T08:00:00Z",
            },
          ],
        },
      },
    ]);
    const { text } = await browser.get(`/settings/activity/${await idOf("151")}`);
    const words = [
      "The user must connect one in HubSpot",
      "Last problem: 400 NO_CONNECTED_EMAILS",
      "Received from HubSpot",
      "Workflow 77",
      `/contacts/${portalId}/record/0-1/151`,
      "Sender chosen",
      "Ann Lee",
      "next in the rotation",
      "EMEA",
      "Skipped:",
      "The contact has no owner.",
      "User 8",
      "Over the cap.",
      "Nov 22, 2026",
      "Sent to HubSpot 3 times",
      "Result sent to HubSpot; workflow continued",
    ];
    for (const word of words) expect(text).toContain(word);
    const at = (word: string) => text.indexOf(word);
    expect(at("Received from HubSpot")).toBeLessThan(at("Sender chosen"));
    expect(at("Sender chosen")).toBeLessThan(at("Sent to HubSpot 3 times"));
  });

  test("of a hostile contact, sequence and sender is text and nothing else, however long", async () => {
    const long = "x".repeat(10_000);
    const name = HOSTILE + long;
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name, isListed: true },
    });
    await site.database.prisma.owner.create({
      data: {
        portalId,
        ownerId: "1",
        userId: 7n,
        firstName: HOSTILE,
        lastName: long,
        email: `${HOSTILE}@x`,
        type: "PERSON",
        isArchived: false,
      },
    });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: "151",
        contactEmail: `${HOSTILE}${long}@x.example`,
        sequenceId: "31",
        senderUserId: 7n,
        senderEmail: `${HOSTILE}@x`,
        lastProblem: HOSTILE,
        errorMessage: name,
        enrollmentStatus: "FAILED",
        errorCode: "HUBSPOT_REJECTED",
        request: { senderMode: HOSTILE, [HOSTILE]: HOSTILE },
        senderChoice: {
          chosen: { userId: "7", via: "rotation", rotationName: HOSTILE },
          passedOver: [{ userId: HOSTILE, via: "rotation", code: HOSTILE, reason: HOSTILE, freeAt: HOSTILE }],
        },
      },
    ]);
    const pages = [
      "/settings/activity",
      `/settings/activity/${await idOf("151")}`,
      `/settings/activity?q=${encodeURIComponent(HOSTILE)}`,
      `/settings/activity/bulk?action=retry&q=${encodeURIComponent(HOSTILE)}`,
    ];
    for (const path of pages) {
      const { status, text } = await browser.get(path);
      expect(status).toBe(200);
      expect(text).not.toContain("<script>alert");
      expect(text).toContain("&lt;script>alert(1)");
    }
    const overview = (await browser.get("/settings/activity")).text;
    expect(overview).not.toContain("x".repeat(1_000));
    // A name that turns the direction of writing is kept to itself.
    expect(overview).toMatch(/<bdi>[^<]*\u202E/);
  });
});

describe("another account", () => {
  beforeEach(seedVariety);

  test("reaches nothing of this one: no story, list, export, job or action", async () => {
    const id = await idOf("4");
    expect((await otherBrowser.get(`/settings/activity/${id}`)).status).toBe(404);
    await otherBrowser.get("/settings/activity");
    const form = {
      form_token: hiddenField((await otherBrowser.get("/settings/activity")).text, "form_token"),
    };
    await otherBrowser.post(`/settings/activity/${id}/cancel`, form);
    expect(await site.database.prisma.execution.count({ where: { portalId, state: "QUEUED" } })).toBe(1);
    const job = await browser.post("/settings/activity/bulk", {
      form_token: hiddenField((await browser.get("/settings/activity")).text, "form_token"),
      action: "cancel",
    });
    const path = new URL(job.location ?? "").pathname;
    expect((await browser.get(path)).status).toBe(200);
    expect((await otherBrowser.get(path)).status).toBe(404);
    expect((await otherBrowser.get(`${path}/progress`)).status).toBe(404);
    await otherBrowser.post(`${path}/stop`, form);
    expect(await site.database.prisma.bulkJob.findFirst()).toMatchObject({ state: "RUNNING" });
    const csv = await otherBrowser.get("/settings/activity/export.csv");
    const exported = csv.text.split("\n").map((line) => line.split(",")[0]);
    expect(exported.length).toBeGreaterThan(1);
    expect(exported).not.toContain(String(id));
  });

  test("and a stranger are refused, and so is a form without this session's token", async () => {
    const id = await idOf("4");
    const stranger = site.browser();
    for (const path of [
      "",
      `/${id}`,
      "/latest",
      "/export.csv",
      "/bulk?action=cancel",
      "/bulk/1",
      "/bulk/1/progress",
    ])
      expect((await stranger.get(`/settings/activity${path}`)).status).toBe(401);
    const foreign = hiddenField((await otherBrowser.get("/settings/activity")).text, "form_token");
    for (const path of [`/${id}/cancel`, `/${id}/retry`, `/${id}/try_now`, "/bulk", "/bulk/1/stop"])
      for (const fields of [{}, { form_token: foreign, action: "cancel" }])
        expect((await browser.post(`/settings/activity${path}`, { ...fields })).status).toBe(403);
    expect(await site.database.prisma.execution.count({ where: { portalId, state: "QUEUED" } })).toBe(1);
    expect(await site.database.prisma.bulkJob.count()).toBe(0);
  });
});
