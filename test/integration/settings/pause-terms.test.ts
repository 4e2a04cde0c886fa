import { describe, expect, test } from "@jest/globals";
import { endPauses } from "../../../src/worker/sweeps/end-pauses.js";
import { hiddenField } from "../../support/browser.js";
import { audit, browser, page, portalId, site, usePolicySite } from "../../support/policy-site.js";

usePolicySite();

const wordsOf = (text: string): string =>
  text
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replace(/\s+/g, " ");

describe("a pause with an end and a reason", () => {
  const settings = () => site.database.prisma.portalSettings.findUniqueOrThrow({ where: { portalId } });
  const shown = async () => wordsOf(await page("senders"));
  const woken: bigint[] = [];
  const pause = async (fields: Record<string, string>) =>
    browser.post("/settings/danger/pause", {
      form_token: hiddenField(await page("danger"), "form_token"),
      ...fields,
    });
  const endDue = () => endPauses({ pool: site.database.pool, wake: (id) => void woken.push(id) });

  test("is told on every page, and in the audit log", async () => {
    await pause({ end: "hour", reason: "New email <b>domain</b>", back: "/settings/senders" });
    const told = await shown();
    expect(told).toMatch(/Enrollment paused until \w{3} \d+, \d{4}, \d+:\d\d [AP]M\./);
    expect(told).toMatch(/Reason: “ ?New email <b>domain<\/b> ?”\./);
    expect(told).toMatch(/Resumes automatically in (59 minutes|1 hour) ?\./);
    expect(wordsOf(await page("audit"))).toContain("New email <b>domain</b>");
    expect(await audit()).toMatchObject([
      { action: "PAUSED", after: { enrolling: "paused", reason: "New email <b>domain</b>" } },
    ]);
  });

  test("ends by itself when its time has come, once, which the audit log says", async () => {
    await pause({ end: "hour" });
    await endDue();
    expect((await settings()).pausedAt).not.toBeNull();
    await site.database.prisma.portalSettings.update({
      where: { portalId },
      data: { pausedAt: new Date(Date.now() - 7_200_000), pausedUntil: new Date(Date.now() - 1_000) },
    });
    await Promise.all([endDue(), endDue()]);
    expect(await settings()).toMatchObject({ pausedAt: null, pausedUntil: null, pauseReason: null });
    expect(woken).toContain(portalId);
    expect((await audit()).map(({ action, userEmail }) => [action, userEmail]).slice(1)).toEqual([
      ["RESUMED", "Sequence Enroller"],
    ]);
  });

  test("without an end lasts until somebody resumes, whatever an earlier one said", async () => {
    await pause({ end: "", reason: " " });
    expect(await shown()).not.toMatch(/Resumes automatically|Reason:/);
    await site.database.prisma.portalSettings.update({
      where: { portalId },
      data: { pausedUntil: new Date(Date.now() - 7_200_000) },
    });
    await endDue();
    expect((await settings()).pausedAt).not.toBeNull();
    expect(await shown()).not.toContain("Resumes automatically");
  });
});
