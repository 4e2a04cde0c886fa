import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Browser } from "../../support/browser.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let admin: Browser;

beforeAll(async () => {
  site = await startSite();
});

afterAll(() => site.close());

beforeEach(async () => {
  const { portalId: number } = site.simulator.addPortal();
  portalId = BigInt(number);
  admin = site.browser();
  await install(site, admin, number);
});

const daysAgo = (count: number) => new Date(Date.now() - count * 86_400_000);
const minutesAgo = (count: number) => new Date(Date.now() - count * 60_000);

/** Text without tags and with plain spaces. */
const wordsOf = (page: string): string => page.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
/** The numbers of one of the page's tables, in words. */
const tableOf = (page: string, heading: string): string => {
  const from = page.indexOf("<table", page.indexOf(heading));
  return wordsOf(page.slice(from, page.indexOf("</table>", from)));
};
const ENDS = "What became of those enrolled";

const took = (seconds: number) => ({
  portalId,
  enrollmentStatus: "ENROLLED",
  acceptedAt: minutesAgo(30),
  enrolledAt: new Date(minutesAgo(30).getTime() + seconds * 1000),
});

interface Enrollment {
  sequenceId?: string;
  decidedAt?: Date;
  outcome?: "FINISHED" | "REPLIED" | "UNENROLLED";
  lostBecause?: string;
  lookedAt?: Date | null;
  openedAt?: Date;
  repliedAt?: Date;
  meetingAt?: Date;
}

/** Enrollments whose contacts were looked at, if nothing else is said. */
async function follow(enrollments: readonly Enrollment[]): Promise<void> {
  const total = await site.database.prisma.followedEnrollment.count();
  await site.database.prisma.followedEnrollment.createMany({
    data: enrollments.map((enrollment, index) => ({
      portalId,
      executionId: BigInt(total + index + 1),
      sequenceId: "31",
      decidedAt: minutesAgo(30),
      enrolledAt: minutesAgo(30),
      lookedAt: minutesAgo(1),
      ...(enrollment.outcome === undefined ? {} : { endedAt: minutesAgo(2), notedAt: minutesAgo(1) }),
      ...enrollment,
    })),
  });
}

async function csv(query: string): Promise<Record<string, string>[]> {
  const { text } = await admin.get(`/settings/reports.csv?${query}`);
  const [head = [], ...lines] = text
    .replace("\ufeff", "")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(head.map((name, index) => [name, cells[index] ?? ""])));
}

test("break down by sequence: counts, rate, time to enroll in one column, and the same as a file", async () => {
  await site.database.prisma.sequence.create({
    data: { portalId, sequenceId: "31", name: '=HYPERLINK("evil")', isListed: true },
  });
  await seedExecutions(site.database, [
    { ...took(1), sequenceId: "31" },
    { ...took(3), sequenceId: "31" },
    { ...took(20), sequenceId: "31" },
    { portalId, enrollmentStatus: "SKIPPED", sequenceId: "31", acceptedAt: minutesAgo(30) },
    { portalId, enrollmentStatus: "FAILED", sequenceId: "32", acceptedAt: minutesAgo(30) },
    { portalId, enrollmentStatus: "FAILED", sequenceId: "32", acceptedAt: daysAgo(40) },
  ]);
  const { text } = await admin.get("/settings/reports?by=sequence&range=30d");
  expect(tableOf(text, "By sequence")).toMatch(
    /Skipped Not enrolled Enrollment rate Time to enroll =HYPERLINK\(&quot;evil&quot;\) 3 0 1 0 75% 3 s 95% within 18 s Sequence 32 0 0 0 1 0% – Total 3 0 1 1 60% 3 s 95% within 18 s/,
  );
  expect(text).not.toContain(ENDS);
  const file = await admin.get("/settings/reports.csv?by=sequence&range=30d");
  expect(file.headers.get("content-disposition")).toContain(`${portalId}-by-sequence-30d.csv`);
  const [head, first, second] = file.text.replace("\ufeff", "").split("\n");
  expect(head).toContain("sequence_id,sequence_name,enrolled");
  expect(first).toMatch(/^31,"'=HYPERLINK\(""evil""\)",3,0,1,0,3,18\.3,0,/);
  expect(second).toMatch(/^32,,0,0,0,1,,,0,/);
});

