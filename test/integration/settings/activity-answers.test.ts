import { describe, expect, test } from "@jest/globals";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import {
  browser,
  hoursAgo,
  idOf,
  list,
  portalId,
  seedVariety,
  site,
  useActivitySite,
} from "../../support/activity-site.js";

useActivitySite();

describe("the activity page answers", () => {
  test("what came in yesterday, by the account's calendar, and nothing of today", async () => {
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { timeZone: "Pacific/Kiritimati" },
    });
    const zone = { timeZone: "Pacific/Kiritimati" };
    const dayOf = (at: Date) => new Intl.DateTimeFormat("en-CA", zone).format(at);
    const today = dayOf(site.clock.now);
    const hours = Array.from({ length: 60 }, (_, hour) => hour);
    const yesterday = dayOf(hoursAgo(24));
    await seedExecutions(
      site.database,
      hours.toReversed().map((hour) => ({
        portalId,
        contactId: String(hour),
        acceptedAt: hoursAgo(hour),
        enrollmentStatus: "ENROLLED",
      })),
    );
    const ofDay = (day: string) => hours.filter((hour) => dayOf(hoursAgo(hour)) === day).map(String);
    expect(await list("?since=yesterday")).toEqual(ofDay(yesterday));
    expect(await list("?since=today")).toEqual(ofDay(today));
    // Of two ends the earlier one counts.
    expect(await list(`?since=yesterday&to=${today}`)).toEqual(ofDay(yesterday));
  });

  test("with an address that can be passed on: without the fields that were left empty", async () => {
    const { status, location } = await browser.get(
      "/settings/activity?q=&status=failed&code=&sequence=&since=",
    );
    expect(status).toBe(303);
    expect(new URL(location ?? "").search).toBe("?status=failed");
    const odd = await browser.get("/settings/activity?q=&since=nonsense");
    expect((await browser.get(odd.location ?? "")).text).toContain(
      "We couldn&#39;t read this filter".replace("&#39;", "'"),
    );
  });

  test("with each condition as a chip by name, which leads to the list without it", async () => {
    await seedVariety();
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name: "Webinar follow-up", isListed: true },
    });
    const { text } = await browser.get("/settings/activity?sequence=31&status=enrolled");
    expect(text).toContain(`aria-label="Remove filter Sequence: Webinar follow-up"`);
    expect(text).toContain(`href="/settings/activity?status=enrolled" aria-label="Remove filter Sequence`);
  });

  test("with how much there is under each tab, which keeps the rest of the filter", async () => {
    await seedVariety();
    const tabs = async (query: string) => {
      const { text } = await browser.get(`/settings/activity${query}`);
      const nav = /<nav class="choice tabs".*?<\/nav>/s.exec(text)?.[0] ?? "";
      return [...nav.matchAll(/<a href="([^"]*)"([^>]*)>(.*?)<\/a>/gs)].map(([, href, more, label]) => ({
        href: href?.replaceAll("&amp;", "&"),
        isCurrent: more?.includes("aria-current"),
        label: label?.replaceAll(/<[^>]*>/g, ""),
      }));
    };
    const open = await tabs("");
    expect(open.map(({ label }) => label)).toEqual([
      "Enrollments 5",
      "Needs attention 2",
      "Waiting 1",
      "Checks and waits 1",
      "All 6",
    ]);
    expect(open.filter(({ isCurrent }) => isCurrent).map(({ label }) => label)).toEqual(["Enrollments 5"]);
    const recent = await tabs("?kind=ENROLL&status=failed&since=24h");
    expect(recent.map(({ label }) => label).slice(0, 2)).toEqual(["Enrollments 3", "Needs attention 1"]);
    expect(recent.find(({ isCurrent }) => isCurrent)?.href).toBe(
      "/settings/activity?since=24h&kind=ENROLL&status=failed",
    );
    expect(recent[0]?.href).toBe("/settings/activity?since=24h&kind=ENROLL");
  });

  test("with bulk actions only where they can apply", async () => {
    await seedVariety();
    const bulk = async (query: string) =>
      [...(await browser.get(`/settings/activity${query}`)).text.matchAll(/action=(\w+)">/g)].map(
        ([, name]) => name,
      );
    expect(await bulk("?status=enrolled")).toEqual([]);
    expect(await bulk("?status=failed")).toEqual(["retry"]);
    expect(await bulk("?status=waiting")).toEqual(["cancel", "try_now"]);
  });

  test("with a Retry beside what may succeed now, and none beside an opt-out", async () => {
    await seedExecutions(site.database, [
      { portalId, contactId: "21", sequenceId: "31", enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" },
      { portalId, contactId: "22", sequenceId: "31", enrollmentStatus: "FAILED", errorCode: "UNSUBSCRIBED" },
    ]);
    const { text } = await browser.get("/settings/activity");
    expect(text).toContain(`action="/settings/activity/${await idOf("21")}/retry"`);
    expect(text).not.toContain(`action="/settings/activity/${await idOf("22")}/retry"`);
    const story = await browser.get(`/settings/activity/${await idOf("22")}`);
    expect(story.text).toContain("Respect the opt-out.");
    expect(story.text).not.toContain("do-RETRY");
  });
});

