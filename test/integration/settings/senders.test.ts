import { describe, expect, test } from "@jest/globals";
import {
  site,
  browser,
  portalId,
  page,
  submit,
  audit,
  SENDER,
  usePolicySite,
} from "../../support/policy-site.js";

usePolicySite();

describe("senders", () => {
  test("are listed with seats, use of the cap and what HubSpot refused, and are found by name and address", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, windowDays: [], refusedCode: "INBOX_NOT_CONNECTED", dailyCap: 50 },
    });
    await site.database.prisma.execution.createMany({
      data: [1, 2, 30].map((hoursAgo) => ({
        portalId,
        callbackId: `c${hoursAgo}`,
        kind: "ENROLL",
        state: "COMPLETED",
        contactId: "1",
        deadlineAt: new Date(),
        request: {},
        enrollmentStatus: "ENROLLED",
        senderUserId: 8n,
        enrolledAt: new Date(Date.now() - hoursAgo * 3_600_000),
      })),
    });
    const all = await page("senders");
    expect(all).toContain("Sales Starter");
    expect(all).toContain("2 of 50");
    expect(all).toContain("0 of 400");
    expect(all).toContain("Inbox not connected");
    expect(await page("senders?search=ANN%40")).not.toContain("bob@acme.example");
    expect(await page("senders?show=troubled")).not.toContain("ann@acme.example");
    expect(await page("senders?search=%25")).toContain("No matching senders.");
    for (const odd of ["page=0", "page=999999999999999999", "page=x", "search=%00"])
      expect((await browser.get(`/settings/senders?${odd}`)).status).toBe(200);
  });

  test("are not all shut out at once: only approved users can send when somebody is approved, and they are named", async () => {
    const sentLately = {
      portalId,
      kind: "ENROLL",
      state: "COMPLETED",
      contactId: "1",
      deadlineAt: new Date(),
    };
    await site.database.prisma.execution.createMany({
      data: [8n, 9n].map((senderUserId) => ({
        ...{ ...sentLately, callbackId: `sent-${senderUserId}`, request: {}, enrollmentStatus: "ENROLLED" },
        ...{ senderUserId, enrolledAt: new Date() },
      })),
    });
    const isListed = async () =>
      (await site.database.prisma.portalSettings.findUnique({ where: { portalId } }))?.onlyListedSenders ??
      false;
    const refused = await submit("senders/listing", { only_listed: "yes", approve: "" });
    expect([refused.status, await isListed()]).toEqual([422, false]);
    expect(refused.text).toContain("No one is approved yet, so no one could send.");
    expect(refused.text).toContain("Approve 1 recent sender and save");
    const policy = { default_sender: "", only_listed: "yes", max_hold_days: "60", retention_days: "" };
    const onPolicy = await submit("policy", policy);
    expect([onPolicy.status, onPolicy.text.includes("No one is approved yet.")]).toEqual([422, true]);
    expect(await isListed()).toBe(false);
    const form = { form: refused.text };
    expect((await submit("senders/listing", { only_listed: "yes", approve: "recent" }, form)).status).toBe(
      303,
    );
    expect(await isListed()).toBe(true);
    expect(await page("senders")).toContain("Only approved users can send now: Bob Ray.");
    expect(await page("senders")).not.toContain("can send now");
    const marks = await site.database.prisma.senderSettings.findMany({
      where: { portalId, isAllowed: true },
    });
    expect(marks.map(({ userId }) => userId)).toEqual([8n]);
  });

  test("come in pages of fifty, and ticking them keeps the place", async () => {
    await site.database.prisma.user.createMany({
      data: Array.from({ length: 118 }, (_, index) => ({
        portalId,
        userId: BigInt(1_000 + index),
        email: `p${index}@acme.example`,
        superAdmin: false,
        seatNames: [],
        isListed: true,
      })),
    });
    const pages = await Promise.all([1, 2, 3].map((number) => page(`senders?page=${number}`)));
    const seen = pages.flatMap((text) =>
      [...text.matchAll(/name="user" value="(\d+)"/g)].map(([, id]) => id),
    );
    expect([seen.length, new Set(seen).size]).toEqual([120, 120]);
    expect(pages[1]).toContain("120 senders, page 2 of 3");
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
    expect(late.text).toMatch(/Their version.*Your version.*Bob Ray.*Blocked.*Approved/);
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
    expect(answer).toMatchObject({ status: 303, location: `${site.url}/settings/senders/7` });
    expect(await page("senders/7")).toContain(
      "Saved Ann Lee: can always send; sending only on Mondays and Fridays; sending 9:00 AM–12:00 AM; 4 more.",
    );
    const stored = await site.database.prisma.senderSettings.findFirst({ where: { portalId } });
    expect(stored).toMatchObject({
      userId: 7n,
      isAllowed: true,
      sendAsEmail: "sales@acme.example",
      senderAlias: null,
      version: 1,
      dailyCap: 120,
      windowDays: [1, 5],
      windowStartMinute: 540,
      windowEndMinute: 1440,
      timeZone: "Asia/Tokyo",
      away: [{ from: "2026-12-24", to: "2026-12-31" }],
    });
    const form = await page("senders/7");
    for (const value of ["120", "sales@acme.example", "09:00", "00:00", "2026-12-31"])
      expect(form).toContain(`value="${value}"`);
    const [entry] = await audit();
    const admin = site.simulator.portals.get(Number(portalId))?.admin;
    expect(entry).toMatchObject({
      subject: "sender",
      subjectName: "Ann Lee",
      action: "CHANGED",
      userId: BigInt(admin?.userId ?? 0),
      userEmail: admin?.email,
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
    ["send_as_email", "not an address", "Enter the full inbox address"],
    ["daily_cap", "1001", "from 1 to 1,000"],
    ["daily_cap", "0", "from 1 to 1,000"],
    ["daily_cap", "<i>", "from 1 to 1,000"],
    ["window_from", "", "Enter both times"],
    ["window_to", "09:00", "Start and end time can't be the same"],
    ["window_to", "25:00", "start and end of the sending hours"],
    ["time_zone", "Mars/Base", "Choose the time zone"],
    ["away_from", "2026-12-24", "a first and last day"],
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
    expect(late.text).toContain("Another admin saved changes while you were editing");
    expect(late.text).toMatch(/Daily cap.*120.*300/);
    expect(late.text).not.toMatch(/Inbox address<\/span>/);
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
    expect(form).toContain("HubSpot's message: No &lt;b>seat&lt;/b>");
    expect((await submit("senders/7/clear", {}, { form })).status).toBe(303);
    const stored = await site.database.prisma.senderSettings.findFirst({ where: { portalId } });
    expect(stored).toMatchObject({ refusedCode: null, refusedMessage: null, refusedAt: null, dailyCap: 120 });
    expect((await audit()).at(-1)).toMatchObject({
      action: "CLEARED",
      before: { refusedCode: "SENDER_NOT_PERMITTED" },
    });
  });

  test("who were refused are cleared by a save too: said before, said after, and noted", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 7n, windowDays: [], refusedCode: "INBOX_NOT_CONNECTED" },
    });
    expect(await page("senders/7")).toContain("or when you save or select Try again now.");
    await submit("senders/7", SENDER);
    expect(await page("senders/7")).toMatch(/Saved Ann Lee: .*\. We'll try this sender again/);
    expect((await audit()).at(-1)).toMatchObject({
      before: { refusedCode: "INBOX_NOT_CONNECTED", dailyCap: null },
      after: { refusedCode: null, dailyCap: 120 },
    });
    expect(await page("audit")).toMatch(/Rejected by HubSpot.*No inbox is connected/);
  });
});
