import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { EnrollQuestion, Explanation } from "#domain/senders/explanation.js";
import { INITIAL_POLICY } from "#domain/contract/policy.js";
import { deleteRotation } from "#domain/policy/rotation-store.js";
import { savePreset } from "#domain/policy/preset-store.js";
import { hiddenField, type Browser, type BrowserAnswer } from "../../support/browser.js";
import { install, letInstallersIn, startSite, type Site } from "../../support/site.js";

const PAGES = ["senders", "rotations", "rotations/new", "presets", "presets/new", "policy", "try", "audit"];
const HOSTILE = `<script>alert("x")</script>\u202e${"x".repeat(10_000)}`;

let site: Site;
let browser: Browser;
let stranger: Browser;
let portalId: bigint;
let otherId: bigint;
/** What the explaining function was asked, and what it answers. */
const asked: [bigint, EnrollQuestion][] = [];
let explanation: Explanation;

beforeAll(async () => {
  site = await startSite({
    explain: (portal, question) => {
      asked.push([portal, question]);
      return Promise.resolve(explanation);
    },
  });
});

afterAll(() => site.close());

beforeEach(async () => {
  site.clock.now = new Date();
  [browser, stranger] = [site.browser(), site.browser()];
  const [mine, other] = [site.simulator.addPortal().portalId, site.simulator.addPortal().portalId];
  [portalId, otherId] = [BigInt(mine), BigInt(other)];
  await install(site, browser, mine);
  await install(site, stranger, other);
  await letInstallersIn(site.database);
  for (const id of [portalId, otherId]) {
    await addUser(7n, { firstName: "Ann", lastName: "Lee", email: "ann@acme.example" }, id);
    await addUser(8n, { firstName: "Bob", lastName: "Ray", email: "bob@acme.example" }, id);
  }
});

async function addUser(
  userId: bigint,
  name: { firstName: string; lastName?: string; email: string },
  of = portalId,
): Promise<void> {
  await site.database.prisma.user.create({
    data: { portalId: of, userId, ...name, superAdmin: false, seatNames: ["SALES_STARTER"], isListed: true },
  });
}

const page = async (path: string, from = browser) => (await from.get(`/settings/${path}`)).text;

/** Sends a form as it stands on a page, with the fields given in place of the page's. */
async function submit(
  path: string,
  fields: Record<string, string> | string[][],
  { form, from = browser }: { form?: string; from?: Browser } = {},
): Promise<BrowserAnswer> {
  const text = form ?? (await page(path, from));
  const version = /name="version" value="(\d+)"/.exec(text)?.[1] ?? "0";
  const versions = [...text.matchAll(/name="(version_\d+)" value="(\d+)"/g)];
  const given = Array.isArray(fields) ? fields : Object.entries(fields);
  return from.post(`/settings/${path}`, [
    ["form_token", hiddenField(text, "form_token")],
    ...given,
    ["version", version],
    ...versions.map(([, name = "", value = ""]) => [name, value]),
  ]);
}

/** Presses the button of the list of presets that makes one the default; empty: the one that takes the default away. */
async function chooseDefault(preset: string, form: string): Promise<BrowserAnswer> {
  const value = (text: string) => (text === "" ? "value" : `value="${text}"`);
  const shown = new RegExp(
    `name="preset" ${value(preset)}/?><input type="hidden" name="instead" value(?:="(\\d+)")?/?>` +
      `<input type="hidden" name="version" value="(\\d+)"`,
  ).exec(form);
  const [, instead = "", version = ""] = shown ?? [];
  return submit("presets/default", { preset, instead, version }, { form });
}

const audit = () => site.database.prisma.auditEntry.findMany({ where: { portalId }, orderBy: { id: "asc" } });

const SENDER = {
  allowed: "yes",
  send_as_email: "sales@acme.example",
  sender_alias: "",
  daily_cap: "120",
  window_from: "09:00",
  window_to: "00:00",
  time_zone: "Asia/Tokyo",
};

const PRESET = {
  name: "Outbound",
  sender_mode: "contact_owner",
  when_nobody: "fail",
  if_already_enrolled: "wait",
  cooldown_days: "30",
  cooldown_scope: "any",
};

