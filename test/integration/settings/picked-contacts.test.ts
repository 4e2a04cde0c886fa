import { beforeEach, describe, expect, test } from "@jest/globals";
import { workBulkJobs } from "#worker/sweeps/work-bulk-jobs.js";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { browser, idOf, list, portalId, site, useActivitySite } from "../../support/activity-site.js";

useActivitySite();

/** Five that were not enrolled: two for Noah's inbox, one opted out, two without an owner; and one that was. */
beforeEach(async () => {
  await site.database.pool.query("DELETE FROM users WHERE user_id = 9; TRUNCATE senders");
  await site.database.prisma.user.create({
    data: {
      portalId,
      userId: 9n,
      firstName: "Noah",
      lastName: "Inboxless",
      superAdmin: false,
      isListed: true,
    },
  });
  const failed = {
    portalId,
    sequenceId: "31",
    enrollmentStatus: "FAILED",
    request: { senderMode: "contact_owner" },
  };
  const ofNoah = { ...failed, errorCode: "INBOX_NOT_CONNECTED", senderUserId: 9n };
  await seedExecutions(site.database, [
    { ...ofNoah, contactId: "1" },
    { ...ofNoah, contactId: "2" },
    { ...failed, contactId: "3", errorCode: "UNSUBSCRIBED" },
    { ...failed, contactId: "4", errorCode: "OWNER_MISSING" },
    { ...failed, contactId: "5", errorCode: "OWNER_MISSING" },
    { portalId, contactId: "6", sequenceId: "31", enrollmentStatus: "ENROLLED" },
  ]);
});

const refuse = (refusedCode: string | null) =>
  site.database.prisma.senderSettings.upsert({
    where: { portalId_userId: { portalId, userId: 9n } },
    create: { portalId, userId: 9n, refusedCode },
    update: { refusedCode },
  });

const words = (page: string): string => page.replaceAll(/<[^>]*>/g, "").replaceAll(/\s+/g, " ");

async function ask(contactIds: readonly string[], more = "&status=failed"): Promise<string> {
  const ids = await Promise.all(contactIds.map(idOf));
  const picks = ids.map((id) => `&pick=${id}`).join("");
  return (await browser.get(`/settings/activity/bulk?action=retry&pick=${picks}${more}`)).text;
}

describe("rows of the list that are ticked", () => {
  test("can be those that something can be done to", async () => {
    const { text } = await browser.get("/settings/activity");
    const boxes = [...text.matchAll(/name="pick" value="(\d+)" form="selection"/g)].map(([, id]) => id);
    const retriable = await Promise.all(["5", "4", "3", "2", "1"].map(idOf));
    expect(boxes).toEqual(retriable.map(String));
    expect(text).toContain('aria-label="Select Contact 5"');
    expect(text).toContain('<button class="button" name="action" value="retry">Retry…</button>');
    expect(text).not.toContain('value="cancel">');
  });

  test("are retried, they alone, once that was confirmed", async () => {
    const page = await ask(["2", "4"]);
    expect(words(page)).toContain("This affects 2 contacts.");
    const ids = hiddenField(page, "ids");
    expect(ids).toBe(`${await idOf("2")},${await idOf("4")}`);
    const fields = { form_token: hiddenField(page, "form_token"), action: "retry", ids, status: "failed" };
    const { location } = await browser.post("/settings/activity/bulk", fields);
    await workBulkJobs({
      pool: site.database.pool,
      wake: () => undefined,
      isEnding: () => false,
      onFailed: ({ cause }) => {
        throw cause;
      },
    });
    expect(words((await browser.get(location ?? "")).text)).toContain("Done: 2 retriedChecked 2 records");
    const retries = await site.database.prisma.execution.findMany({
      where: { portalId, retryOf: { not: null } },
    });
    expect(retries.map(({ contactId }) => contactId).toSorted()).toEqual(["2", "4"]);
  });

  test("are never taken for everything where none is ticked", async () => {
    const { status, location } = await browser.get(
      "/settings/activity/bulk?action=retry&pick=&status=failed",
    );
    expect([status, location]).toEqual([303, `${site.url}/settings/activity?status=failed`]);
    expect((await browser.get(location ?? "")).text).toContain("Select at least one contact first.");
    const odd = await browser.get("/settings/activity/bulk?action=retry&pick=x&pick=1%20OR%201");
    expect(odd.status).toBe(422);
  });

  test("stay together as a list of their own", async () => {
    const ids = `${await idOf("1")},${await idOf("5")}`;
    expect(await list(`?ids=${ids}`)).toEqual(["5", "1"]);
    expect((await browser.get(`/settings/activity?ids=${ids}`)).text).toContain("Selected: 2 contacts");
  });
});

describe("before a retry", () => {
  test("is said how many would fail again, and why, as long as the cause is what it was", async () => {
    await refuse("INBOX_NOT_CONNECTED");
    const text = words(await ask(["1", "2", "3", "4"]));
    expect(text).toContain("3 of these would fail again for the same reason.");
    expect(text).toContain("Noah Inboxless: inbox not connected · 2 contacts");
    expect(text).toContain("Opted out · 1 contact");
    expect(words(await ask(["1", "2"]))).toContain("All 2 would fail again for the same reason.");
    // The same of everything that a filter finds.
    const all = await browser.get("/settings/activity/bulk?action=retry&code=INBOX_NOT_CONNECTED");
    expect(words(all.text)).toContain("All 2 would fail again for the same reason.");
    await refuse(null);
    expect(words(await ask(["1", "2", "4"]))).not.toContain("would fail again");
  });
});
