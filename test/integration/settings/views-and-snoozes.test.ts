import { beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import {
  browser,
  hoursAgo,
  otherBrowser,
  portalId,
  site,
  useActivitySite,
} from "../../support/activity-site.js";

useActivitySite();

beforeEach(async () => {
  await site.database.pool.query("TRUNCATE activity_views, snoozed_causes, senders, presets");
});

const AT = "/settings/activity";

async function send(path: string, fields: Record<string, string>, by = browser) {
  const { text } = await by.get("/settings/danger");
  return by.post(path, { form_token: hiddenField(text, "form_token"), ...fields });
}

const audited = async (subject: string) =>
  (
    await site.database.prisma.auditEntry.findMany({ where: { portalId, subject }, orderBy: { id: "asc" } })
  ).map(({ subjectName, action }) => [subjectName, action]);

describe("a saved view of the activity", () => {
  const save = (name: string, fields: Record<string, string>, by = browser) =>
    send(`${AT}/views`, { name, ...fields }, by);
  const views = async (by = browser) =>
    [
      ...(/aria-label="Saved views">(.*?)<\/nav>/
        .exec((await by.get(AT)).text)?.[1]
        ?.matchAll(/href="([^"]*)"[^>]*><bdi>([^<]*)/g) ?? []),
    ].map(([, href = "", name]) => [name, href.replaceAll("&amp;", "&")]);

  test("is one click for everyone of the account, and its dates stay relative", async () => {
    const saved = await save("Webinar, not enrolled", { status: "failed", since: "yesterday" });
    expect(saved.location).toBe(`${site.url}${AT}?status=failed&since=yesterday`);
    const { text } = await browser.get(saved.location ?? "");
    expect(text).toContain("Saved view Webinar, not enrolled.");
    expect(text).toContain("Delete view");
    expect(text).not.toContain("Save this view");
    expect(await views()).toEqual([["Webinar, not enrolled", `${AT}?since=yesterday&status=failed`]]);
    expect(await views(otherBrowser)).toEqual([]);
    expect(await audited("view")).toEqual([["Webinar, not enrolled", "CREATED"]]);
  });

  test("is offered for a filter that narrows the list down, and never keeps whom somebody searched for", async () => {
    expect((await browser.get(`${AT}?status=failed`)).text).toContain("Save this view");
    for (const query of ["", "?kind=all", "?q=hugo", "?contact=77&status=failed"])
      expect((await browser.get(AT + query)).text).not.toContain("Save this view");
    await save("Hugo", { q: "hugo@contacts.example", status: "failed" });
    await save("", { status: "failed" });
    await save("x".repeat(41), { status: "failed" });
    expect((await browser.get(AT)).text).toContain("Not saved: give it a short name");
    expect(await views()).toEqual([]);
  });

  test("has a name of its own, and is deleted with one click", async () => {
    await save("Failed", { status: "failed" });
    await save("Failed", { status: "skipped" });
    expect((await browser.get(AT)).text).toContain("Not saved: another view is called Failed.");
    const { id } = await site.database.prisma.activityView.findFirstOrThrow({ where: { portalId } });
    await send(`${AT}/views/${id}/delete`, {}, otherBrowser);
    expect(await views()).toHaveLength(1);
    await send(`${AT}/views/${id}/delete`, {});
    expect((await browser.get(AT)).text).toContain("Deleted view Failed.");
    expect(await views()).toEqual([]);
    expect(await audited("view")).toEqual([
      ["Failed", "CREATED"],
      ["Failed", "DELETED"],
    ]);
    expect((await browser.get("/settings/audit")).text).toContain("View <bdi>Failed</bdi> deleted");
  });

  test("is refused once there are twenty, however many are saved at once", async () => {
    await Promise.all(
      Array.from({ length: 23 }, (_, at) => save(`View ${at}`, { sequence: String(at + 1) })),
    );
    expect(await views()).toHaveLength(20);
  });
});

describe("a cause that needs attention", () => {
  const inboxOf = (senderUserId: bigint) => ({
    ...{ portalId, senderUserId, sequenceId: "31", enrollmentStatus: "FAILED" },
    ...{ errorCode: "INBOX_NOT_CONNECTED", decidedAt: hoursAgo(2) },
  });
  const card = async () => {
    const { text } = await browser.get("/settings?range=7d");
    const html = text.slice(text.indexOf('id="attention-title"'), text.indexOf('id="waiting-title"'));
    const [shown = "", snoozed = ""] = html.split('id="snoozed"');
    return { shown, snoozed };
  };
  const ofSender = (id: number) => ({ code: "INBOX_NOT_CONNECTED", subject: `sender:${id}` });

  beforeEach(async () => {
    await seedExecutions(site.database, [inboxOf(7n), inboxOf(8n)]);
    await site.database.prisma.senderSettings.createMany({
      data: [7n, 8n, 9n].map((userId) => ({ portalId, userId, refusedCode: "INBOX_NOT_CONNECTED" })),
    });
  });

  test("is put aside for some days, alone, and can be shown again", async () => {
    await send("/settings/attention/snooze", { ...ofSender(7), days: "7" });
    const { shown, snoozed } = await card();
    expect([shown.includes("/senders/7"), shown.includes("/senders/8")]).toEqual([false, true]);
    expect(snoozed).toContain("Snoozed: 1 cause");
    expect(snoozed).toContain("/senders/7");
    expect(snoozed).toContain("Show again");
    await send("/settings/attention/wake", ofSender(7));
    expect((await card()).shown).toContain("/senders/7");
    expect((await card()).snoozed).toBe("");
    expect(await audited("attention")).toEqual([
      ["A cause that needs attention", "SNOOZED"],
      ["A cause that needs attention", "WOKEN"],
    ]);
    const audit = (await browser.get("/settings/audit")).text;
    expect(audit).toContain("Snoozed until");
    expect(audit).toContain("inbox");
  });

  test("is back when its time is over", async () => {
    await send("/settings/attention/snooze", { ...ofSender(7), days: "1" });
    await site.database.pool.query("UPDATE snoozed_causes SET until = now() - interval '1 second'");
    expect((await card()).shown).toContain("/senders/7");
  });

  test("is not put aside by a form that names no cause, or an unknown time", async () => {
    for (const wrong of [
      { ...ofSender(7), days: "400" },
      { code: "x'", subject: "", days: "7" },
      { ...ofSender(7), subject: "rule:it", days: "7" },
    ])
      await send("/settings/attention/snooze", wrong);
    expect(await site.database.prisma.snoozedCause.count()).toBe(0);
  });

  test("leads to the fallback of the preset that was followed", async () => {
    const { presetId } = await site.database.prisma.preset.create({
      data: { portalId, name: "House rules", policy: {} },
    });
    await seedExecutions(site.database, [
      { ...inboxOf(9n), request: { senderMode: "contact_owner", presetId: String(presetId) } },
    ]);
    const { shown } = await card();
    expect(shown).toContain(`/settings/presets/${presetId}#fallback_rotation_id">Add a fallback sender<`);
    expect(shown).toContain('<a href="/settings/presets">Add a fallback sender<');
  });
});
