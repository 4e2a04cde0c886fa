import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser } from "../../support/browser.js";
import { seedExecutions, type ExecutionSeed } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";

let site: Site;
let portalId: bigint;
let admin: Browser;

const hoursAgo = (count: number) => new Date(Date.now() - count * 3_600_000);
const minutesAgo = (count: number) => hoursAgo(count / 60);

/** What a portal holds after some days of work, with everything that has made a number and its list differ. */
async function fillPortal(): Promise<void> {
  const ended = (
    enrollmentStatus: string,
    decidedAt: Date,
    more: Partial<ExecutionSeed> = {},
  ): ExecutionSeed => ({
    portalId,
    enrollmentStatus,
    decidedAt,
    acceptedAt: decidedAt,
    sequenceId: "31",
    senderUserId: 7n,
    ...(enrollmentStatus === "ENROLLED" ? { enrolledAt: decidedAt } : {}),
    ...more,
  });
  const failed = (decidedAt: Date, more: Partial<ExecutionSeed> = {}) =>
    ended("FAILED", decidedAt, { errorCode: "OWNER_MISSING", ...more });
  await seedExecutions(site.database, [
    ...Array.from({ length: 30 }, () => ended("ENROLLED", minutesAgo(3))),
    // Came before the stretch of time, and was decided within it.
    ended("ENROLLED", minutesAgo(3), { acceptedAt: hoursAgo(60) }),
    ended("ENROLLED", hoursAgo(60)),
    ended("ALREADY_ENROLLED", minutesAgo(4), { errorCode: "ALREADY_ENROLLED" }),
    ended("SKIPPED", minutesAgo(4), { errorCode: "COOLDOWN_ACTIVE" }),
    failed(minutesAgo(5), { callbackId: "tried-again" }),
    failed(minutesAgo(5), { callbackId: "tried-in-vain" }),
    failed(hoursAgo(60)),
    // Another action's, with the same reason.
    {
      portalId,
      kind: "CHECK_ENROLLMENT",
      state: "COMPLETED",
      decidedAt: minutesAgo(1),
      errorCode: "OWNER_MISSING",
      enrollmentStatus: null,
    },
    { portalId, state: "QUEUED", enrollmentStatus: null, acceptedAt: hoursAgo(2.5) },
    { portalId, state: "UNCERTAIN", enrollmentStatus: null, lastProblem: "503: no upstream", attempts: 1 },
    { portalId, kind: "WAIT_FOR_SEQUENCE_END", state: "WATCHING", enrollmentStatus: null },
  ]);
  const retryOf = async (callbackId: string) =>
    (
      await site.database.prisma.execution.findUniqueOrThrow({
        where: { portalId_callbackId: { portalId, callbackId } },
      })
    ).id;
  const retry = { isHeld: false, contactId: "999" };
  await seedExecutions(site.database, [
    ended("ENROLLED", minutesAgo(1), { ...retry, retryOf: await retryOf("tried-again") }),
    failed(minutesAgo(1), { ...retry, retryOf: await retryOf("tried-in-vain") }),
    ...[11n, 12n, 13n, 14n, 15n, 16n, 17n].map((senderUserId) =>
      ended("SKIPPED", hoursAgo(60), { senderUserId, enrollmentStatus: "ENROLLED", enrolledAt: hoursAgo(2) }),
    ),
  ]);
  await site.database.prisma.senderSettings.createMany({
    data: [
      ...[11n, 12n, 13n, 14n, 15n, 16n, 17n].map((userId) => ({ portalId, userId, dailyCap: 1 })),
      { portalId, userId: 18n, refusedCode: "INBOX_NOT_CONNECTED", refusedAt: new Date() },
      { portalId, userId: 19n, limitedUntil: new Date(Date.now() + 3_600_000) },
    ],
  });
  await site.database.prisma.user.createMany({
    data: [18n, 19n].map((userId) => ({
      portalId,
      userId,
      email: `u${userId}@acme.example`,
      superAdmin: false,
      seatNames: [],
      isListed: true,
    })),
  });
}

beforeAll(async () => {
  site = await startSite();
  const { portalId: number } = site.simulator.addPortal();
  portalId = BigInt(number);
  admin = site.browser();
  await install(site, admin, number);
  await fillPortal();
});

afterAll(() => site.close());

