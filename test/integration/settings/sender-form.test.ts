import { describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import {
  addUser,
  audit,
  page,
  portalId,
  SENDER,
  site,
  submit,
  usePolicySite,
} from "../../support/policy-site.js";

usePolicySite();

describe("a sender's form", () => {
  const stored = () => site.database.prisma.senderSettings.findFirst({ where: { portalId, userId: 7n } });
  const undo = async (text: string) =>
    submit("undo", { key: hiddenField(text, "key"), back: "/settings/senders" }, { form: text });
  const workdays = ["1", "2", "3", "4"].map((day) => ["days", day]);

  test("says after saving what changed, and stays where one was", async () => {
    const all = { ...SENDER, allowed: "", send_as_email: "", window_from: "", window_to: "", time_zone: "" };
    const fields = Object.entries({ ...all, daily_cap: "" });
    const saved = await submit("senders/7", [...fields, ...workdays]);
    expect(saved.location).toBe(`${site.url}/settings/senders/7`);
    expect(await page("senders/7")).toContain(
      "Saved Ann Lee: no sending on Fridays, Saturdays, and Sundays.",
    );
    await submit("senders/7", [...fields, ...workdays]);
    expect(await page("senders/7")).toContain("Saved Ann Lee.");
  });

  test("has a row for each time off: one more on request, and one less, nothing saved before it is saved", async () => {
    expect(await page("senders/7")).not.toContain('type="date"');
    const one = await submit("senders/7", { ...SENDER, add_away: "yes" });
    expect([one.status, one.text.match(/name="away_from"/g)?.length]).toEqual([200, 1]);
    expect(one.text).toContain("Unsaved changes.");
    expect(one.text).toContain('value="sales@acme.example"');
    const typed = [
      ["away_from", "2026-12-24"],
      ["away_to", "2026-12-31"],
    ];
    const fields = Object.entries(SENDER);
    const two = await submit("senders/7", [...fields, ...typed, ["add_away", "yes"]], { form: one.text });
    expect(two.text.match(/name="away_from"/g)?.length).toBe(2);
    const blank = [
      ["away_from", ""],
      ["away_to", ""],
    ];
    const less = await submit("senders/7", [...fields, ...blank, ...typed, ["remove_away", "0"]], {
      form: two.text,
    });
    expect(less.text).toMatch(/name="away_from" value="2026-12-24"/);
    expect(await stored()).toBeNull();
    const saved = await submit("senders/7", [...fields, ...typed], { form: less.text });
    expect(saved.status).toBe(303);
    expect((await stored())?.away).toEqual([{ from: "2026-12-24", to: "2026-12-31" }]);
  });

  test("can be taken back, as long as nobody saved since", async () => {
    await submit("senders/7", SENDER);
    await page("senders/7");
    await submit("senders/7", { ...SENDER, daily_cap: "5", allowed: "no" });
    await undo(await page("senders/7"));
    expect(await page("senders")).toContain("Undone.");
    expect(await stored()).toMatchObject({ dailyCap: 120, isAllowed: true, timeZone: "Asia/Tokyo" });
    expect((await audit()).at(-1)).toMatchObject({
      subject: "sender",
      subjectName: "Ann Lee",
      action: "UNDONE",
      before: { dailyCap: 5, isAllowed: false },
      after: { dailyCap: 120, isAllowed: true },
    });
    await submit("senders/7", { ...SENDER, daily_cap: "6" });
    const shown = await page("senders/7");
    await submit("senders/7", { ...SENDER, daily_cap: "7" });
    await undo(shown);
    expect(await page("senders")).toContain("Not undone: it was changed again since then.");
    expect(await stored()).toMatchObject({ dailyCap: 7 });
  });
});

describe("the list of senders by status", () => {
  const order = async (path: string) =>
    [...(await page(path)).matchAll(/aria-label="Select ([^"]+)"/g)].map(([, name]) => name);

  test("has those first whom somebody has to do something about, then who waits, then who sends", async () => {
    const { prisma } = site.database;
    const names = ["Cap", "Away", "Blocked", "Refused"];
    for (const [index, firstName] of names.entries())
      await addUser(BigInt(20 + index), { firstName, email: `${firstName}@acme.example` });
    const of = (userId: bigint) => ({ portalId, userId, windowDays: [] });
    await prisma.senderSettings.createMany({
      data: [
        { ...of(20n), limitedUntil: new Date(Date.now() + 3_600_000) },
        { ...of(21n), away: [{ from: "2000-01-01", to: "2999-12-31" }] },
        { ...of(22n), isAllowed: false },
        { ...of(23n), refusedCode: "INBOX_NOT_CONNECTED" },
      ],
    });
    expect(await order("senders?sort=status")).toEqual([
      ...["Refused", "Blocked", "Cap", "Away", "Ann Lee", "Bob Ray"],
    ]);
    expect((await order("senders"))[0]).toBe("Ann Lee");
    expect(await page("senders?sort=status")).toContain('<th scope="col" aria-sort="ascending">Status</th>');
  });
});