async function makeRotation(name: string, userId = 7n, of = portalId): Promise<bigint> {
  const { rotationId } = await site.database.prisma.rotation.create({
    data: { portalId: of, name, version: 1, members: { create: { userId, weight: 1 } } },
  });
  return rotationId;
}

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

  test("say where to go where there is nobody, and no rotation, to choose", async () => {
    const noRotation = 'no rotation to choose yet. <a href="/settings/rotations/new">Make one</a>';
    const nobodyRead = (path: string) =>
      `not been read from HubSpot yet. <a href="/settings/${path}">Reload this page</a>`;
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
    expect(text).toContain('Everybody is in it. <a href="/settings/senders">See who they are</a>');
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
    expect([member.status, member.text.includes("not a user of this account")]).toEqual([422, true]);
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
    expect(await page("activity/bulk/424242")).toContain("This account has no such bulk job.");
    const late = site.browser();
    await late.post("/settings/policy", {});
    expect((await late.get("/settings")).text).toContain(
      "You were signed out in the meantime; nothing was saved.",
    );
    expect((await late.get("/settings")).text).not.toContain("You were signed out");
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
      expect(answer.text).toContain("Use 100 characters at most for the name.");
      expect(answer.text).toContain("x".repeat(10_000));
      expect(answer.text).not.toContain("<script>alert");
    }
    const nul = await submit("presets/new", { ...PRESET, name: "a\0b" });
    expect(nul.location).toBe(`${site.url}/settings/presets`);
  });
});