/** Rows of a list, on all its pages. */
async function countRows(address: string): Promise<number> {
  let rows = 0;
  for (let next: string | undefined = address; next !== undefined;) {
    const { text, status } = await admin.get(next);
    expect(status).toBe(200);
    expect(text).not.toContain("couldn't read this filter");
    rows += text.match(/data-label="(Time|Name)"/g)?.length ?? 0;
    next = /href="([^"]*)"[^>]*>Older</.exec(text)?.[1]?.replaceAll("&amp;", "&");
  }
  return rows;
}

/** Links of a page whose text begins with what `pattern` matches after the tag, with the number it names. */
function numbersIn(text: string, pattern: RegExp): { address: string; number: number }[] {
  return [...text.matchAll(pattern)].map(([, address, number]) => ({
    address: (address ?? "").replaceAll("&amp;", "&"),
    number: Number(number),
  }));
}

const FIGURES = /<a class="figure [\w-]+" href="([^"]*)"><strong>(\d+)</g;
const REASONS = /<a href="([^"]*code=[^"]*)" aria-label="[^"]*">(\d+) contacts?</g;

describe("every number of the overview is what its list holds", () => {
  test.each(["24h", "7d", "30d"])("in the last %s: outcomes and reasons", async (range) => {
    const { text } = await admin.get(`/settings?range=${range}`);
    const figures = numbersIn(text, FIGURES);
    const reasons = numbersIn(text, REASONS);
    expect(figures.map(({ number }) => number)).toEqual(range === "24h" ? [31, 1, 1, 2] : [39, 1, 1, 3]);
    expect(reasons.map(({ number }) => number)).toEqual(range === "24h" ? [2, 1] : [3, 1]);
    for (const { address, number } of [...figures, ...reasons])
      expect([address, await countRows(address)]).toEqual([address, number]);
  });

  test.each(["24h", "7d"])("in the last %s: each bar of the chart, and its row below", async (range) => {
    const { text } = await admin.get(`/settings?range=${range}`);
    const bars = [...text.matchAll(/<a href="([^"]*)" tabindex="-1"><title>[^<]*?: (\d[^<]*)<\/title>/g)];
    const rows = [...text.matchAll(/<th scope="row"><a href="([^"]*decided=[^"]*)">/g)];
    expect(rows.map(([, address]) => address)).toEqual(bars.map(([, address]) => address));
    const numbers = bars.map(([, address = "", told = ""]) => ({
      address: address.replaceAll("&amp;", "&"),
      number: [...told.matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 0),
    }));
    expect(numbers.reduce((sum, { number }) => sum + number, 0)).toBe(range === "24h" ? 35 : 44);
    for (const { address, number } of numbers)
      expect([address, await countRows(address)]).toEqual([address, number]);
  });

  test("also who waits, whether to be enrolled or for a sequence to end", async () => {
    const { text } = await admin.get("/settings");
    const [waiting] = numbersIn(text, /href="([^"]*status=waiting)">(\d+) contacts wait/g);
    expect(waiting?.number).toBe(3);
    expect(await countRows(waiting?.address ?? "")).toBe(3);
    expect(text).toContain("2 to be enrolled, 1 for their sequence to end.");
  });

  test("also what a sender sent, and whom HubSpot refuses", async () => {
    const { text } = await admin.get("/settings");
    const sent = numbersIn(text, /<li><a href="([^"]*sender=[^"]*)">.*?<span class="note">(\d+) of /g);
    expect(sent).toHaveLength(5);
    for (const { address, number } of sent) expect(await countRows(address)).toBe(number);
    const [refused] = numbersIn(text, /<a href="([^"]*show=troubled)">(\d+) senders/g);
    expect(refused?.number).toBe(2);
    expect(await countRows(refused?.address ?? "")).toBe(2);
  });

  test("counts all senders near their cap, not only those shown", async () => {
    expect((await admin.get("/settings")).text).toContain("7 senders at their cap.");
  });
});