describe("what became of those enrolled", () => {
  beforeEach(async () => {
    await seedExecutions(site.database, [
      ...Array.from({ length: 6 }, () => ({ ...took(1), sequenceId: "31" })),
      { ...took(1), sequenceId: "32" },
    ]);
    await follow([
      { outcome: "REPLIED", openedAt: minutesAgo(9), repliedAt: minutesAgo(8), meetingAt: minutesAgo(7) },
      { outcome: "FINISHED", openedAt: minutesAgo(9) },
      { outcome: "FINISHED" },
      { outcome: "UNENROLLED" },
      { repliedAt: minutesAgo(3) },
      { lookedAt: null },
      { sequenceId: "32", lostBecause: "CONTACT_GONE" },
      // Not of the period.
      { outcome: "FINISHED", decidedAt: daysAgo(40) },
    ]);
  });

  test("is told with shares, each of what is known: ends of known ends, the rest of those looked at", async () => {
    const { text } = await admin.get("/settings/reports?by=sequence&range=30d");
    expect(tableOf(text, ENDS)).toMatch(
      /Sequence 31 6 2 of 5 40% 0 of 5 0% 2 of 5 40% 1 of 5 20% 1 of 4 25% 2 of 4 50% 1 of 4 25% 2 0 Sequence 32 1 – – – – – – – 0 1 Total 7 2 of 5 40%/,
    );
    expect(wordsOf(text)).toContain(
      "Of 4 enrollments whose end is known, 1 (25%) ended with a reply, 2 (50%) finished and 1 (25%) ended with the contact unenrolled. 2 contacts are still in the sequence.",
    );
  });

  test("is in the file, with the numbers that shares are of", async () => {
    const [first, second] = await csv("by=sequence&range=30d");
    expect(first).toMatchObject({ sequence_id: "31", followed: "6", looked_at: "5", end_known: "4" });
    expect(first).toMatchObject({ opened: "2", replied: "2", meeting_booked: "1", still_in_sequence: "2" });
    expect(first).toMatchObject({ ended_by_reply: "1", ended_by_finish: "2", ended_by_unenrollment: "1" });
    expect(first).toMatchObject({ opened_of_looked_at: "0.4", finish_of_end_known: "0.5" });
    expect(second).toMatchObject({ sequence_id: "32", followed: "1", end_not_known: "1", end_known: "0" });
    expect(second).toMatchObject({ opened_of_looked_at: "", finish_of_end_known: "" });
  });

  test("is told by sender and by workflow too", async () => {
    for (const group of ["sender", "workflow"]) {
      const { text } = await admin.get(`/settings/reports?by=${group}&range=30d`);
      const called = group === "sender" ? "No sender" : "Not known";
      expect(tableOf(text, ENDS)).toContain(`${called} 7 2 of 5 40%`);
    }
  });
});

test("by week: from Monday by the account's clocks, every week, the first whole", async () => {
  await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "America/New_York" } });
  // Monday by UTC, and still Sunday in New York; and the Monday there.
  const monday = mondayBefore(daysAgo(14));
  const sunday = new Date(monday.getTime() + 2 * 3_600_000);
  const morning = new Date(monday.getTime() + 12 * 3_600_000);
  const enrolled = (at: Date) => ({ portalId, enrollmentStatus: "ENROLLED", acceptedAt: at, enrolledAt: at });
  await seedExecutions(site.database, [enrolled(sunday), enrolled(morning), enrolled(morning)]);
  await follow([
    { decidedAt: sunday, outcome: "UNENROLLED" },
    { decidedAt: morning, outcome: "REPLIED" },
    { decidedAt: morning },
  ]);
  const lines = await csv("by=week&range=30d");
  const day = (weeks: number) =>
    new Date(monday.getTime() + weeks * 7 * 86_400_000).toISOString().slice(0, 10);
  const of = (weeks: number) => lines.find((line) => line["week_from_monday"] === day(weeks));
  expect(lines.length).toBeGreaterThanOrEqual(5);
  expect(of(-1)).toMatchObject({ enrolled: "1", ended_by_unenrollment: "1", ended_by_reply: "0" });
  expect(of(0)).toMatchObject({ enrolled: "2", ended_by_unenrollment: "0", ended_by_reply: "1" });
  expect(of(1)).toMatchObject({ enrolled: "0", followed: "0" });
  const { text } = await admin.get("/settings/reports?by=week&range=30d");
  expect(text.match(/<th scope="row"><a href="[^"]*"><span class="clamp">Week of /g)).toHaveLength(
    2 * lines.length,
  );
  expect(text).toContain("Weeks begin on Monday, by the clocks of Eastern Time (New York)");
  expect(wordsOf(text)).toContain("Of 2 enrollments whose end is known, 1 (50%) ended with a reply");
});

