import { beforeEach, describe, expect, test } from "@jest/globals";
import { hiddenField } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install } from "../../support/site.js";
import {
  site,
  browser,
  portalNumber,
  portalId,
  addUser,
  ann,
  bob,
  savedSettings,
  chooseSender,
  unbroken,
  listed,
  useSettingsStage,
} from "../../support/settings-stage.js";

useSettingsStage();

describe("the default sender", () => {
  beforeEach(async () => {
    await addUser(7n, ann);
    await addUser(8n, bob);
  });

  test("is chosen from the account's active people by name and email", async () => {
    const owner = { portalId, email: "cy@acme.example", firstName: "Cy", lastName: "Orr" };
    await site.database.prisma.owner.createMany({
      data: [
        { ...owner, ownerId: "1", userId: 9n, type: "PERSON", isArchived: false },
        { ...owner, ownerId: "2", userId: 10n, type: "PERSON", isArchived: true },
        { ...owner, ownerId: "3", userId: null, type: "QUEUE", isArchived: false },
        { ...owner, ...ann, ownerId: "4", userId: 7n, type: "PERSON", isArchived: false },
      ],
    });
    const { text } = await browser.get("/settings");
    const select = /<select[^>]* id="sender"[^]*?<\/select>/.exec(text)?.[0] ?? "";
    const labels = [...select.matchAll(/<option value="(\d+)"[^>]*>([^<]+)</g)].map(([, value, label]) => [
      value,
      label,
    ]);
    expect(labels).toEqual([
      ["7", "Ann Lee · ann@acme.example"],
      ["8", "Bob Ray · bob@acme.example"],
      ["9", "Cy Orr · cy@acme.example"],
    ]);
  });

  test("is saved, confirmed once and shown as chosen", async () => {
    expect(await chooseSender("7")).toMatchObject({ status: 303, location: `${site.url}/settings` });
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 7n, version: 1 });
    const page = await browser.get("/settings");
    expect(page.text).toContain("Default sender is now");
    expect(page.text).toMatch(/<option value="7" selected/);
    expect((await browser.get("/settings")).text).not.toContain("Default sender is now");
    await chooseSender("");
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: null, version: 2 });
    expect((await browser.get("/settings")).text).toContain("Default sender removed.");
  });

  test("of another account, or none at all, is not accepted", async () => {
    await addUser(66n, { firstName: "Eve", lastName: "X", email: "eve@other.example" }, portalId + 1n);
    for (const wrong of ["66", "12345", "-1", "7 OR 1=1", "9".repeat(18)]) {
      await chooseSender(wrong);
      expect((await browser.get("/settings")).text).toContain("isn't active in this account");
    }
    expect(await savedSettings()).toBeNull();
  });

  test("is not overwritten by a form filled in before somebody else saved", async () => {
    const stale = await browser.get("/settings");
    const colleague = site.browser();
    await install(site, colleague, portalNumber);
    await chooseSender("8", colleague);
    const late = await chooseSender("7", browser, stale.text);
    expect(late.status).toBe(409);
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 8n, version: 1 });
    expect(late.text).toMatch(/Their version.*Your version.*Bob Ray.*Ann Lee/);
    expect(late.text).toMatch(/<option value="7" selected/);
    expect((await chooseSender("7", browser, late.text)).status).toBe(303);
    expect(await savedSettings()).toMatchObject({ defaultSenderUserId: 7n, version: 2 });
  });

  test("of two forms sent at the same moment one wins and the other is told", async () => {
    const { text } = await browser.get("/settings");
    await Promise.all([chooseSender("7", browser, text), chooseSender("8", browser, text)]);
    expect(await savedSettings()).toMatchObject({ version: 1 });
  });

  test("who has left since is shown as such and kept until somebody chooses", async () => {
    await chooseSender("7");
    await site.database.prisma.user.updateMany({ where: { userId: 7n }, data: { isListed: false } });
    expect((await browser.get("/settings")).text).toMatch(
      /<option value="7" selected[^>]*>User 7 \(inactive\)/,
    );
  });

  test("is changed by no form without this session's token", async () => {
    const other = site.browser();
    await install(site, other, site.simulator.addPortal().portalId);
    const foreign = hiddenField((await other.get("/settings")).text, "form_token");
    for (const token of [undefined, "", "x", foreign]) {
      const fields = {
        sender_user_id: "7",
        version: "0",
        ...(token === undefined ? {} : { form_token: token }),
      };
      const answer = await browser.post("/settings/default-sender", fields);
      expect(answer.status).toBe(403);
      expect(answer.text).toContain("This form has expired");
    }
    expect(await savedSettings()).toBeNull();
  });
});

