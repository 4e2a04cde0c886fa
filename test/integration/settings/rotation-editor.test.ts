import { describe, expect, test } from "@jest/globals";
import { makeRotation, page, portalId, site, submit, usePolicySite } from "../../support/policy-site.js";

usePolicySite();

const words = (html: string) => html.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");
const EVERY_DAY_BUT_FRIDAY = ["1", "2", "3", "4", "6", "7"];

describe("the editor of a rotation", () => {
  async function storedRotation(name: string) {
    const { prisma } = site.database;
    return prisma.rotation.findFirstOrThrow({ where: { portalId, name }, include: { members: true } });
  }

  test("adds a sender at half weight and off on Fridays, on one page and with one save", async () => {
    const rotationId = await makeRotation("Inbound desk");
    const added = await submit(`rotations/${rotationId}`, [
      ["name", "Inbound desk"],
      ["member", "7"],
      ["weight_7", "1"],
      ["new_member", "8"],
      ["add", "yes"],
    ]);
    expect(words(added.text)).toMatch(/Bob Ray .*50% of contacts .*Sending Every day/);
    const saved = await submit(
      `rotations/${rotationId}`,
      [
        ["name", "Inbound desk"],
        ["member", "7"],
        ["weight_7", "1"],
        ["member", "8"],
        ["weight_8", "0.5"],
        ["days_version_8", "0"],
        ...EVERY_DAY_BUT_FRIDAY.map((day) => ["days_8", day]),
      ],
      { form: added.text },
    );
    expect(saved.status).toBe(303);
    const { members } = await storedRotation("Inbound desk");
    expect(members.map(({ userId, weight }) => [userId, weight])).toEqual([
      [7n, 2],
      [8n, 1],
    ]);
    const sender = await site.database.prisma.senderSettings.findFirstOrThrow({
      where: { portalId, userId: 8n },
    });
    expect(sender.windowDays).toEqual(EVERY_DAY_BUT_FRIDAY.map(Number));
    const shown = words(await page(`rotations/${rotationId}`));
    expect(shown).toMatch(/67% of contacts .*33% of contacts .*Off: Fri/);
    expect(shown).toContain("Next, if they can send: Ann Lee, Ann Lee, Bob Ray.");
  });

  test("leaves the days of a sender whom another admin changed meanwhile, and says so", async () => {
    const rotationId = await makeRotation("Inbound desk", 8n);
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, version: 1, windowDays: EVERY_DAY_BUT_FRIDAY.map(Number) },
    });
    const fields = [
      ["name", "Inbound desk"],
      ["member", "8"],
      ["weight_8", "1"],
      ["days_version_8", "0"],
      ["days_8", "1"],
    ];
    const { location } = await submit(`rotations/${rotationId}`, fields);
    expect(await page(new URL(location ?? "").pathname.replace("/settings/", ""))).toContain(
      "another admin changed Bob Ray meanwhile",
    );
    const sender = await site.database.prisma.senderSettings.findFirstOrThrow({
      where: { portalId, userId: 8n },
    });
    expect(sender.windowDays).toEqual(EVERY_DAY_BUT_FRIDAY.map(Number));
  });

  test("warns of a sender who cannot send", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, refusedCode: "INBOX_NOT_CONNECTED" },
    });
    const rotationId = await makeRotation("Inbound desk", 8n);
    const shown = words(await page(`rotations/${rotationId}`));
    expect(shown).toMatch(/Inbox not connected .*Can't send now: contacts go to the next sender\./);
  });
});
