import { beforeEach, describe, expect, test } from "@jest/globals";
import { seedExecutions } from "../../support/executions.js";
import { browser, hoursAgo, idOf, portalId, site, useActivitySite } from "../../support/activity-site.js";

useActivitySite();

beforeEach(async () => {
  await site.database.pool.query("TRUNCATE presets CASCADE");
  const acceptedAt = hoursAgo(1);
  const base = {
    portalId,
    sequenceId: "31",
    enrollmentStatus: "FAILED",
    errorCode: "OWNER_MISSING",
    acceptedAt,
  };
  await seedExecutions(site.database, [
    {
      ...base,
      contactId: "61",
      contactEmail: "hugo.duarte38@brightforge.example",
      decidedAt: new Date(acceptedAt.getTime() + 9_000),
      request: { properties: { firstname: "Hugo", lastname: "Duarte", company: "Brightforge" } },
    },
    {
      ...base,
      contactId: "62",
      contactEmail: "ines@northlake.example",
      senderUserId: 7n,
      senderEmail: "ann@acme.example",
    },
  ]);
});

const story = async (contactId: string, query = "") =>
  (await browser.get(`/settings/activity/${await idOf(contactId)}${query}`)).text;
const words = (page: string): string => page.replaceAll(/<[^>]*>/g, "").replaceAll(/\s+/g, " ");

describe("a contact's story", () => {
  test("says who the contact is: initials, name, email and company, with the way to the record", async () => {
    const text = await story("61");
    expect(text).toContain("<title>Hugo Duarte – not enrolled · Sequence Enroller</title>");
    expect(text).toContain('<span class="initials" aria-hidden="true">HD</span>');
    const who = /<p class="note" id="who">.*?<\/p>/s.exec(text)?.[0] ?? "";
    expect(words(who)).toBe("hugo.duarte38@brightforge.example · Brightforge · Open in HubSpot ↗");
    expect(who).toContain(`/contacts/${portalId}/record/0-1/61"`);
    expect((await browser.get("/settings/activity")).text).toContain(
      '<span class="initials" aria-hidden="true">I</span>',
    );
  });

  test("may be broken before the @ of an address, in its heading too", async () => {
    expect(await story("62")).toMatch(
      /<h1 class="story-title">.*<bdi>ines<wbr\/?>@northlake\.example<\/bdi>.*<\/h1>/s,
    );
  });

  test("says how long each step took", async () => {
    expect(words(await story("61"))).toMatch(/Not enrolled[^.]*[AP]M · 9 s after it came in/);
  });

  test("names the preset that was followed where the action names none", async () => {
    expect(words(await story("61"))).toContain("PresetBuilt-in rules");
    await site.database.prisma.preset.create({
      data: { portalId, name: "House rules", isDefault: true, policy: {} },
    });
    expect(words(await story("61"))).toContain("PresetHouse rules (account default)");
  });

  test("keeps numbers folded away, each with a button that copies it", async () => {
    const text = await story("61");
    const folded = text.slice(text.indexOf("Technical details"));
    expect(folded).toMatch(
      /<button type="button" class="copy" data-copy="61" aria-label="Copy Contact ID" hidden>/,
    );
    expect(await story("62")).not.toContain("(user 7)");
  });

  test("says how many the list holds that it was opened from", async () => {
    expect(words(await story("61", "?code=OWNER_MISSING"))).toContain(
      "← Activity: Reason: No owner (2 results)",
    );
  });

  test("that is not there, or not anymore, is said not to be", async () => {
    const { status, text } = await browser.get("/settings/activity/999999999");
    expect(status).toBe(404);
    expect(text).toContain("We don't have this record. It may be older than your history limit.");
    expect(text).toContain('<a class="button primary" href="/settings/activity">Back to activity</a>');
  });
});

describe("every page", () => {
  test("says in its folded menu who is signed in, and to which account: on a phone its head does not", async () => {
    const menu = /<details class="menu folded">.*?<\/p>/s.exec(
      (await browser.get("/settings/activity")).text,
    )?.[0];
    expect(words(menu ?? "")).toMatch(new RegExp(`Menu ?\\S+@\\S+ in .*${portalId}`));
  });

  test("has reasons to choose from in words alone", async () => {
    const { text } = await browser.get("/settings/activity");
    const reasons = /<select id="filter-code".*?<\/select>/s.exec(text)?.[0] ?? "";
    expect(words(reasons)).toContain("Daily cap reached");
    expect(words(reasons)).not.toMatch(/[A-Z]{3,}_[A-Z]/);
  });
});
