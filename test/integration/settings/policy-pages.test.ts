import { beforeEach, describe, expect, test } from "@jest/globals";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import {
  PAGES,
  HOSTILE,
  site,
  browser,
  stranger,
  portalId,
  otherId,
  addUser,
  page,
  submit,
  audit,
  SENDER,
  PRESET,
  makeRotation,
  usePolicySite,
} from "../../support/policy-site.js";

usePolicySite();

describe("the pages of policy", () => {
  test("refuse a stranger, and every form without the session's token", async () => {
    const nobody = site.browser();
    for (const path of PAGES) {
      expect((await nobody.get(`/settings/${path}`)).status).toBe(401);
      expect((await browser.get(`/settings/${path}`)).status).toBe(200);
    }
    const forms = [
      ...["senders", "senders/listing", "senders/7", "senders/7/clear", "rotations/new", "rotations/1"],
      ...["rotations/1/delete", "presets/new", "presets/default", "presets/1", "presets/1/delete"],
      ...["policy", "try"],
    ];
    for (const path of forms) {
      expect((await nobody.post(`/settings/${path}`, {})).status).toBe(303);
      expect((await browser.post(`/settings/${path}`, { form_token: "guessed" })).status).toBe(403);
    }
    expect(await audit()).toEqual([]);
  });

  test("say where to go if there is nobody, and no rotation, to choose", async () => {
    const noRotation = 'No rotations yet. <a href="/settings/rotations/new">Create one</a>';
    const nobodyRead = (path: string) =>
      `still loading your users from HubSpot. <a href="/settings/${path}">Reload</a>`;
    expect(await page("presets/new")).toContain(noRotation);
    await makeRotation("Full");
    expect(await page("presets/new")).not.toContain(noRotation);
    const { rotationId } = await site.database.prisma.rotation.findFirstOrThrow({ where: { portalId } });
    const everybody = [
      ["name", "Full"],
      ["member", "7"],
      ["member", "8"],
      ["weight_7", "1"],
      ["add", "yes"],
    ];
    const { text } = await submit(`rotations/${rotationId}`, everybody);
    expect(text).not.toContain('name="add"');
    expect(text).toContain('All senders are in this rotation. <a href="/settings/senders">See senders</a>');
    for (const path of ["policy", "presets/new", "rotations/new", `rotations/${rotationId}`])
      expect(await page(path)).not.toContain(nobodyRead(path));
    await site.database.prisma.user.updateMany({ where: { portalId }, data: { isListed: false } });
    for (const path of ["policy", "presets/new", "rotations/new", `rotations/${rotationId}`])
      expect(await page(path)).toContain(nobodyRead(path));
  });

  test("show and change nothing of another account, whatever ids an address or a form names", async () => {
    const { prisma } = site.database;
    await addUser(9n, { firstName: "Foreign", email: "foreign@other.example" }, otherId);
    const rotationId = await makeRotation("Foreign rotation", 9n, otherId);
    const { presetId } = await prisma.preset.create({
      data: { portalId: otherId, name: "Foreign preset", policy: INITIAL_POLICY, version: 1 },
    });
    await submit("senders/9", SENDER, { from: stranger });
    for (const path of PAGES) expect(await page(path)).not.toContain("oreign");
    for (const path of ["senders/9", `rotations/${rotationId}`, `presets/${presetId}`]) {
      const answer = await browser.get(`/settings/${path}`);
      expect([answer.status, answer.text.includes("oreign")]).toEqual([404, false]);
      expect((await submit(path, {}, { form: await page("policy") })).status).toBe(404);
    }
    const form = await page("policy");
    await submit("senders/9/clear", {}, { form });
    await submit(`rotations/${rotationId}/delete`, {}, { form });
    expect((await submit(`presets/${presetId}/delete`, {}, { form })).status).toBe(404);
    await submit("presets/default", { preset: String(presetId) }, { form });
    await submit("senders", { user: "9", mark: "not-allowed" }, { form });
    const member = await submit("rotations/new", { name: "Mine", member: "9", weight_9: "1" });
    expect([member.status, member.text.includes("isn't a user of this account")]).toEqual([422, true]);
    const naming = { ...PRESET, sender_mode: "rotation", sender_rotation_id: String(rotationId) };
    expect((await submit("presets/new", naming)).status).toBe(422);
    expect((await submit("policy", { default_sender: "9", max_hold_days: "30" })).status).toBe(422);
    expect(await prisma.rotation.count({ where: { portalId: otherId } })).toBe(1);
    expect(await prisma.preset.count({ where: { portalId: otherId, isDefault: false } })).toBe(1);
    expect(await prisma.senderSettings.findMany({ where: { portalId } })).toEqual([]);
    expect(await audit()).toEqual([]);
  });

  test("say what is not there within the site's menu, and to who was signed out that nothing was saved", async () => {
    for (const path of ["senders/424242", "rotations/424242", "presets/424242"]) {
      const { status, text } = await browser.get(`/settings/${path}`);
      expect([status, text.includes('aria-label="Menu"')]).toEqual([404, true]);
    }
    expect(await page("activity/bulk/424242")).toContain("We don't have this bulk action.");
    const late = site.browser();
    await late.post("/settings/policy", {});
    expect((await late.get("/settings")).text).toContain("Your session ended before this was saved.");
    expect((await late.get("/settings")).text).not.toContain("Your session ended");
  });

  test("render hostile names harmlessly, and refuse to make one of 10,000 characters", async () => {
    await addUser(9n, { firstName: HOSTILE, email: `"><img src=x>@acme.example` });
    const rotationId = await makeRotation(`<script>alert("x")</script>\u202e`, 9n);
    await site.database.prisma.preset.create({
      data: { portalId, name: "<b>bold</b>", policy: INITIAL_POLICY, version: 1 },
    });
    await submit("senders/9", SENDER);
    for (const path of [...PAGES, "senders/9", `rotations/${rotationId}`]) {
      const text = await page(path);
      expect(text).not.toMatch(/<script>|<img|<b>/);
      expect(text).not.toContain("x".repeat(200));
    }
    expect(await page("senders")).toContain("&lt;script>alert(&quot;x&quot;)&lt;/script>");
    for (const path of ["rotations/new", "presets/new"]) {
      const answer = await submit(path, { ...PRESET, name: HOSTILE, member: "7", weight_7: "1" });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain("Use up to 100 characters for the name.");
      expect(answer.text).toContain("x".repeat(10_000));
      expect(answer.text).not.toContain("<script>alert");
    }
    const nul = await submit("presets/new", { ...PRESET, name: "a\0b" });
    expect(nul.location).toBe(`${site.url}/settings/presets`);
  });
});