/** A Monday's midnight by UTC. */
function mondayBefore(at: Date): Date {
  const day = new Date(at.toISOString().slice(0, 10));
  return new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * 86_400_000);
}

test("add up, in the page and in the file, also what is past the largest lines", async () => {
  await site.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, deadline_at, decided_at, contact_id, sequence_id, request,
              enrollment_status, enrolled_at)
       SELECT $1, 'ap-line-' || n, 'ENROLL', 'COMPLETED', now() - interval '1 hour', now(), now() - interval '1 hour', '1', n::text, '{}',
              'ENROLLED', now() - interval '1 hour' + (n % 100) * interval '1 s' FROM generate_series(1, 5003) AS n`,
    [portalId],
  );
  // As the server does by itself, soon after this many rows.
  await site.database.pool.query(`ANALYZE executions`);
  await follow([{ sequenceId: "5003", outcome: "FINISHED" }]);
  const { text } = await admin.get("/settings/reports?by=sequence&range=30d");
  expect(wordsOf(text)).toContain("The 100 largest are shown, and 4,903 more are in the total.");
  expect(wordsOf(text.slice(text.indexOf("<tfoot")))).toMatch(
    /^ ?Total 5,003 0 0 0 100% 50 s 95% within 1 min 34 s/,
  );
  expect(tableOf(text, ENDS)).toMatch(/Total 1 0 of 1 0%/);
  const lines = await csv("by=sequence&range=30d");
  expect(lines).toHaveLength(5_001);
  expect(lines.at(-1)).toMatchObject({ sequence_name: "and 3 more", enrolled: "3", ended_by_finish: "1" });
});

test("give no spreadsheet a formula, wherever it splits a line", async () => {
  const name = 'a;=1+1\n+2\t-3; @sum|"=4"';
  await site.database.prisma.sequence.create({
    data: { portalId, sequenceId: "31", name, isListed: true },
  });
  await seedExecutions(site.database, [
    { ...took(1), sequenceId: "31", contactId: "1", contactEmail: "b;=2@x.example" },
  ]);
  for (const path of ["reports.csv?by=sequence", "activity/export.csv"]) {
    const { text } = await admin.get(`/settings/${path}`);
    expect(text).toMatch(/a;'=1\+1\n'\+2\t'-3; '@sum\|""=4""/);
  }
  expect((await admin.get("/settings/activity/export.csv")).text).toContain("b;'=2@x.example");
});

test("take what makes no sense for the usual", async () => {
  const page = await admin.get("/settings/reports?by=1;DROP&range=constructor");
  expect(page.status).toBe(200);
  expect(page.text).toContain("By sequence, last 30 days");
});

test("compare a period with the one before it: numbers, rates and reasons", async () => {
  const failed = (errorCode: string, days: number) => ({
    ...{ portalId, sequenceId: "31", enrollmentStatus: "FAILED", errorCode, decidedAt: daysAgo(days) },
  });
  const enrolled = { portalId, sequenceId: "31", enrollmentStatus: "ENROLLED" };
  await seedExecutions(site.database, [
    ...Array.from({ length: 3 }, () => ({ ...enrolled, decidedAt: daysAgo(1), enrolledAt: daysAgo(1) })),
    ...Array.from({ length: 2 }, () => ({ ...enrolled, decidedAt: daysAgo(10), enrolledAt: daysAgo(10) })),
    failed("OWNER_MISSING", 2),
    ...Array.from({ length: 4 }, () => failed("OWNER_MISSING", 9)),
    failed("BOUNCED", 3),
    // Older than both.
    failed("BOUNCED", 20),
  ]);
  const { text } = await admin.get("/settings/reports?by=sequence&range=7d");
  const summary = tableOf(text, "Compared with the period before");
  expect(summary).toMatch(/Enrolled 3 60% 2 33% \+50%/);
  expect(summary).toMatch(/Not enrolled 2 40% 4 67% −50%/);
  expect(summary).toMatch(/Contacts 5 6 −17%/);
  const reasons = tableOf(text, "Why contacts were not enrolled");
  expect(reasons).toMatch(/Email bounced 1 0 new No owner 1 4 −75%/);
});

test("cover any days of the calendar, both included, and lead to lists of the same days", async () => {
  await site.database.prisma.portal.update({ where: { portalId }, data: { timeZone: "America/New_York" } });
  const at = (time: string) => ({
    ...{ portalId, sequenceId: "31", enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING" },
    decidedAt: new Date(time),
  });
  // The days from Nov 3 to 4 in New York begin at 5:00 by UTC.
  await seedExecutions(site.database, [
    at("2025-11-03T04:59:00Z"),
    at("2025-11-03T05:01:00Z"),
    at("2025-11-05T04:59:00Z"),
    at("2025-11-05T05:01:00Z"),
  ]);
  const { text } = await admin.get("/settings/reports?by=sequence&from=2025-11-03&to=2025-11-04");
  expect(text).toContain("By sequence, Nov 3–Nov 4");
  expect(tableOf(text, "By sequence")).toMatch(/31 0 0 0 2 /);
  expect(tableOf(text, "Compared with the period before")).toMatch(/Not enrolled 2 100% 1 100% \+100%/);
  const list = /<a href="([^"]*code=OWNER_MISSING[^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  expect((await admin.get(list)).text).toContain("<strong>2 results</strong>");
  const [line] = await csv("by=sequence&from=2025-11-03&to=2025-11-04");
  expect(line).toMatchObject({ sequence_id: "31", failed: "2" });
  for (const odd of [
    "from=2025-11-04&to=2025-11-03",
    "from=x&to=2025-11-03",
    "from=1999-01-01&to=2025-01-01",
  ])
    expect((await admin.get(`/settings/reports?${odd}`)).text).toContain("By sequence, last 30 days");
});

test("lead from each line to a list of as many contacts, also from those without a sender", async () => {
  const at = (time: string, more: object) => ({
    ...{ portalId, enrollmentStatus: "FAILED", errorCode: "OWNER_MISSING", decidedAt: new Date(time) },
    ...more,
  });
  const within = "2025-11-03T12:00:00Z";
  await seedExecutions(site.database, [
    at(within, { senderUserId: 7n }),
    at(within, { callbackId: "no-owner" }),
    at(within, { enrollmentStatus: "SKIPPED", errorCode: "UNSUBSCRIBED" }),
    // Another action's, another day's, and a retry.
    at(within, { kind: "CHECK_ENROLLMENT", enrollmentStatus: null }),
    at("2025-11-06T12:00:00Z", {}),
  ]);
  const where = { portalId_callbackId: { portalId, callbackId: "no-owner" } };
  const tried = await site.database.prisma.execution.findUniqueOrThrow({ where });
  await seedExecutions(site.database, [at(within, { retryOf: tried.id })]);
  const { text } = await admin.get("/settings/reports?by=sender&from=2025-11-03&to=2025-11-04");
  const table = text.slice(0, text.indexOf("Compared with the period before"));
  const rows = [...table.matchAll(/<th scope="row"><a href="([^"]*decided=[^"]*)">(.*?)<\/tr>/g)];
  const told = rows.map(([, address = "", row = ""]) => ({
    address: address.replaceAll("&amp;", "&"),
    name: wordsOf(row.split("</a>")[0] ?? "").trim(),
    count: [...row.matchAll(/<td[^>]*><span>(\d+)</g)].reduce((sum, [, count]) => sum + Number(count), 0),
  }));
  expect(told.map(({ name, count }) => [name, count])).toEqual([
    ["No sender", 2],
    ["Sender 7", 1],
    ["Total", 3],
  ]);
  for (const { address, count } of told)
    expect((await admin.get(address)).text).toContain(
      `<strong>${count} ${count === 1 ? "result" : "results"}</strong>`,
    );
  const list = (await admin.get(told[0]?.address ?? "")).text;
  expect(list).toContain('aria-label="Remove filter Sender: No sender"');
  expect(list).toContain('<option value="none" selected>No sender</option>');
});

test("other actions, too, are listed by when they were decided", async () => {
  const check = { portalId, kind: "CHECK_ENROLLMENT", state: "COMPLETED", enrollmentStatus: null };
  await seedExecutions(site.database, [{ ...check, decidedAt: minutesAgo(5) }]);
  const { text } = await admin.get("/settings/activity?kind=OTHER&decided=24h");
  expect(text).toContain("<strong>1 result</strong>");
});
