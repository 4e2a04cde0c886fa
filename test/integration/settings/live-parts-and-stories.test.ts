import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { hiddenField, type Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let admin: Browser;

beforeAll(async () => {
  site = await startSite();
  const { portalId: number } = site.simulator.addPortal();
  portalId = BigInt(number);
  admin = site.browser();
  await install(site, admin, number);
  await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "America/New_York" } });
  const refused = { enrollmentStatus: "FAILED", errorCode: "INBOX_NOT_CONNECTED", senderUserId: 7n };
  await seedExecutions(site.database, [
    { portalId, contactId: "501", kind: "CHECK_ENROLLMENT", state: "COMPLETED", enrollmentStatus: null },
    {
      portalId,
      contactId: "501",
      contactEmail: "pat@shop.example",
      sequenceId: "31",
      ...refused,
      request: { senderMode: "specific_user", senderUserId: "7" },
    },
    { portalId, contactId: "502", state: "QUEUED", enrollmentStatus: null },
    { portalId, contactId: "503", enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" },
  ]);
  await site.database.prisma.execution.updateMany({
    where: { contactId: "501", errorCode: "INBOX_NOT_CONNECTED" },
    data: { completionTries: 3, state: "COMPLETED" },
  });
});

afterAll(() => site.close());

async function story(contactId: string, kind = "ENROLL"): Promise<{ id: bigint; text: string }> {
  const { id } = await site.database.prisma.execution.findFirstOrThrow({ where: { contactId, kind } });
  return { id, text: (await admin.get(`/settings/activity/${id}`)).text };
}

const partOf = (page: string): string =>
  (/hx-get="(\/settings\/activity[^"]*seen=[^"]*)"/.exec(page)?.[1] ?? "").replaceAll("&amp;", "&");

describe("the list", () => {
  test("is sent again only where something changed", async () => {
    const part = partOf((await admin.get("/settings/activity?kind=ENROLL")).text);
    expect(part).toContain("kind=ENROLL&seen=");
    const unchanged = await admin.get(part);
    expect([unchanged.status, unchanged.text]).toEqual([204, ""]);
    await site.database.prisma.execution.updateMany({
      where: { contactId: "502" },
      data: { lastProblem: "429: too many" },
    });
    const changed = await admin.get(part);
    expect(changed.status).toBe(200);
    expect((await admin.get(partOf(changed.text))).status).toBe(204);
  });

  test("gives every link of a row a name that stays, so that the focus stays on it", async () => {
    const { text } = await admin.get("/settings/activity");
    const links = [...text.slice(text.indexOf("<tbody")).matchAll(/<a ([^>]*)>/g)].map(
      ([, given]) => given ?? "",
    );
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((given) => !given.includes("id=") && !given.includes("class="))).toEqual([]);
  });

  test("says since when it stands so, and how to see what is new without script", async () => {
    const { text } = await admin.get("/settings/activity?status=failed");
    expect(text).toMatch(/Updated \d+:\d\d [AP]M\. <span class="auto">Refreshes automatically\./);
    expect(text).toContain('<noscript><a href="/settings/activity?status=failed">Reload</a></noscript>');
  });
});

