import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { createBrowser, hiddenField, type Browser } from "../support/browser.js";
import { createTestDatabase, type TestDatabase } from "../support/database.js";
import { openSlowWay, type SlowWay } from "../support/slow-way.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

/** Of a database on another continent: a statement for each of fifty people would take four seconds. */
const FAR_MS = 80;
/** Past the five seconds a page has in a dozen statements. */
const TOO_FAR_MS = 900;
const PEOPLE = Array.from({ length: 200 }, (_, index) => BigInt(5_000 + index));

let db: TestDatabase;
let way: SlowWay;
let running: RunningApp;
let portal: SimulatedPortal;
let browser: Browser;

beforeAll(async () => {
  db = await createTestDatabase();
  way = await openSlowWay(db.url);
  running = await startRunningApp({ environment: { DATABASE_URL: way.url, ROLE: "web" } });
  portal = addPlainPortal(running.simulator, { contacts: 1 });
  browser = await signIn();
  const { prisma } = db.database;
  await prisma.user.createMany({
    data: PEOPLE.map((userId) => ({
      portalId: BigInt(portal.portalId),
      userId,
      email: `p${userId}@acme.example`,
      superAdmin: false,
      seatNames: ["SALES_STARTER"],
      isListed: true,
    })),
  });
});

afterAll(async () => {
  await running.close();
  await way.close();
  await db.drop();
});

beforeEach(async () => {
  way.delayMs = 0;
  const { prisma } = db.database;
  await prisma.auditEntry.deleteMany();
  await prisma.senderSettings.deleteMany();
  await prisma.rotation.deleteMany();
});

async function signIn(): Promise<Browser> {
  const admin = createBrowser(running.publicUrl);
  const { location } = await admin.get("/oauth/install");
  const back = running.simulator.authorize(location ?? "", {
    portalId: portal.portalId,
    userId: portal.admin.userId,
  });
  await admin.get(back);
  return admin;
}

async function token(path: string): Promise<string[]> {
  return ["form_token", hiddenField((await browser.get(path)).text, "form_token")];
}

const marking = PEOPLE.slice(0, 50).flatMap((userId) => [
  ["user", String(userId)],
  [`version_${userId}`, "0"],
]);
const members = (weight: number) =>
  PEOPLE.flatMap((userId) => [
    ["member", String(userId)],
    [`weight_${userId}`, String(weight)],
  ]);
const allowed = () => db.database.prisma.senderSettings.count({ where: { isAllowed: true } });
const faults = () =>
  running.logLines.filter(
    (line) => line["level"] === "error" || JSON.stringify(line).includes("HEADERS_SENT"),
  );

describe("with a database 80 ms away", () => {
  test("fifty people are marked at once, each with an audit entry", async () => {
    const form = await token("/settings/senders");
    way.delayMs = FAR_MS;
    const startedAt = performance.now();
    const { status } = await browser.post("/settings/senders", [form, ...marking, ["mark", "allowed"]]);
    expect(status).toBe(303);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(await allowed()).toBe(50);
    expect(await db.database.prisma.auditEntry.count()).toBe(50);
  });

  test("a rotation of two hundred is saved, then saved again with other weights", async () => {
    const form = await token("/settings/rotations/new");
    way.delayMs = FAR_MS;
    const made = await browser.post("/settings/rotations/new", [
      form,
      ["name", "All"],
      ...members(1),
      ["version", "0"],
    ]);
    expect(made.status).toBe(303);
    const { rotationId, version } = await db.database.prisma.rotation.findFirstOrThrow();
    const startedAt = performance.now();
    const changed = await browser.post(`/settings/rotations/${rotationId}`, [
      ...[form, ["name", "All"], ...members(7), ["version", String(version)]],
    ]);
    expect(changed.status).toBe(303);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(await db.database.prisma.rotationMember.count({ where: { weight: 7, currentWeight: 0 } })).toBe(
      200,
    );
  });
});

describe("with a database so far away that a page's time is up before it has saved", () => {
  test("what was answered with 503 is not saved, then or later, and the log shows no fault", async () => {
    const form = await token("/settings/senders");
    running.logLines.length = 0;
    way.delayMs = TOO_FAR_MS;
    const { status } = await browser.post("/settings/senders", [form, ...marking, ["mark", "allowed"]]);
    expect(status).toBe(503);
    const GAVE_UP = "request gave up after it had been answered";
    const said = () => running.logLines.map(({ msg }) => msg);
    const endsAt = Date.now() + 60_000;
    while (!said().includes(GAVE_UP) && Date.now() < endsAt)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(said()).toContain(GAVE_UP);
    way.delayMs = 0;
    expect(await allowed()).toBe(0);
    expect(faults()).toEqual([]);
    const again = await browser.post("/settings/senders", [form, ...marking, ["mark", "allowed"]]);
    expect(again.status).toBe(303);
    expect(await allowed()).toBe(50);
  });
});
