import { describe, expect, test } from "@jest/globals";
import { seedExecutions } from "../../support/executions.js";
import { makeRotation, page, portalId, site, stranger, usePolicySite } from "../../support/policy-site.js";

usePolicySite();

const words = (html: string) => html.replaceAll(/<[^>]+>/g, " ").replaceAll(/\s+/g, " ");

/** Noah's inbox is not connected: two contacts failed by it, one went to Ann, one was retried. */
async function seedTrouble(): Promise<void> {
  const passedOver = [
    { userId: "8", via: "contact_owner", code: "INBOX_NOT_CONNECTED", reason: "No inbox." },
  ];
  const failed = {
    ...{ portalId, sequenceId: "31", enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED" },
    ...{ senderUserId: 8n, decidedAt: new Date() },
  };
  const choice = { chosen: { userId: "7", via: "default_sender" }, passedOver };
  await seedExecutions(site.database, [
    ...["1", "2", "3"].map((contactId) => ({ ...failed, contactId })),
    {
      ...{ portalId, contactId: "4", enrollmentStatus: "ENROLLED", senderUserId: 7n, senderChoice: choice },
      ...{ enrolledAt: new Date(), decidedAt: new Date() },
    },
  ]);
  const third = await site.database.prisma.execution.findFirstOrThrow({
    where: { portalId, contactId: "3" },
  });
  await seedExecutions(site.database, [
    {
      portalId,
      contactId: "3",
      retryOf: third.id,
      isHeld: false,
      enrollmentStatus: "ENROLLED",
      senderUserId: 7n,
    },
  ]);
}

describe("a sender's page", () => {
  test("tells what its trouble does to contacts, and where the sender is used", async () => {
    await seedTrouble();
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, refusedCode: "INBOX_NOT_CONNECTED" },
    });
    await makeRotation("Inbound desk", 8n);
    const html = await page("senders/8");
    const shown = words(html);
    expect(shown).toContain("2 contacts not enrolled · Retry them");
    expect(shown).toContain("1 moved to another sender");
    expect(shown).toContain("Rotation Inbound desk (100%)");
    expect(html).toMatch(/href="mailto:bob%40acme\.example\?subject=Please%20connect/);
    const moved =
      /href="\/settings\/(activity\?skipped=8[^"]*)"/.exec(html)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const list = await page(moved);
    expect(list).toContain("1 result");
    expect(list).toContain("Skipped sender: Bob Ray");
    expect(words(await page("senders/7"))).toContain("No contact failed because of this sender.");
  });

  test("is of the account alone", async () => {
    await seedTrouble();
    expect(words(await page("senders/8", stranger))).toContain("No contact failed because of this sender.");
  });

  test("counts each day by the account's calendar, today last", async () => {
    await seedExecutions(
      site.database,
      [0, 0, 1, 13].map((days) => ({
        ...{ portalId, enrollmentStatus: "ENROLLED", senderUserId: 7n },
        enrolledAt: new Date(Date.now() - days * 86_400_000),
      })),
    );
    const html = await page("senders/7");
    expect(html).toContain("<title>Today: 2</title>");
    expect(html).toContain("<title>Yesterday: 1</title>");
    expect(html).toContain("<title>13 days ago: 1</title>");
    expect(html).toContain("4 enrollments in 30 days, at most 2 a day");
  });

  test("tells the next time off in the list", async () => {
    await site.database.prisma.senderSettings.create({
      data: { portalId, userId: 8n, away: [{ from: "2199-12-24", to: "2200-01-01" }] },
    });
    expect(words(await page("senders"))).toContain("Away Dec 24–Jan 1");
  });
});
