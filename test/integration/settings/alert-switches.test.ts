import { beforeEach, describe, expect, test } from "@jest/globals";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { hiddenField } from "../../support/browser.js";
import {
  admin,
  alertsOf,
  choicesOf,
  open,
  page,
  portalId,
  postDueAlerts,
  setAddress,
  site,
  useAlertsSite,
} from "../../support/alerts-site.js";

useAlertsSite();

/** Nothing listens there: what is sent to it fails at once. */
const NOWHERE = "https://127.0.0.1:9/alerts";

describe("the switches of the alerts", () => {
  beforeEach(() => open({ privateDestinations: new Set(["127.0.0.1:9"]) }));

  const save = async (kinds: string[], form: string) =>
    admin
      .post("/settings/alerts")
      .type("form")
      .send({
        form_token: hiddenField(form, "form_token"),
        version: hiddenField(form, "version"),
        webhook_url: NOWHERE,
        asks_kinds: "yes",
        kinds,
      });

  test("are all on at first; what is turned off stays so, and is not sent", async () => {
    const first = await page();
    expect(first.match(/name="kinds"[^>]* checked/g)).toHaveLength(6);
    expect((await save(["BACKLOG_LATE", "SERVICE_FAULT"], first)).status).toBe(303);
    expect((await choicesOf())?.alertOffKinds).toEqual([
      "SENDER_REFUSED",
      "HOLDS_CUT_SHORT",
      "UNENROLL_BROKEN",
      "WEBHOOK_OFF",
    ]);
    const shown = await page();
    expect(shown).toMatch(/id="kinds-BACKLOG_LATE"[^>]* checked/);
    expect(shown).not.toMatch(/id="kinds-SENDER_REFUSED"[^>]* checked/);
    for (const kind of ["SENDER_REFUSED", "BACKLOG_LATE", "PORTAL_DISCONNECTED"] as const)
      await raiseAlert(site.database.pool, { portalId, kind, message: `Of ${kind}.` });
    await postDueAlerts();
    const outcomes = (await alertsOf()).filter(({ channel }) => channel === "WEBHOOK");
    expect(outcomes.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["SENDER_REFUSED", "NOT_WANTED"],
      ["BACKLOG_LATE", null],
      ["PORTAL_DISCONNECTED", null],
    ]);
    const recent = (await page()).split("Recent alerts")[1] ?? "";
    expect(recent).toContain("Not sent: turned off.");
    expect(await page(admin, "/settings/audit")).toMatch(/Alerts turned off.*Sender can't send/s);
  });

  test("stay as they are when a form without them is saved", async () => {
    await save(["BACKLOG_LATE"], await page());
    await setAddress("https://example.com/alerts");
    expect((await choicesOf())?.alertOffKinds).toHaveLength(5);
  });

  test("an alert that waits for others like it says so, and is not said to be being sent", async () => {
    await save(["SENDER_REFUSED"], await page());
    await site.database.prisma.alert.create({
      data: {
        portalId,
        kind: "SENDER_REFUSED",
        channel: "WEBHOOK",
        message: "Noah can't send.",
        dueAt: new Date(Date.now() + 1_800_000),
      },
    });
    const recent = (await page()).split("Recent alerts")[1] ?? "";
    expect(recent).toMatch(/waiting until \d+:\d\d [AP]M to be sent together with others\./);
    expect(recent).not.toContain("being sent");
  });
});
