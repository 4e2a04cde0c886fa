import { beforeEach, describe, expect, test } from "@jest/globals";
import { seedExecutions } from "../../support/executions.js";
import {
  site,
  browser,
  portalId,
  otherId,
  listed,
  list,
  idOf,
  seedVariety,
  useActivitySite,
} from "../../support/activity-site.js";

useActivitySite();

describe("the list of executions", () => {
  beforeEach(seedVariety);

  test.each([
    ["", "6 4 3 2 1"],
    ["?kind=all", "6 5 4 3 2 1"],
    ["?kind=OTHER", "5"],
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
    ["?q=acme.example", "2 1"],
    ["?q=nn%40acme", "1"],
    ["?q=other", "4 3"],
    ["?q=DUARTE", "2"],
    ["?q=hugo+duarte", "2"],
    ["?q=ann%40acme.example%2C+cy%40other.example%0Anobody%40acme.example+5", "5 3 1"],
    ["?q=ann%40acme.example+cy%40other.example&status=failed", "3"],
  ])("narrowed by %s holds contacts %s", async (query, contacts) => {
    expect((await list(query)).join(" ")).toBe(contacts);
  });

  test("tells above the list what it holds, and of a pasted list whom no action ever saw", async () => {
    const { text } = await browser.get("/settings/activity");
    const words = (page: string, id: string): string =>
      (new RegExp(`<p class="[^"]*" id="${id}">(.*?)</p>`, "s").exec(page)?.[1] ?? "").replaceAll(
        /<[^>]*>/g,
        "",
      );
    expect(words(text, "totals")).toBe(
      "5 results · 2 not enrolled · 1 enrolled · 1 skipped · 1 waiting2 inbox not connected · 1 in cooldown",
    );
    expect(text).toContain('href="/settings/activity?kind=ENROLL&amp;retries=without&amp;status=failed"');
    expect(text).toContain(
      'href="/settings/activity?kind=ENROLL&amp;retries=without&amp;code=INBOX_NOT_CONNECTED"',
    );
    const pasted = "ann@acme.example;BOB@acme.example new@acme.example other@acme.example";
    const list = (await browser.get(`/settings/activity?q=${encodeURIComponent(pasted)}`)).text;
    expect(words(list, "missing")).toBe(
      "2 of 4 found. Never reached the action: new@acme.example, other@acme.example.",
    );
    expect(words(list, "totals")).toContain("2 results");
  });

  test("leads from a contact's name to its story, and by an arrow that says so to HubSpot", async () => {
    const named = { properties: { firstname: "Hugo", lastname: "Duarte <b>" } };
    await seedExecutions(site.database, [
      { portalId, contactId: "81", contactEmail: "hugo@acme.example", request: named },
      { portalId, contactId: "81", kind: "CHECK_ENROLLMENT", state: "COMPLETED", decidedAt: new Date() },
    ]);
    const id = await idOf("81");
    const { text } = await browser.get("/settings/activity?contact=81");
    expect(text).toMatch(
      new RegExp(
        `<a id="story-${id}" href="/settings/activity/${id}\\?contact=81"><bdi>Hugo Duarte &lt;b></bdi></a>`,
      ),
    );
    expect(text).toMatch(/<a[^>]*record\/0-1\/81"[^>]*aria-label="Open Hugo Duarte &lt;b> in HubSpot"/);
    // The call of the other action brought no name: the contact is still called by it.
    expect(text.match(/<bdi>Hugo Duarte/g)).toHaveLength(2);
    expect(text).not.toContain("Contact 81");
  });

  test("says of a contact that waits for a day that it is scheduled, and for which day", async () => {
    await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "UTC" } });
    const notBefore = "2100-11-29T00:00:00.000Z";
    const waits = { portalId, dueAt: new Date(notBefore), deadlineAt: new Date("2100-12-05T00:00:00Z") };
    await seedExecutions(site.database, [{ ...waits, contactId: "82", request: { notBefore } }]);
    expect((await browser.get("/settings/activity?contact=82")).text).toMatch(
      /<span class="badge waiting">Scheduled<\/span>/,
    );
    const story = (await browser.get(`/settings/activity/${await idOf("82")}`)).text.replaceAll(
      /<[^>]*>/g,
      "",
    );
    expect(story).toContain("Scheduled for Nov 29, 2100, 12:00 AM, as set in the workflow action.");
    expect(story).not.toContain("Queued");
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
    expect(text).toContain("Not in a sequence.");
  });

  test("is found by the callback id HubSpot gave", async () => {
    const { callbackId } = await site.database.prisma.execution.findUniqueOrThrow({
      where: { portalId_id: { portalId, id: await idOf("3") } },
    });
    expect(await list(`?q=${callbackId}`)).toEqual(["3"]);
  });

  test("is filtered by whole days in the portal's own zone", async () => {
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

  test("says which part of an address it did not understand, and does not filter by it", async () => {
    const { text } = await browser.get("/settings/activity?code=NONSENSE&sender=1%20OR%201&from=2026-02-30");
    expect(text).toContain("We couldn't read this filter, so it was ignored: Reason, Sender, From.");
    expect(listed(text)).toHaveLength(6);
  });

  test("keeps the filter in the form and in every link", async () => {
    const { text } = await browser.get("/settings/activity?code=COOLDOWN_ACTIVE&q=6");
    expect(text).toMatch(/<option value="COOLDOWN_ACTIVE" selected/);
    expect(text).toContain('name="q" maxLength="6000" value="6"'.replace("maxLength", "maxlength"));
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
    expect(seen.map(({ length }) => length)).toEqual([25, 25, 15]);
    expect(new Set(seen.flat()).size).toBe(65);
    const back = (await browser.get(follow(last, "newer") ?? "")).text;
    expect(listed(back)).toEqual(seen[1]);
    expect(listed((await browser.get(follow(back, "newer") ?? "")).text)).toEqual(seen[0]);
  });

  test("renews itself on its first page only", async () => {
    expect((await browser.get("/settings/activity")).text).toContain(
      'hx-get="/settings/activity/latest?kind=ENROLL&amp;retries=without&amp;seen=',
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