test("the connection says whether HubSpot answers, and at what pace contacts are worked off", async () => {
  const where = { portalId };
  await site.database.prisma.portalDrain.upsert({ where, create: where, update: {} });
  const state = async (data: object) => {
    await site.database.prisma.portalDrain.update({ where, data });
    return (await admin.get("/settings")).text;
  };
  expect(
    await state({ requestAllowance: 110, requestSlotsFreeAt: [new Date(Date.now() + 60_000)] }),
  ).toContain("OK. 1 of 110 requests in the last 10 seconds.");
  expect(await state({ isReleased: false })).toContain(
    "Enrolling now: 0 contacts in the last 10 seconds, at most 110 requests in that time.",
  );
  await site.database.prisma.portalPace.create({
    data: { portalId, requestsCounted: 86, notedAt: new Date() },
  });
  expect(await state({ isReleased: false })).toContain(
    "Enrolling now: 87 of 110 requests in the last 10 seconds.",
  );
  const circuit = {
    circuitTrips: 1,
    circuitOpenedAt: new Date(),
    circuitOpenUntil: new Date(Date.now() + 60_000),
  };
  expect(await state(circuit)).toContain("HubSpot isn't responding. Enrolling");
});

test("the oldest contact that waits is a link to its story", async () => {
  const { text } = await admin.get("/settings/waiting");
  const address = /id="waiting-oldest" href="([^"]*)"/.exec(text)?.[1] ?? "";
  expect(text).toMatch(/has waited for 2 hours. Queued\..*Deadline: .*If not enrolled by then, /);
  expect((await admin.get(address)).text).toContain("Received from HubSpot");
});

test("one who was enrolled by a retry counts once, and is said to have been enrolled since", async () => {
  const { text } = await admin.get("/settings?range=24h");
  expect(text).toContain('<span>Not enrolled</span><span class="note">1 enrolled after a retry</span>');
});

test("every total of the reports is what its list holds", async () => {
  const { text } = await admin.get("/settings/reports?by=sequence&range=30d");
  const plain = text.replaceAll(/<span class="note">[^<]*<\/span>/g, "");
  const [row] = plain.matchAll(
    /<th scope="row"><a href="([^"]*)"><span class="clamp">Sequence 31<.*?<\/tr>/g,
  );
  const cells = [
    ...(row?.[0] ?? "").matchAll(
      /<td data-label="(?:[^"]*nrolled|Already in a sequence|Skipped)"><span>(\d+)</g,
    ),
  ];
  const total = cells.reduce((sum, [, count]) => sum + Number(count), 0);
  expect(cells.map(([, count]) => Number(count))).toEqual([39, 1, 1, 3]);
  expect(await countRows((row?.[1] ?? "").replaceAll("&amp;", "&"))).toBe(total);
  expect(text).toContain('<span>3</span><span class="note">1 enrolled after a retry</span>');
});

test("the list names in words what it is narrowed to, in the account's time", async () => {
  const { text } = await admin.get(
    "/settings/activity?since=90d&decided=2026-11-20T10:00:00.000Z&retries=without&code=OWNER_MISSING",
  );
  expect(text).toContain(
    "Reason: No owner · Received: Last 90 days · Completed after: Nov 20, 2026, 10:00 AM · Retries: exclude",
  );
  expect(text).toContain('<option value="2026-11-20T10:00:00.000Z" selected>Nov 20, 2026, 10:00 AM</option>');
});

test("an execution is found by its own id, and a search in vain says how it searches", async () => {
  const { id } = await site.database.prisma.execution.findFirstOrThrow({ where: { state: "UNCERTAIN" } });
  expect(await countRows(`/settings/activity?q=${id}`)).toBe(1);
  const { text } = await admin.get("/settings/activity?q=nobody");
  expect(text).toMatch(/No results.*Paste several emails to check a list/);
});

test("every week of the reports is what its list holds", async () => {
  const { text } = await admin.get("/settings/reports?by=week&range=30d");
  const rows = [
    ...text.matchAll(/<th scope="row"><a href="([^"]*)"><span class="clamp">Week of [^<]*<.*?<\/tr>/g),
  ];
  expect(rows.length).toBeGreaterThanOrEqual(5);
  const numbers = rows.map(([row, address = ""]) => ({
    address: address.replaceAll("&amp;", "&"),
    number: [...row.matchAll(/<td[^>]*><span>(\d+)</g)].reduce((sum, [, count]) => sum + Number(count), 0),
  }));
  expect(numbers.reduce((sum, { number }) => sum + number, 0)).toBe(44);
  for (const { address, number } of numbers)
    expect([address, await countRows(address)]).toEqual([address, number]);
});