describe("senders", () => {
  test("are listed with seats, use of the cap and what HubSpot refused, and are found by name and address", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, windowDays: [], refusedCode: "INBOX_NOT_CONNECTED", dailyCap: 50 },
    });
    await site.database.prisma.execution.createMany({
      data: [1, 2, 30].map((hoursAgo) => ({
        ...{ portalId, callbackId: `c${hoursAgo}`, kind: "ENROLL", state: "COMPLETED", contactId: "1" },
        ...{ deadlineAt: new Date(), request: {}, enrollmentStatus: "ENROLLED", senderUserId: 8n },
        enrolledAt: new Date(Date.now() - hoursAgo * 3_600_000),
      })),
    });
    const all = await page("senders");
    expect(all).toContain("Sales starter");
    expect(all).toContain("2 of 50");
    expect(all).toContain("0 of 400");
    expect(all).toContain("no connected inbox");
    expect(await page("senders?search=ANN%40")).not.toContain("bob@acme.example");
    expect(await page("senders?show=troubled")).not.toContain("ann@acme.example");
    expect(await page("senders?search=%25")).toContain("Nobody fits this search.");
    for (const odd of ["page=0", "page=999999999999999999", "page=x", "search=%00"])
      expect((await browser.get(`/settings/senders?${odd}`)).status).toBe(200);
  });

  test("come in pages of fifty, and ticking them keeps the place", async () => {
    await site.database.prisma.user.createMany({
      data: Array.from({ length: 118 }, (_, index) => ({
        ...{ portalId, userId: BigInt(1_000 + index), email: `p${index}@acme.example` },
        ...{ superAdmin: false, seatNames: [], isListed: true },
      })),
    });
    const pages = await Promise.all([1, 2, 3].map((number) => page(`senders?page=${number}`)));
    const seen = pages.flatMap((text) =>
      [...text.matchAll(/name="user" value="(\d+)"/g)].map(([, id]) => id),
    );
    expect([seen.length, new Set(seen).size]).toEqual([120, 120]);
    expect(pages[1]).toContain("120 people, page 2 of 3");
    const answer = await submit(
      "senders",
      [
        ...[
          ["user", "1000"],
          ["user", "1001"],
          ["mark", "not-allowed"],
        ],
        ...[
          ["page", "2"],
          ["search", "p"],
        ],
      ],
      { form: pages.join("") },
    );
    expect([answer.status, answer.location]).toEqual([303, `${site.url}/settings/senders?search=p&page=2`]);
    const stored = await site.database.prisma.senderSettings.findMany({ where: { portalId } });
    expect(stored.map(({ userId, isAllowed }) => [userId, isAllowed])).toEqual([
      [1000n, false],
      [1001n, false],
    ]);
    expect((await audit()).map(({ subjectName, after }) => [subjectName, after])).toEqual([
      ["p0@acme.example", { isAllowed: false }],
      ["p1@acme.example", { isAllowed: false }],
    ]);
  });

  test("ticked in a list that another admin has changed since are not marked, and both choices are shown", async () => {
    const list = await page("senders");
    await submit("senders/8", { ...SENDER, allowed: "no" });
    const ticked = [
      ["user", "7"],
      ["user", "8"],
      ["mark", "allowed"],
    ];
    const late = await submit("senders", ticked, { form: list });
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Saved by them.*Typed by you.*Bob Ray.*Not allowed.*Allowed/);
    expect(late.text).toMatch(/value="7" checked.*value="8" checked/s);
    expect(await site.database.prisma.senderSettings.count({ where: { portalId, isAllowed: true } })).toBe(0);
    expect((await submit("senders", ticked, { form: late.text })).status).toBe(303);
    const stored = await site.database.prisma.senderSettings.findMany({ where: { portalId } });
    expect(stored.map(({ userId, isAllowed, dailyCap }) => [userId, isAllowed, dailyCap])).toEqual(
      expect.arrayContaining([
        [7n, true, null],
        [8n, true, 120],
      ]),
    );
  });

  test("are saved with cap, window and absences, and the change is noted with who made it", async () => {
    const away = [
      ["away_from", "2026-12-24"],
      ["away_to", "2026-12-31"],
      ["away_from", ""],
      ["away_to", ""],
    ];
    const answer = await submit("senders/7", [
      ...Object.entries(SENDER),
      ["days", "1"],
      ["days", "5"],
      ...away,
    ]);
    expect(answer).toMatchObject({ status: 303, location: `${site.url}/settings/senders` });
    expect(await page("senders")).toContain("Sender saved.");
    const stored = await site.database.prisma.senderSettings.findFirst({ where: { portalId } });
    expect(stored).toMatchObject({
      ...{ userId: 7n, isAllowed: true, sendAsEmail: "sales@acme.example", senderAlias: null, version: 1 },
      ...{ dailyCap: 120, windowDays: [1, 5], windowStartMinute: 540, windowEndMinute: 1440 },
      ...{ timeZone: "Asia/Tokyo", away: [{ from: "2026-12-24", to: "2026-12-31" }] },
    });
    const form = await page("senders/7");
    for (const value of ["120", "sales@acme.example", "09:00", "00:00", "2026-12-31"])
      expect(form).toContain(`value="${value}"`);
    const [entry] = await audit();
    const admin = site.simulator.portals.get(Number(portalId))?.admin;
    expect(entry).toMatchObject({
      ...{ subject: "sender", subjectName: "Ann Lee", action: "CHANGED" },
      ...{ userId: BigInt(admin?.userId ?? 0), userEmail: admin?.email },
      before: { dailyCap: null, isAllowed: null },
      after: { dailyCap: 120, windowDays: [1, 5] },
    });
    expect(await page("audit")).toMatch(/Daily cap.*–.*120/);
  });

  test("may send overnight: a window that ends before it begins goes on into the next day", async () => {
    const overnight = { ...SENDER, window_from: "22:00", window_to: "06:00" };
    expect((await submit("senders/7", overnight)).status).toBe(303);
    const stored = await site.database.prisma.senderSettings.findFirst({ where: { portalId } });
    expect(stored).toMatchObject({ windowStartMinute: 1_320, windowEndMinute: 360 });
    expect(await page("senders/7")).toMatch(/value="22:00".*value="06:00"/s);
  });

  test.each([
    ["send_as_email", "not an address", "Enter the send-as address"],
    ["daily_cap", "1001", "from 1 to 1,000"],
    ["daily_cap", "0", "from 1 to 1,000"],
    ["daily_cap", "<i>", "from 1 to 1,000"],
    ["window_from", "", "Give both times of the window"],
    ["window_to", "09:00", "has to end at another time"],
    ["window_to", "25:00", "times of day"],
    ["time_zone", "Mars/Base", "Choose the time zone"],
    ["away_from", "2026-12-24", "a first and a last day"],
    ["days", "8", "days of the week"],
  ])(
    "with %s %j come back as typed, with the reason at the field, and nothing saved",
    async (field, value, reason) => {
      const answer = await submit("senders/7", { ...SENDER, [field]: value });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain(reason);
      expect(answer.text).toContain(`href="#${field}"`);
      expect(answer.text).toContain(`id="${field}"`);
      expect(answer.text).toContain(
        'value="sales@acme.example"'.replace(
          "sales@acme.example",
          field === "send_as_email" ? value : "sales@acme.example",
        ),
      );
      if (field !== "days" && field !== "away_from")
        expect(answer.text).toMatch(new RegExp(`id="${field}"[^>]*aria-describedby="${field}-problem`));
      expect(await site.database.prisma.senderSettings.count({ where: { portalId } })).toBe(0);
    },
  );

  test("are not overwritten unseen: the second admin sees what the first saved, and loses nothing typed", async () => {
    const form = await page("senders/7");
    await submit("senders/7", SENDER, { form });
    const late = await submit(
      "senders/7",
      { ...SENDER, daily_cap: "300", sender_alias: "a@acme.example" },
      { form },
    );
    expect(late.status).toBe(409);
    expect(late.text).toContain("Somebody else saved this in the meantime");
    expect(late.text).toMatch(/Daily cap.*120.*300/);
    expect(late.text).not.toMatch(/Send-as address<\/span>/);
    expect(late.text).toContain('value="a@acme.example"');
    expect(await audit()).toHaveLength(1);
    const again = await submit("senders/7", { ...SENDER, daily_cap: "300" }, { form: late.text });
    expect(again.status).toBe(303);
    expect((await audit())[1]).toMatchObject({ before: { dailyCap: 120 }, after: { dailyCap: 300 } });
  });

  test("come back after a problem with the version they began with, so a save in between still shows", async () => {
    const form = await page("senders/7");
    await submit("senders/7", SENDER, { form });
    const wrong = await submit("senders/7", { ...SENDER, daily_cap: "x" }, { form });
    expect((await submit("senders/7", { ...SENDER, daily_cap: "5" }, { form: wrong.text })).status).toBe(409);
  });

  test("who were refused are cleared by an admin, and what was decided about them stays", async () => {
    await submit("senders/7", SENDER);
    await site.database.prisma.senderSettings.updateMany({
      where: { portalId },
      data: { refusedCode: "SENDER_NOT_PERMITTED", refusedMessage: "No <b>seat</b>", refusedAt: new Date() },
    });
    const form = await page("senders/7");
    expect(form).toContain("HubSpot said: No &lt;b>seat&lt;/b>");
    expect((await submit("senders/7/clear", {}, { form })).status).toBe(303);
    const stored = await site.database.prisma.senderSettings.findFirst({ where: { portalId } });
    expect(stored).toMatchObject({ refusedCode: null, refusedMessage: null, refusedAt: null, dailyCap: 120 });
    expect((await audit()).at(-1)).toMatchObject({
      ...{ action: "CLEARED", before: { refusedCode: "SENDER_NOT_PERMITTED" } },
    });
  });

  test("who were refused are cleared by a save too: said before, said after, and noted", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 7n, windowDays: [], refusedCode: "INBOX_NOT_CONNECTED" },
    });
    expect(await page("senders/7")).toContain("Saving the form below clears it, too.");
    await submit("senders/7", SENDER);
    expect(await page("senders")).toContain("Sender saved, and HubSpot's refusal cleared");
    expect((await audit()).at(-1)).toMatchObject({
      before: { refusedCode: "INBOX_NOT_CONNECTED", dailyCap: null },
      after: { refusedCode: null, dailyCap: 120 },
    });
    expect(await page("audit")).toMatch(/Refused by HubSpot.*no connected personal inbox/);
  });
});

