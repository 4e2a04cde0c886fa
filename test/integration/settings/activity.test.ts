import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

const HOSTILE = `<script>alert(1)</script>"'>\u202Egnp.exe`;
const HOUR_MS = 3_600_000;

let site: Site;
let browser: Browser;
let portalId: bigint;
let otherBrowser: Browser;
let otherId: bigint;

beforeAll(async () => {
  site = await startSite();
  [browser, otherBrowser] = [site.browser(), site.browser()];
  portalId = BigInt(site.simulator.addPortal().portalId);
  otherId = BigInt(site.simulator.addPortal().portalId);
  await install(site, browser, Number(portalId));
  await install(site, otherBrowser, Number(otherId));
});

afterAll(() => site.close());

beforeEach(async () => {
  await site.database.pool.query(`TRUNCATE executions, bulk_jobs, audit_entries, sequences, owners`);
});

const hoursAgo = (hours: number) => new Date(site.clock.now.getTime() - hours * HOUR_MS);

/** Contact ids in the list, from the top. */
const listed = (page: string): string[] =>
  [...page.matchAll(/record\/0-1\/(\d+)"/g)].map(([, contactId]) => contactId ?? "");

async function list(query: string, by = browser): Promise<string[]> {
  return listed((await by.get(`/settings/activity${query}`)).text);
}

async function idOf(contactId: string): Promise<bigint> {
  const found = await site.database.prisma.execution.findFirst({ where: { portalId, contactId } });
  if (found === null) throw new Error(`no execution of contact ${contactId}`);
  return found.id;
}

/** One of each kind an admin may look for, of two portals with the same ids. */
async function seedVariety(): Promise<void> {
  for (const owner of [portalId, otherId]) {
    await seedExecutions(site.database, [
      {
        portalId: owner,
        contactId: "1",
        contactEmail: "Ann@acme.example",
        acceptedAt: hoursAgo(80),
        sequenceId: "31",
        enrollmentStatus: "ENROLLED",
        senderUserId: 7n,
      },
      {
        portalId: owner,
        contactId: "2",
        contactEmail: "bob@acme.example",
        acceptedAt: hoursAgo(50),
        errorCode: "INBOX_NOT_CONNECTED",
        enrollmentStatus: "FAILED",
      },
      {
        portalId: owner,
        contactId: "3",
        contactEmail: "cy@other.example",
        acceptedAt: hoursAgo(5),
        errorCode: "INBOX_NOT_CONNECTED",
        enrollmentStatus: "FAILED",
      },
      { portalId: owner, contactId: "4", contactEmail: "ann_x@other.example", acceptedAt: hoursAgo(4) },
      {
        portalId: owner,
        contactId: "5",
        acceptedAt: hoursAgo(3),
        kind: "CHECK_ENROLLMENT",
        state: "COMPLETED",
        decidedAt: hoursAgo(3),
        workflowId: "99",
      },
      {
        portalId: owner,
        contactId: "6",
        acceptedAt: hoursAgo(2),
        errorCode: "COOLDOWN_ACTIVE",
        enrollmentStatus: "SKIPPED",
      },
    ]);
  }
}

describe("the list of executions", () => {
  beforeEach(seedVariety);

  test.each([
    ["", "6 5 4 3 2 1"],
    ["?status=failed", "3 2"],
    ["?status=waiting", "4"],
    ["?status=answered", "5"],
    ["?code=INBOX_NOT_CONNECTED", "3 2"],
    ["?code=INBOX_NOT_CONNECTED&since=24h", "3"],
    ["?kind=CHECK_ENROLLMENT", "5"],
    ["?sequence=31", "1"],
    ["?sender=7", "1"],
    ["?workflow=99", "5"],
    ["?contact=2", "2"],
    ["?since=3d", "6 5 4 3 2"],
    ["?q=ann", "4 1"],
    ["?q=ANN_", "4"],
    ["?q=ann%40acme.example", "1"],
    ["?q=%40other.example", "4 3"],
    ["?q=5", "5"],
    ["?q=ann&status=enrolled", "1"],
    ["?q=nobody", ""],
  ])("narrowed by %s holds contacts %s", async (query, contacts) => {
    expect((await list(query)).join(" ")).toBe(contacts);
  });

  test("tells what the other actions answered", async () => {
    const decidedAt = new Date();
    const base = { portalId, state: "COMPLETED", decidedAt, enrollmentStatus: null };
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name: "Spring outreach", isListed: true },
    });
    await seedExecutions(site.database, [
      { ...base, kind: "WAIT_FOR_SEQUENCE_END", outputs: { outcome: "REPLIED", sequence_id: "31" } },
      { ...base, kind: "CHECK_ENROLLMENT", outputs: { is_enrolled: "false" } },
    ]);
    const { text } = await browser.get("/settings/activity?status=answered");
    expect(text).toContain("The contact replied.");
    expect(text).toContain("Spring outreach");
    expect(text).toContain("The contact is in no sequence.");
  });

  test("is found by the callback id HubSpot gave", async () => {
    const { callbackId } = await site.database.prisma.execution.findUniqueOrThrow({
      where: { portalId_id: { portalId, id: await idOf("3") } },
    });
    expect(await list(`?q=${callbackId}`)).toEqual(["3"]);
  });

  test("is narrowed by whole days of the portal's own zone", async () => {
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { timeZone: "America/Los_Angeles" },
    });
    await seedExecutions(site.database, [
      { portalId, contactId: "71", acceptedAt: new Date("2026-03-08T07:59:00Z") },
      { portalId, contactId: "72", acceptedAt: new Date("2026-03-08T08:00:00Z") },
      { portalId, contactId: "73", acceptedAt: new Date("2026-03-09T06:59:00Z") },
      { portalId, contactId: "74", acceptedAt: new Date("2026-03-09T07:00:00Z") },
    ]);
    await site.database.pool.query(`DELETE FROM executions WHERE contact_id IN ('1','2','3','4','5','6')`);
    // The clocks go forward that day: it has 23 hours.
    expect(await list("?from=2026-03-08&to=2026-03-08")).toEqual(["73", "72"]);
  });

  test("says which part of an address it did not understand, and is not narrowed by it", async () => {
    const { text } = await browser.get("/settings/activity?code=NONSENSE&sender=1%20OR%201&from=2026-02-30");
    expect(text).toContain("Not understood, so the list is not narrowed by it: Reason, Sender, From.");
    expect(listed(text)).toHaveLength(6);
  });

  test("keeps the filter in the form and in every link", async () => {
    const { text } = await browser.get("/settings/activity?code=COOLDOWN_ACTIVE&q=6");
    expect(text).toMatch(/<option value="COOLDOWN_ACTIVE" selected/);
    expect(text).toContain('name="q" maxLength="320" value="6"'.replace("maxLength", "maxlength"));
    for (const path of ["latest", "export.csv", "bulk"])
      expect(text).toMatch(
        new RegExp(`/settings/activity/${path.replace(".", "\\.")}\\?q=6&amp;code=COOLDOWN_ACTIVE`),
      );
  });

  test("is paged through in both directions without losing or repeating any", async () => {
    const more = Array.from({ length: 60 }, (_, index) => ({ portalId, contactId: String(1000 + index) }));
    await seedExecutions(site.database, more);
    const follow = (page: string, label: string) =>
      new RegExp(`id="page-${label}" href="([^"]+)"`).exec(page)?.[1]?.replaceAll("&amp;", "&");
    const seen: string[][] = [];
    let path: string | undefined = "/settings/activity";
    let last = "";
    for (; path !== undefined; path = follow(last, "older")) {
      last = (await browser.get(path)).text;
      seen.push(listed(last));
    }
    expect(seen.map(({ length }) => length)).toEqual([25, 25, 16]);
    expect(new Set(seen.flat()).size).toBe(66);
    const back = (await browser.get(follow(last, "newer") ?? "")).text;
    expect(listed(back)).toEqual(seen[1]);
    expect(listed((await browser.get(follow(back, "newer") ?? "")).text)).toEqual(seen[0]);
  });

  test("renews itself on its first page only", async () => {
    expect((await browser.get("/settings/activity")).text).toContain(
      'hx-get="/settings/activity/latest?seen=',
    );
    const older = await browser.get(`/settings/activity?before=${await idOf("5")}`);
    expect(listed(older.text)).toEqual(["4", "3", "2", "1"]);
    expect(older.text).not.toContain("/settings/activity/latest");
    const part = await browser.get("/settings/activity/latest?status=failed");
    expect([listed(part.text), part.text.includes("<html")]).toEqual([["3", "2"], false]);
  });
});

