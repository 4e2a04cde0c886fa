import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { seedExecutions } from "../../support/executions.js";
import { install, startSite, type Site } from "../../support/site.js";
import { storeFlow } from "../../support/stored-flows.js";

let site: Site;
let portalId: bigint;
let api: ApiClient;
let stranger: ApiClient;

beforeAll(async () => {
  site = await startSite();
  const otherId = await connect();
  portalId = await connect();
  api = createApiClient(site.url, await giveKey(site.database, portalId));
  stranger = createApiClient(site.url, await giveKey(site.database, otherId));
  await seedPeople();
});

afterAll(() => site.close());

async function connect(): Promise<bigint> {
  const portal = site.simulator.addPortal();
  await install(site, site.browser(), portal.portalId);
  return BigInt(portal.portalId);
}

async function seedPeople(): Promise<void> {
  const { prisma } = site.database;
  const people = [
    { userId: 71n, firstName: "Ada", email: "ada@acme.example" },
    { userId: 72n, firstName: "Ben", email: "ben@acme.example" },
    { userId: 73n, firstName: "Cleo", email: "cleo@acme.example" },
    { userId: 74n, firstName: "Dan", email: "dan@acme.example" },
  ];
  await prisma.user.createMany({
    data: people.map((person) => ({
      portalId,
      ...person,
      lastName: "Brandt",
      superAdmin: false,
      isListed: true,
    })),
  });
  await prisma.senderSettings.createMany({
    data: [
      {
        ...{ portalId, userId: 71n, dailyCap: 2, windowDays: [1, 2], timeZone: "Europe/Berlin" },
        ...{ windowStartMinute: 510, windowEndMinute: 1_440 },
      },
      {
        ...{ portalId, userId: 72n, windowDays: [], refusedCode: "INBOX_NOT_CONNECTED" },
        refusedAt: new Date(),
      },
      { portalId, userId: 73n, windowDays: [], isAllowed: false },
    ],
  });
  const sent = { portalId, enrollmentStatus: "ENROLLED", senderUserId: 71n };
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  await seedExecutions(site.database, [
    ...[new Date(), new Date(), longAgo].map((enrolledAt) => ({ ...sent, enrolledAt })),
  ]);
}

test("senders are those who may send, each with cap, use of the last day, window and problem", async () => {
  const { body } = await api.get("/api/v1/senders");
  const [ada, ben, dan] = body.results.filter(({ userId }: { userId: string }) => /^7\d$/.test(userId));
  expect(ada).toEqual({
    ...{ userId: "71", name: "Ada Brandt", email: "ada@acme.example", cap: 2, used: 2 },
    window: { days: [1, 2], start: "08:30", end: "24:00", timeZone: "Europe/Berlin" },
    problem: { code: "SENDER_LIMIT_REACHED", message: expect.any(String), until: null },
  });
  expect(ben).toMatchObject({ userId: "72", window: null, problem: { code: "INBOX_NOT_CONNECTED" } });
  expect(dan).toMatchObject({ userId: "74", cap: 400, used: 0, window: null, problem: null });
});

test("pages of senders follow each other, and a made-up place is refused", async () => {
  const names: string[] = [];
  for (let after = ""; ;) {
    const { body } = await api.get(`/api/v1/senders?limit=1${after}`);
    names.push(...body.results.map(({ name }: { name: string }) => name));
    if (body.paging === undefined) break;
    after = `&after=${body.paging.next.after}`;
  }
  const whole = await api.get("/api/v1/senders");
  expect(names).toEqual(whole.body.results.map(({ name }: { name: string }) => name));
  expect((await api.get("/api/v1/senders?after=bm90aGluZw")).status).toBe(400);
});

test("rotations are listed by id and name, the account's own alone", async () => {
  const rotation = await site.database.prisma.rotation.create({
    data: { portalId, name: "Inbound team", keepsSender: false },
  });
  const id = rotation.rotationId.toString();
  expect((await api.get("/api/v1/rotations")).body).toEqual({ results: [{ id, name: "Inbound team" }] });
  expect((await stranger.get("/api/v1/rotations")).body).toEqual({ results: [] });
});

test("workflows that use our actions are listed by name, with what their steps say", async () => {
  await storeFlow(site.database.pool, portalId, {
    ...{ flowId: "900", workflowId: "12", name: "New leads", isEnabled: false },
    steps: [{ kind: "ENROLL", sequenceId: "51" }],
  });
  await storeFlow(site.database.pool, portalId, { flowId: "901", name: "Without our steps" });
  const { body } = await api.get("/api/v1/workflows");
  expect(body.results).toEqual([
    {
      ...{ id: "900", workflowId: "12", name: "New leads", status: "off", updatedAt: null },
      steps: [expect.objectContaining({ kind: "ENROLL", sequence: { id: "51", name: null } })],
    },
  ]);
  expect((await stranger.get("/api/v1/workflows")).body).toEqual({ results: [] });
});

test("a story tells candidates, attempts and the decision, to the account's own keys alone", async () => {
  const refused = { userId: "71", via: "contact_owner", code: "SENDER_LIMIT_REACHED", reason: "At the cap." };
  await seedExecutions(site.database, [
    {
      ...{ portalId, contactId: "story", enrollmentStatus: "FAILED", errorCode: "BOUNCED", attempts: 2 },
      request: { sequence: "51" },
      senderChoice: { chosen: { userId: "74", via: "default_sender" }, passedOver: [refused] },
    },
  ]);
  const { id } = await site.database.prisma.execution.findFirstOrThrow({ where: { contactId: "story" } });
  const { body } = await api.get(`/api/v1/enrollments/${id}/story`);
  expect(body).toMatchObject({
    id: id.toString(),
    candidates: [
      { userId: "71", isChosen: false, reason: { code: "SENDER_LIMIT_REACHED", message: "At the cap." } },
      { userId: "74", name: "Dan Brandt · dan@acme.example", via: "default_sender", isChosen: true },
    ],
    attempts: { count: 2, nextAt: null },
    decision: { reason: { code: "BOUNCED" } },
    inputs: { sequence: "51" },
  });
  const hidden = await stranger.get(`/api/v1/enrollments/${id}/story`);
  expect([hidden.status, hidden.body.code]).toEqual([404, "NOT_FOUND"]);
});