describe("rotations", () => {
  test("are put together without script: adding and removing saves nothing until it is saved", async () => {
    const empty = await submit("rotations/new", { name: "DACH" });
    expect([empty.status, empty.text.includes("Add at least one sender.")]).toEqual([422, true]);
    const one = await submit("rotations/new", { name: "DACH", new_member: "7", add: "yes" });
    const two = await submit(
      "rotations/new",
      { name: "DACH", member: "7", weight_7: "3", new_member: "8", add: "yes" },
      { form: one.text },
    );
    expect(two.text).toContain("Not saved yet.");
    expect(two.text).toMatch(/75 %.*25 %/);
    expect(await site.database.prisma.rotation.count({ where: { portalId } })).toBe(0);
    const members = [
      ...[
        ["member", "7"],
        ["weight_7", "3"],
      ],
      ...[
        ["member", "8"],
        ["weight_8", "1"],
      ],
    ];
    const less = await submit("rotations/new", [["name", "DACH"], ...members, ["remove", "7"]], {
      form: two.text,
    });
    expect(less.text).not.toContain('name="weight_7"');
    const saved = await submit("rotations/new", [["name", "DACH"], ["keeps_sender", "yes"], ...members], {
      form: two.text,
    });
    expect(saved.location).toBe(`${site.url}/settings/rotations`);
    expect(await page("rotations")).toMatch(/DACH.*Ann Lee.*75 %.*Bob Ray.*25 %/);
    expect(await audit()).toMatchObject([
      {
        ...{ subject: "rotation", subjectName: "DACH", action: "CREATED", before: null },
        after: {
          keepsSender: true,
          members: [
            { userId: "7", weight: 3 },
            { userId: "8", weight: 1 },
          ],
        },
      },
    ]);
  });

  test("keep what each was picked when weights change, begin the turns anew, and keep both when renamed", async () => {
    const rotationId = await makeRotation("DACH");
    const { prisma } = site.database;
    await prisma.rotationMember.updateMany({ where: { portalId }, data: { picks: 41n, currentWeight: -3 } });
    expect(await page(`rotations/${rotationId}`)).toContain("picks so far: 41");
    await submit(`rotations/${rotationId}`, { name: "Germany", member: "7", weight_7: "1" });
    expect(await prisma.rotationMember.findFirst({ where: { portalId } })).toMatchObject({
      currentWeight: -3,
    });
    await submit(`rotations/${rotationId}`, { name: "Germany", member: "7", weight_7: "5" });
    expect(await prisma.rotationMember.findFirst({ where: { portalId } })).toMatchObject({
      ...{ weight: 5, currentWeight: 0, picks: 41n },
    });
  });

  test("refuse a wrong weight and a name that is taken, and keep what was typed", async () => {
    await makeRotation("DACH");
    const heavy = await submit("rotations/new", { name: "Two", member: "7", weight_7: "101" });
    expect(heavy.status).toBe(422);
    expect(heavy.text).toMatch(/id="weight_7"[^>]*value="101"|value="101"[^>]*id="weight_7"/);
    const taken = await submit("rotations/new", { name: "DACH", member: "7", weight_7: "2" });
    expect([taken.status, taken.text.includes("Another rotation has this name.")]).toEqual([422, true]);
    const mine = await makeRotation("Mine");
    expect((await submit(`rotations/${mine}`, { name: "DACH", member: "7", weight_7: "1" })).status).toBe(
      422,
    );
  });

  test("are not overwritten unseen", async () => {
    const rotationId = await makeRotation("DACH");
    const form = await page(`rotations/${rotationId}`);
    await submit(`rotations/${rotationId}`, { name: "First", member: "7", weight_7: "2" }, { form });
    const late = await submit(
      `rotations/${rotationId}`,
      { name: "Second", member: "8", weight_8: "4" },
      { form },
    );
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Name.*First.*Second/);
    expect(late.text).toMatch(/Ann Lee[^<]*\(2\).*Bob Ray[^<]*\(4\)/);
    const again = await submit(
      `rotations/${rotationId}`,
      { name: "Second", member: "8", weight_8: "4" },
      { form: late.text },
    );
    expect(again.status).toBe(303);
  });

  test("are deleted, but not while a preset names them, not even one saved at the same moment", async () => {
    const rotationId = await makeRotation("DACH");
    const naming = { ...PRESET, fallback_rotation_id: String(rotationId) };
    await submit("presets/new", naming);
    const shown = await page(`rotations/${rotationId}`);
    await submit(`rotations/${rotationId}`, { name: "North", member: "7", weight_7: "1" }, { form: shown });
    const late = await submit(`rotations/${rotationId}/delete`, {}, { form: shown });
    expect([late.status, late.text.includes("so it was not deleted")]).toEqual([409, true]);
    expect(late.text).toContain('value="North"');
    const refused = await submit(`rotations/${rotationId}/delete`, {}, { form: late.text });
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("The preset “Outbound” names it. Choose another sender there first.");
    await site.database.prisma.preset.deleteMany({ where: { portalId } });
    for (let round = 0; round < 10; round += 1) {
      const [id, by] = [await makeRotation(`R${round}`), { userId: null, userEmail: null }];
      const fallback = { ...INITIAL_POLICY.fallback, rotationId: id.toString() };
      const draft = { name: `P${round}`, policy: { ...INITIAL_POLICY, fallback } };
      const [deleted, saved] = await Promise.all([
        deleteRotation(site.database, portalId, { rotationId: id, version: 1, by }),
        savePreset(site.database, portalId, { draft, saved: undefined, by }),
      ]);
      expect([
        ["deleted", "rotation-gone"],
        ["in-use", "saved"],
      ]).toContainEqual([deleted.kind, saved.kind]);
    }
    const gone = await submit(`rotations/${rotationId}/delete`, {}, { form: late.text });
    expect(gone.status).toBe(303);
    expect((await audit()).at(-1)).toMatchObject({
      action: "DELETED",
      before: { name: "North" },
      after: null,
    });
  });
});