describe("the export", () => {
  test("holds the whole filter, with times in UTC and the portal's zone, and no cell a spreadsheet would run", async () => {
    await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "Europe/Berlin" } });
    const acceptedAt = new Date("2026-11-20T23:30:00Z");
    const many = Array.from({ length: 2_100 }, (_, index) => ({ portalId, contactId: String(5000 + index) }));
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: "1",
        contactEmail: "=HYPERLINK(1)@x.example",
        sequenceName: "@SUM(1)",
        acceptedAt,
      },
      ...many,
      { portalId: otherId, contactId: "9" },
    ]);
    const { text, headers } = await browser.get("/settings/activity/export.csv");
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("content-disposition")).toMatch(/attachment; filename="[\w.-]+\.csv"/);
    const lines = text.trim().split("\n");
    expect(lines).toHaveLength(2_102);
    expect(lines[0]).toContain("accepted_at_utc,accepted_at (Europe/Berlin)");
    const oldest = lines.at(-1) ?? "";
    expect(oldest).toContain("2026-11-20T23:30:00.000Z,2026-11-21 00:30:00");
    expect(oldest).toContain("'=HYPERLINK(1)@x.example");
    expect(oldest).toContain("'@SUM(1)");
    const narrowed = await browser.get("/settings/activity/export.csv?contact=5001");
    expect(narrowed.text.trim().split("\n")).toHaveLength(2);
  });
});

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
        ...{
          portalId,
          contactId: "151",
          contactEmail: "one@contacts.example",
          workflowId: "77",
          attempts: 3,
        },
        ...{ enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED", decidedAt: hoursAgo(1) },
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
      "Passed over before:",
      "The contact has no owner.",
      "User 8",
      "Over the cap.",
      "22 Nov 2026",
      "Attempted 3 times",
      "HubSpot was told, and the workflow went on",
    ];
    for (const word of words) expect(text).toContain(word);
    const at = (word: string) => text.indexOf(word);
    expect(at("Received from HubSpot")).toBeLessThan(at("Sender chosen"));
    expect(at("Sender chosen")).toBeLessThan(at("Attempted 3 times"));
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
        ...{ portalId, contactId: "151", contactEmail: `${HOSTILE}${long}@x.example`, sequenceId: "31" },
        ...{ senderUserId: 7n, senderEmail: `${HOSTILE}@x`, lastProblem: HOSTILE, errorMessage: name },
        ...{ enrollmentStatus: "FAILED", errorCode: "HUBSPOT_REJECTED" },
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
    expect(csv.text).not.toContain(`${id},`);
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