describe("a story", () => {
  test("leads to where its reason is put right", async () => {
    expect((await story("501")).text).toMatch(
      /<a class="button" href="\/settings\/senders\/7#send_as_email">Check .*'s inbox address<\/a>/,
    );
    expect((await story("503")).text).toMatch(
      /<a class="button" href="http[^"]*\/contacts\/\d+\/record\/0-1\/503"[^>]*>Assign an owner in HubSpot ↗?<\/a>/,
    );
  });

  describe("of a failed contact whose completion had trouble", () => {
    const INBOX = "400 NO_CONNECTED_EMAILS";
    const GONE = "HubSpot answered 404: already completed";
    const seed = (contactId: string, completion: { state: string; completionDoubtedAt?: Date }) => ({
      portalId,
      contactId,
      enrollmentStatus: "FAILED",
      errorCode: "INBOX_NOT_CONNECTED",
      lastProblem: INBOX,
      completionProblem: GONE,
      ...completion,
    });

    test.each([
      { state: "COMPLETION_REFUSED", title: "HubSpot didn't accept the result" },
      { state: "COMPLETION_ABANDONED", title: "Couldn't reach HubSpot in time" },
      { state: "DECIDED", title: "Sending result to HubSpot" },
    ])("tells why it failed, and apart from that why the result was not taken ($state)", async (given) => {
      const contactId = `510-${given.state}`;
      await seedExecutions(site.database, [seed(contactId, { state: given.state })]);
      const { text } = await story(contactId);
      const [reason = "", steps = ""] = text.split("What happened");
      expect(reason).toContain(`Last problem: ${INBOX}`);
      expect(text.match(/already completed/g)).toHaveLength(1);
      expect(steps.indexOf(given.title)).toBeGreaterThan(0);
      expect(steps.indexOf(`Last problem: ${GONE}`)).toBeGreaterThan(steps.indexOf(given.title));
      const row = (await admin.get(`/settings/activity?contact=${contactId}`)).text;
      expect(row).toContain(`Last problem: ${INBOX}`);
      expect(row).not.toContain("already completed");
    });

    test("tells that the answer was lost, and what that means, where HubSpot later refused the result", async () => {
      await seedExecutions(site.database, [
        seed("520", { state: "COMPLETED", completionDoubtedAt: new Date() }),
        seed("521", { state: "COMPLETED" }),
      ]);
      const lost = (await story("520")).text;
      expect(lost).toMatch(
        /We didn't get HubSpot's response, and then it no longer held the contact: it had accepted the\s+result, or the workflow had moved on\./,
      );
      expect(lost).toContain(`Last problem: ${GONE}`);
      expect(lost).toContain(`Last problem: ${INBOX}`);
      const taken = (await story("521")).text;
      expect(taken).toContain("Result sent to HubSpot; workflow continued");
      expect(taken).not.toMatch(/didn't get HubSpot's response|already completed/);
    });
  });

  describe("of an enrolled contact tells how it ended", () => {
    const at = (time: string) => new Date(`2026-11-20T${time}:00Z`);

    /** Text of the step, without tags and with plain spaces; times are New York's. */
    async function told(contactId: string, followed: object): Promise<string> {
      await seedExecutions(site.database, [{ portalId, contactId, enrollmentStatus: "ENROLLED" }]);
      const { id } = await story(contactId);
      await site.database.prisma.followedEnrollment.create({
        data: { portalId, executionId: id, decidedAt: at("10:00"), enrolledAt: at("10:00"), ...followed },
      });
      const { text } = await story(contactId);
      const step = /<h3>(?:How it ended|Still in)[^]*?<\/li>/.exec(text)?.[0] ?? "";
      return step
        .replace(/<[^>]*>/g, " ")
        .replace(/\s+/g, " ")
        .trim();
    }

    test.each([
      ["FINISHED", "The sequence finished."],
      ["REPLIED", "The contact replied."],
      ["UNENROLLED", "The contact was unenrolled."],
    ])("%s: when, when that was seen, and where", async (outcome, sentence) => {
      const times = { lookedAt: at("15:05"), endedAt: at("15:00"), notedAt: at("15:05") };
      const step = await told(`530-${outcome}`, {
        ...times,
        outcome,
        openedAt: at("14:00"),
        repliedAt: at("15:00"),
      });
      expect(step).toBe(
        `How it ended Nov 20, 2026, 10:00:00 AM ${sentence} The contact opened an email ( Nov 20, 2026, 9:00 AM ) ` +
          "and replied ( Nov 20, 2026, 10:00 AM ). " +
          "Seen Nov 20, 2026, 10:05 AM in the contact's properties in HubSpot.",
      );
    });

    test("not yet, with when it was last seen so and when it is looked at next", async () => {
      const nextLookAt = at("16:00");
      const step = await told("531", { lookedAt: at("15:00"), nextLookAt });
      expect(step).toBe(
        "Still in the sequence No opened email, click, reply or booked meeting is shown since. " +
          "Last seen Nov 20, 2026, 10:00 AM in the contact's properties in HubSpot. Next look at the latest Nov 20, 2026, 11:00 AM .",
      );
      expect(await told("532", { nextLookAt })).toContain("They have not been looked at yet");
    });

    test.each([
      ["CONTACT_GONE", "HubSpot does not have the contact anymore."],
      ["OVERTAKEN", "The contact was enrolled again before HubSpot showed how this enrollment ended."],
      ["GIVEN_UP", "90 days after the enrollment HubSpot showed no end."],
    ])("or why that is not known: %s", async (lostBecause, sentence) => {
      const step = await told(`533-${lostBecause}`, { lookedAt: at("15:00"), lostBecause });
      expect(step).toContain(`How it ended is not known ${sentence}`);
    });
  });

  test("names the contact's other executions and counts in right English", async () => {
    const { text } = await story("501");
    const other = await story("501", "CHECK_ENROLLMENT");
    expect(text).toContain(`<a href="/settings/activity/${other.id}">Check sequence enrollment</a>`);
    expect(text).toContain("After 3 tries.");
    expect((await story("503")).text).not.toContain("Other activity for this contact");
  });

  test("asks what would happen now by a form, without an address in the browser's", async () => {
    await site.database.prisma.sequence.create({
      data: { portalId, sequenceId: "31", name: "Outbound", isListed: true },
    });
    const { text } = await story("501");
    const names = ["contact", "sequence_id", "sender_mode", "sender_user_id"];
    const fields = Object.fromEntries(names.map((name) => [name, hiddenField(text, name)]));
    expect(fields).toMatchObject({
      contact: "501",
      sequence_id: "31",
      sender_mode: "specific_user",
      sender_user_id: "7",
    });
    const token = hiddenField(text, "form_token");
    const answer = await admin.post("/settings/try", {
      ...fields,
      rotation_id: "",
      preset_id: "",
      form_token: token,
    });
    expect(answer.text).toContain("Test a contact");
    expect(answer.text).toContain('value="501"');
  });

  test("renews itself until HubSpot has been told, and only where something changed", async () => {
    expect(partOf((await story("503")).text)).toBe("");
    const part = partOf((await story("502")).text);
    expect((await admin.get(part)).status).toBe(204);
    await site.database.prisma.execution.updateMany({ where: { contactId: "502" }, data: { attempts: 2 } });
    expect((await admin.get(part)).text).toContain("Sent to HubSpot 2 times");
    expect((await site.browser().get(part)).status).toBe(401);
  });
});

test("every page names the zone of its times once", async () => {
  for (const path of ["/settings", "/settings/activity", "/settings/reports", "/settings/audit"])
    expect((await admin.get(path)).text.match(/Times are in Eastern Time/g)).toHaveLength(1);
});
