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