describe("the account's policy", () => {
  const POLICY = { default_sender: "7", only_listed: "yes", max_hold_days: "60", retention_days: "" };

  /** Bob is approved, so somebody can send once only approved users may. */
  beforeEach(async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, windowDays: [], isAllowed: true },
    });
  });

  test("is saved and noted, and the older forms of the settings page note their changes too", async () => {
    expect((await submit("policy", POLICY)).status).toBe(303);
    const form = await page("");
    await submit("default-sender", { sender_user_id: "8" }, { form });
    await submit(
      "alerts",
      { webhook_url: "https://hooks.acme.example/secret-path" },
      { form: await page("") },
    );
    expect(await site.database.prisma.portalSettings.findUnique({ where: { portalId } })).toMatchObject({
      defaultSenderUserId: 8n,
      onlyListedSenders: true,
      maxHoldDays: 60,
      retentionDays: null,
      version: 3,
    });
    expect((await audit()).map(({ after }) => after)).toMatchObject([
      { defaultSenderUserId: "7", onlyListedSenders: true, maxHoldDays: 60 },
      { defaultSenderUserId: "8" },
      { alertWebhookUrl: "hooks.acme.example" },
    ]);
    const text = await page("audit");
    expect(text).toMatch(/Default sender.*Ann Lee.*Bob Ray/);
    expect(text).not.toContain("secret-path");
  });

  test.each([
    ["max_hold_days", "6", "from 7 to 365"],
    ["max_hold_days", "", "from 7 to 365"],
    ["retention_days", "7", "from 8 to 3,650"],
    ["default_sender", "424242", "active user of this account"],
  ])("with %s %j comes back as typed", async (field, value, reason) => {
    const answer = await submit("policy", { ...POLICY, [field]: value });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(reason);
    expect(await audit()).toEqual([]);
  });

  test("is not overwritten unseen, and the switch among senders asks the same", async () => {
    const [form, senders] = [await page("policy"), await page("senders")];
    await submit("policy", POLICY, { form });
    const late = await submit("policy", { ...POLICY, max_hold_days: "90" }, { form });
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Maximum wait \(days\).*60.*90/);
    await submit("senders/listing", { only_listed: "no" }, { form: senders });
    expect(await page("senders")).toMatch(/value="yes" checked/);
    await submit("senders/listing", { only_listed: "no" }, { form: await page("senders") });
    expect(await page("senders")).toMatch(/Anyone can send now.*value="no" checked/s);
  });
});

describe("the audit", () => {
  test("shows every change once over its pages, newest first", async () => {
    await site.database.prisma.auditEntry.createMany({
      data: Array.from({ length: 60 }, (_, index) => ({
        portalId,
        subject: "sender",
        subjectName: `Person ${index}.`,
        action: "CHANGED",
        before: { dailyCap: index },
        after: { dailyCap: index + 1 },
      })),
    });
    const seen: string[] = [];
    let path: string | undefined = "audit";
    while (path !== undefined) {
      const text = await page(path);
      seen.push(...[...text.matchAll(/Person (\d+)\./g)].map(([, number]) => number ?? ""));
      path = /href="\/settings\/(audit\?before=\d+)"/.exec(text)?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => String(59 - index)));
  });
});