describe("the list of contacts", () => {
  test("starts empty with words on what to do", async () => {
    expect((await browser.get("/settings")).text).toContain("Enroll in sequence");
    expect((await browser.get("/settings/activity")).text).toContain("No activity yet.");
  });

  test("shows the contact, sequence, sender, status, reason and time of each, newest first", async () => {
    await site.database.prisma.portal.update({
      where: { portalId },
      data: { timeZone: "America/New_York", uiDomain: "app-eu1.hubspot.com" },
    });
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name: "Outbound", isListed: true },
    });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: "151",
        contactEmail: "one@contacts.example",
        sequenceId: "31",
        senderEmail: "ann@acme.example",
        enrollmentStatus: "ENROLLED",
        acceptedAt: new Date("2026-11-20T17:04:00Z"),
      },
      {
        portalId,
        contactId: "152",
        enrollmentStatus: "FAILED",
        errorCode: "OWNER_MISSING",
        errorMessage: "The contact has no owner to send from.",
      },
      { portalId, contactId: "153", state: "UNCERTAIN", enrollmentStatus: null },
    ]);
    const text = unbroken((await browser.get("/settings/activity")).text);
    expect(text.indexOf("Contact 153")).toBeLessThan(text.indexOf("Contact 152"));
    expect(text.indexOf("Contact 152")).toBeLessThan(text.indexOf("one@contacts.example"));
    expect(text).toContain(`href="https://app-eu1.hubspot.com/contacts/${portalNumber}/record/0-1/151"`);
    for (const words of [
      "Nov 20, 2026, 12:04 PM",
      "Eastern Time (New York)",
      "Outbound",
      "ann@acme.example",
      "The contact has no owner to send from.",
      "OWNER_MISSING",
      "Checking whether the contact was enrolled before trying again",
    ]) {
      expect(text).toContain(words);
    }
  });

  test("says what HubSpot said where we have no better words", async () => {
    const lastProblem = "400 VALIDATION_ERROR: contact is on fire";
    const failure = { enrollmentStatus: "FAILED", errorCode: "HUBSPOT_REJECTED", errorMessage: "Refused." };
    await seedExecutions(site.database, [{ portalId, ...failure, lastProblem }]);
    expect((await browser.get("/settings/activity")).text).toContain(`Last problem: ${lastProblem}`);
  });

  test.each(["The app's database did not answer.", "Enrolling is paused for this account."])(
    "does not put into HubSpot's mouth what is ours: %s",
    async (lastProblem) => {
      await seedExecutions(site.database, [{ portalId, state: "QUEUED", lastProblem }]);
      const { text } = await browser.get("/settings/activity");
      expect(text.replaceAll("&#39;", "'")).toContain(`Last problem: ${lastProblem}`);
      expect(text).not.toContain("HubSpot said");
    },
  );

  test("never shows another account's contacts, figures or people", async () => {
    const other = site.simulator.addPortal().portalId;
    const stranger = site.browser();
    await install(site, stranger, other);
    await seedExecutions(site.database, [
      { portalId, contactEmail: "mine@contacts.example", sequenceId: "31", senderUserId: 66n },
      {
        portalId: BigInt(other),
        contactEmail: "theirs@contacts.example",
        enrollmentStatus: "ENROLLED",
        senderUserId: 66n,
      },
    ]);
    await site.database.prisma.sequence.create({
      data: { portalId: BigInt(other), sequenceId: "31", name: "Their sequence", isListed: true },
    });
    await site.database.prisma.owner.create({
      data: {
        portalId: BigInt(other),
        ownerId: "1",
        userId: 66n,
        firstName: "Their",
        type: "PERSON",
        isArchived: false,
      },
    });
    for (const path of [
      "/settings/activity",
      "/settings/activity/latest",
      `/settings/activity?portalId=${other}`,
      `/settings/activity/latest?portal_id=${other}`,
    ]) {
      const { text } = await browser.get(path);
      expect(listed(text)).toEqual(["mine@contacts.example"]);
      expect(text).not.toContain("Their");
    }
    const overview = (await browser.get(`/settings?portalId=${other}`)).text;
    expect(overview).toContain("1 contact waiting");
    expect(overview).not.toContain("Their");
    expect(listed((await stranger.get("/settings/activity")).text)).toEqual(["theirs@contacts.example"]);
  });

  test("escapes whatever names and messages contain", async () => {
    const attack = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`;
    await site.database.prisma.portal.update({
      where: { portalId },
      data: {
        hubDomain: attack,
        authorizedByEmail: attack,
        directoryError: attack,
        timeZone: attack,
        uiDomain: attack,
      },
    });
    await addUser(7n, { firstName: attack, lastName: attack, email: attack });
    await seedExecutions(site.database, [
      {
        portalId,
        contactId: attack,
        contactEmail: attack,
        sequenceName: attack,
        senderEmail: attack,
        enrollmentStatus: "FAILED",
        errorCode: attack,
        errorMessage: attack,
        lastProblem: attack,
      },
    ]);
    const { text, status } = await browser.get(
      `/settings/activity?status=${encodeURIComponent(attack)}&before=${encodeURIComponent(attack)}`,
    );
    expect(status).toBe(200);
    expect(text).not.toContain("<script>alert");
    expect(text).not.toContain("<img");
    expect(text).toContain("&lt;script>alert(1)&lt;/script>");
  });

  test("is narrowed to one status", async () => {
    await seedExecutions(site.database, [
      { portalId, contactEmail: "enrolled@contacts.example", enrollmentStatus: "ENROLLED" },
      { portalId, contactEmail: "already@contacts.example", enrollmentStatus: "ALREADY_ENROLLED" },
      { portalId, contactEmail: "skipped@contacts.example", enrollmentStatus: "SKIPPED" },
      { portalId, contactEmail: "failed@contacts.example", enrollmentStatus: "FAILED" },
      { portalId, contactEmail: "queued@contacts.example", state: "QUEUED", enrollmentStatus: null },
      { portalId, contactEmail: "trying@contacts.example", state: "ATTEMPTING", enrollmentStatus: null },
    ]);
    const expected = {
      enrolled: ["enrolled@contacts.example"],
      "already-enrolled": ["already@contacts.example"],
      skipped: ["skipped@contacts.example"],
      failed: ["failed@contacts.example"],
      waiting: ["trying@contacts.example", "queued@contacts.example"],
    };
    for (const [status, emails] of Object.entries(expected)) {
      expect(listed((await browser.get(`/settings/activity?status=${status}`)).text)).toEqual(emails);
    }
    expect(listed((await browser.get("/settings/activity?status=nonsense")).text)).toHaveLength(6);
  });

  test("is paged by Older, without gaps or repeats while new ones arrive", async () => {
    const seeds = Array.from({ length: 60 }, (_, index) => ({
      portalId,
      contactEmail: `c${index}@contacts.example`,
    }));
    await seedExecutions(site.database, seeds);
    const seen: string[] = [];
    let address: string | undefined = "/settings/activity";
    while (address !== undefined) {
      const { text } = await browser.get(address);
      seen.push(...listed(text));
      address = /href="([^"]*)"[^>]*>Older</.exec(text)?.[1]?.replaceAll("&amp;", "&");
      await seedExecutions(site.database, [{ portalId, contactEmail: "new@contacts.example" }]);
    }
    expect(seen).toEqual(seeds.map(({ contactEmail }) => contactEmail).reverse());
  });
});