describe("presets", () => {
  test("hold the whole policy, as typed", async () => {
    const rotationId = String(await makeRotation("DACH"));
    const typed = {
      ...PRESET,
      ...{ sender_mode: "contact_property", sender_property: "sales_rep", fallback_rotation_id: rotationId },
      ...{ fallback_default: "yes", domains: "Example.com, @gmail.com\n\n gmail.com ", check_opt_out: "yes" },
      ...{ property_name: "lifecyclestage", property_values: " customer \r\nOther, with comma\r\n" },
    };
    expect((await submit("presets/new", typed)).status).toBe(303);
    const stored = await site.database.prisma.preset.findFirst({ where: { portalId } });
    expect(stored?.policy).toEqual({
      sender: { mode: "contact_property", property: "sales_rep" },
      fallback: { rotationId, toDefaultSender: true, whenNobody: "fail" },
      ifAlreadyEnrolled: "wait",
      cooldown: { days: 30, scope: "any" },
      suppression: {
        domains: ["example.com", "gmail.com"],
        property: { name: "lifecyclestage", values: ["customer", "Other, with comma"] },
      },
      checkOptOut: true,
    });
    const form = await page(`presets/${stored?.presetId}`);
    expect(form).toContain(">example.com\ngmail.com</textarea>");
    expect(form).toContain('value="sales_rep"');
    expect(await page("audit")).toMatch(/Suppressed domains.*example.com, gmail.com/);
  });

  test.each([
    ["name", "", "Give it a name."],
    ["sender_mode", "magic", "Choose who sends."],
    ["cooldown_days", "-1", "from 0 to 3,650"],
    ["cooldown_days", "3651", "from 0 to 3,650"],
    ["if_already_enrolled", "", "in a sequence now"],
    ["domains", "good.example, not a domain!", "“not” is not a domain."],
    ["property_name", "Not Internal", "internal name of the suppressing property"],
    ["property_values", "customer", "internal name of the suppressing property"],
    ["fallback_rotation_id", "424242", "The rotation to fall back to was deleted."],
  ])("with %s %j come back as typed, with the reason at the field", async (field, value, reason) => {
    const answer = await submit("presets/new", { ...PRESET, [field]: value });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(reason);
    expect(answer.text).toContain(value);
    expect(answer.text).toMatch(/aria-invalid="true"/);
    expect(await site.database.prisma.preset.count({ where: { portalId } })).toBe(0);
  });

  test("one of them applies by default, chosen by two admins at once too; without one the built-in does", async () => {
    expect(await page("presets")).toContain("Built-in");
    await submit("presets/new", PRESET);
    await submit("presets/new", { ...PRESET, name: "Inbound" });
    const { prisma } = site.database;
    const ids = (await prisma.preset.findMany({ where: { portalId } })).map(({ presetId }) => presetId);
    const form = await page("presets");
    const answers = await Promise.all([...ids, ...ids].map((id) => chooseDefault(String(id), form)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 303, 409, 409]);
    const [chosen, ...more] = await prisma.preset.findMany({ where: { portalId, isDefault: true } });
    expect(more).toEqual([]);
    const late = answers.find(({ status }) => status === 409)?.text ?? "";
    const other = chosen?.name === "Inbound" ? "Outbound" : "Inbound";
    expect(late).toContain("Somebody else changed the presets");
    expect(late).toMatch(new RegExp(`Saved by them.*Chosen by you.*${chosen?.name}.*${other}`));
    expect(await page("presets")).not.toContain("Built-in");
    await submit(`presets/${chosen?.presetId}`, { ...PRESET, name: "Renamed" });
    const anotherId = ids.find((id) => id !== chosen?.presetId);
    expect((await chooseDefault(String(anotherId), late)).status).toBe(303);
    expect((await chooseDefault(String(chosen?.presetId), form)).status).toBe(409);
    await chooseDefault("", await page("presets"));
    expect(await prisma.preset.count({ where: { portalId, isDefault: true } })).toBe(0);
    await submit("presets/default", { preset: "424242" }, { form });
    expect(await page("presets")).toContain("Somebody else deleted that preset");
  });

  test("do not become the default by a list that shows them as they were before another admin saved them", async () => {
    await submit("presets/new", PRESET);
    const { prisma } = site.database;
    const { presetId } = await prisma.preset.findFirstOrThrow({ where: { portalId } });
    const shown = await page("presets");
    await submit(`presets/${presetId}`, { ...PRESET, cooldown_days: "60" });
    expect((await chooseDefault(String(presetId), shown)).status).toBe(409);
    expect(await prisma.preset.count({ where: { portalId, isDefault: true } })).toBe(0);
    expect((await chooseDefault(String(presetId), await page("presets"))).status).toBe(303);
  });

  test("are not overwritten unseen, and a deleted one is said to be gone", async () => {
    await submit("presets/new", PRESET);
    const { presetId } = await site.database.prisma.preset.findFirstOrThrow({ where: { portalId } });
    const path = `presets/${presetId}`;
    const form = await page(path);
    await submit(path, { ...PRESET, cooldown_days: "60" }, { form });
    const late = await submit(path, { ...PRESET, cooldown_days: "90", domains: "a.example" }, { form });
    expect(late.status).toBe(409);
    expect(late.text).toMatch(/Cooldown, days.*60.*90/);
    expect(late.text).toContain(">a.example</textarea>");
    expect((await submit(path, { ...PRESET, cooldown_days: "90" }, { form: late.text })).status).toBe(303);
    const kept = await submit(`${path}/delete`, {}, { form });
    expect([kept.status, kept.text.includes("so it was not deleted")]).toEqual([409, true]);
    expect((await submit(`${path}/delete`, {}, { form: kept.text })).status).toBe(303);
    expect((await submit(path, PRESET, { form })).status).toBe(404);
    const again = await submit(`${path}/delete`, {}, { form: kept.text });
    expect([again.status, again.text.includes("All presets")]).toEqual([404, true]);
    expect((await audit()).map(({ action }) => action)).toEqual(["CREATED", "CHANGED", "CHANGED", "DELETED"]);
  });
});