describe("a story that was opened from a list", () => {
  test("leads back to the list with its filter, and to its neighbors there", async () => {
    await seedVariety();
    const query = "?code=INBOX_NOT_CONNECTED";
    const [newer, older] = [await idOf("3"), await idOf("2")];
    const { text: page } = await browser.get(`/settings/activity${query}`);
    expect(page).toContain(`href="/settings/activity/${older}${query}"`);
    const { text } = await browser.get(`/settings/activity/${older}${query}`);
    expect(text).toContain(
      `<a href="/settings/activity${query}"><span aria-hidden="true">← </span>Activity: Reason: Inbox not connected (2 results)</a>`,
    );
    expect(text).toContain(`<a rel="prev" href="/settings/activity/${newer}${query}">`);
    expect(text).not.toContain(`rel="next"`);
  });

  test("shows how its retry fares in its head", async () => {
    await seedExecutions(site.database, [
      { portalId, contactId: "41", sequenceId: "31", enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" },
    ]);
    const first = await idOf("41");
    await seedExecutions(site.database, [{ portalId, contactId: "41", retryOf: first, isHeld: false }]);
    const { text } = await browser.get(`/settings/activity/${first}`);
    const head = text.slice(text.indexOf("story-title"), text.indexOf("</h1>"));
    expect(head).toMatch(/Retried <span class="badge waiting">Waiting/);
    expect(text).toContain(`hx-get="/settings/activity/${first}/story`);
  });
});

describe("the frame of every page", () => {
  test("groups the menu, and gives pages below it a way up", async () => {
    const { text } = await browser.get("/settings/rotations/new");
    for (const heading of ["Monitor", "Sending rules", "Integrations", "Account"])
      expect(text).toContain(`<p class="menu-group">${heading}</p>`);
    expect(text).toContain(`<nav class="crumb" aria-label="Breadcrumb"><a href="/settings/rotations">`);
    expect((await browser.get("/settings/rotations")).text).not.toContain("Breadcrumb");
  });

  test("names on the default sender's card the presets by which that sender sends", async () => {
    const card = async () => {
      const { text } = await browser.get("/settings");
      return text.slice(text.indexOf('id="sender-title"')).replaceAll(/<[^>]*>/g, "");
    };
    expect(await card()).toContain("No preset uses the default sender yet; the built-in rules do.");
    const fallback = { toDefaultSender: true };
    await site.database.prisma.preset.create({
      data: { portalId, name: "House rules", policy: { sender: { mode: "contact_owner" }, fallback } },
    });
    expect(await card()).toContain("Used by 1 preset: House rules; and by the built-in rules.");
    await site.database.pool.query("DELETE FROM presets");
  });

  test("pauses from any page, says so there, and resumes there", async () => {
    const page = await browser.get("/settings/senders");
    const fields = { form_token: hiddenField(page.text, "form_token"), back: "/settings/senders" };
    const paused = await browser.post("/settings/danger/pause", fields);
    expect(paused.location).toBe(`${site.url}/settings/senders`);
    const { text } = await browser.get("/settings/senders");
    expect(text).toContain("Enrollment was paused");
    expect(text).not.toContain("Pause all enrollment");
    const resumed = await browser.post("/settings/danger/resume", { ...fields, back: "//evil.example" });
    expect(resumed.location).toBe(`${site.url}/settings/danger`);
  });

  test("says how many records deleting the history takes away", async () => {
    const told = async () =>
      /all activity: <strong>([^<]*)</.exec((await browser.get("/settings/danger")).text)?.[1];
    expect(await told()).toBe("no records yet");
    await seedExecutions(
      site.database,
      ["1", "2", "3"].map((contactId) => ({ portalId, contactId, enrollmentStatus: "ENROLLED" })),
    );
    await seedExecutions(site.database, [{ portalId, contactId: "4" }]);
    expect(await told()).toBe("3 records");
    const erased = { erasedBefore: new Date(Date.now() + 60_000) };
    await site.database.prisma.portalSettings.upsert({
      where: { portalId },
      create: { portalId, ...erased },
      update: erased,
    });
    expect(await told()).toBe("no records yet");
  });

  test("has an icon, and help for every reason that a contact can be given", async () => {
    const icon = await browser.get("/settings/assets/logo.svg");
    expect([icon.status, icon.headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
    const { text } = await browser.get("/settings/help");
    for (const code of ERROR_CODES) expect(text).toContain(`/settings/help/${code}`);
    expect(text).toContain('<a href="mailto:help@operator.example">help@operator.example</a>');
    const help = await browser.get("/settings/help/INBOX_NOT_CONNECTED");
    expect(help.text).toContain("Team inboxes don't count.");
    expect((await browser.get("/settings/help/NO_SUCH_CODE")).status).toBe(404);
  });
});