describe("the account's policy", () => {
  const POLICY = { default_sender: "7", only_listed: "yes", max_hold_days: "60", retention_days: "" };

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
      ...{
        defaultSenderUserId: 8n,
        onlyListedSenders: true,
        maxHoldDays: 60,
        retentionDays: null,
        version: 3,
      },
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
    expect(late.text).toMatch(/Longest hold, days.*60.*90/);
    await submit("senders/listing", { only_listed: "no" }, { form: senders });
    expect(await page("senders")).toContain("Only people marked as allowed may send");
    await submit("senders/listing", { only_listed: "no" }, { form: await page("senders") });
    expect(await page("senders")).toContain("Everybody may send");
  });
});

describe("the audit", () => {
  test("shows every change once over its pages, newest first", async () => {
    await site.database.prisma.auditEntry.createMany({
      data: Array.from({ length: 60 }, (_, index) => ({
        ...{ portalId, subject: "sender", subjectName: `Person ${index}.`, action: "CHANGED" },
        ...{ before: { dailyCap: index }, after: { dailyCap: index + 1 } },
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

describe("asking what would happen", () => {
  const QUESTION = { contact: "ann@acme.example", sequence_id: "77", sender_mode: "portal_default" };

  test("hands the question on for this account and shows decision, checks and every candidate's reason", async () => {
    asked.length = 0;
    explanation = {
      kind: "explained",
      contact: { id: "1", email: "<i>ann</i>@acme.example" },
      policyName: "Outbound",
      checks: [{ name: "Cooldown", verdict: "passed", sentence: "Not in a sequence in the last 30 days." }],
      choice: {
        chosen: { userId: "8", via: "default_sender" },
        passedOver: [
          { userId: "7", via: "contact_owner", code: "SENDER_LIMIT_REACHED", reason: "At the cap." },
        ],
      },
      decision: "enroll",
      sentence: "Bob Ray would send.",
    };
    const answer = await submit("try", QUESTION);
    expect(answer.status).toBe(200);
    expect(asked).toEqual([
      [
        portalId,
        { contact: "ann@acme.example", sequenceId: "77", presetId: null, sender: { mode: "portal_default" } },
      ],
    ]);
    expect(answer.text).toContain("The contact would be enrolled.");
    expect(answer.text).toMatch(
      /Ann Lee.*the contact&#39;s owner.*At the cap\..*SENDER_LIMIT_REACHED.*Bob Ray|Ann Lee.*the contact's owner.*At the cap\..*SENDER_LIMIT_REACHED.*Bob Ray/,
    );
    expect(answer.text).toContain("&lt;i>ann");
    explanation = { kind: "contact-not-found" };
    expect((await submit("try", QUESTION)).text).toContain("HubSpot has no such contact.");
    explanation = { kind: "hubspot-unavailable" };
    expect((await submit("try", QUESTION)).text).toContain("could not be asked");
  });

  test("takes all that a step can say, a link's preset, sender or rotation, and a story's contact and sequence", async () => {
    asked.length = 0;
    explanation = { kind: "contact-not-found" };
    const step = { sender_alias: "a@acme.example", if_already_enrolled: "wait", cooldown_days: "9" };
    await submit("try", { ...QUESTION, ...step, not_before: "2027-01-31" });
    expect(asked[0]?.[1]).toMatchObject({
      ...{ senderAlias: "a@acme.example", ifAlreadyEnrolled: "wait", cooldownDays: 9 },
      notBefore: "2027-01-31",
    });
    asked.length = 0;
    expect(await page("try?sender=7")).toMatch(/value="specific_user" selected.*value="7" selected/s);
    const rotationId = await makeRotation("DACH");
    expect(await page(`try?rotation=${rotationId}`)).toMatch(
      new RegExp(`value="rotation" selected.*value="${rotationId}" selected`, "s"),
    );
    for (const path of ["senders/7", `rotations/${rotationId}`, "policy"])
      expect(await page(path)).toMatch(/href="\/settings\/try/);
    const prefilled = await submit("try", { contact: "ann@acme.example", sequence: "77" });
    expect([prefilled.status, asked]).toEqual([200, []]);
    expect(prefilled.text).toMatch(/name="contact"[^>]*value="ann@acme.example"/);
    expect(prefilled.text).toMatch(/<option value="77" selected/);
    expect(prefilled.text).toContain("No sequence of this account is known yet.");
  });

  test.each([
    ["sender_alias", "x", "The alias has to be an e-mail address"],
    ["cooldown_days", "3651", "from 0 to 3,650"],
    ["if_already_enrolled", "maybe", "Choose one of the list."],
    ["not_before", "tomorrow", "Enter a day such as"],
    ["contact", "nobody", "e-mail address, or its record id"],
    ["sequence_id", "", "Choose a sequence."],
    ["preset_id", "424242", "Choose a preset from the list."],
    ["sender_mode", "specific_user", "Choose the user to send as."],
    ["sender_mode", "rotation", "Choose a rotation."],
  ])("refuses %s %j at its field and asks nobody", async (field, value, reason) => {
    asked.length = 0;
    const answer = await submit("try", { ...QUESTION, [field]: value });
    expect([answer.status, answer.text.includes(reason), asked]).toEqual([422, true, []]);
  });
});
