import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createApiClient, giveKey, type ApiAnswer, type ApiClient } from "../../support/api-client.js";
import { seedExecutions } from "../../support/executions.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let portalId: bigint;
let client: ApiClient;
let sequenceId: string;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator, { sequences: 5 });
  portal.addSequence({ name: "alpha" });
  portal.addSequence({ name: "Beta 50% _off" });
  portalId = BigInt(portal.portalId);
  await running.install(portal);
  client = createApiClient(running.publicUrl, await giveKey(running.db.database, portalId));
  const { prisma } = running.db.database;
  const isCopied = async () => (await prisma.sequence.count()) > 6 && (await prisma.owner.count()) > 0;
  while (!(await isCopied())) await new Promise((resolve) => setTimeout(resolve, 50));
  sequenceId = [...portal.sequences.keys()][0] ?? "";
});

afterAll(() => running.close());

/** Asks what HubSpot has to be asked for: while the app is at work for the account, few places are left for it. */
async function ask(path: string): Promise<ApiAnswer> {
  for (;;) {
    const answer = await client.get(path);
    if (answer.status !== 429) return answer;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

describe("GET /sequences", () => {
  test("lists the account's sequences by name, page by page", async () => {
    const names: string[] = [];
    for (let after = ""; ;) {
      const { status, body } = await client.get(`/api/v1/sequences?limit=3${after}`);
      expect([status, body.results.length <= 3]).toEqual([200, true]);
      names.push(...body.results.map(({ name }: { name: string }) => name));
      if (body.paging === undefined) break;
      after = `&after=${body.paging.next.after}`;
    }
    const all = [...portal.sequences.values()].map(({ name }) => name);
    expect(names.toSorted()).toEqual(all.toSorted());
    expect(names.slice(0, 2)).toEqual(["alpha", "Beta 50% _off"]);
  });

  test("finds those whose name contains some words, with when HubSpot made and changed them", async () => {
    const { body } = await client.get(`/api/v1/sequences?name=${encodeURIComponent("50% _OFF")}`);
    expect(body.results).toEqual([
      {
        ...{ id: expect.any(String), name: "Beta 50% _off", folder: null },
        ...{ createdAt: expect.stringMatching(/Z$/), updatedAt: expect.stringMatching(/Z$/) },
      },
    ]);
    expect((await client.get("/api/v1/sequences?after=bm90aGluZw")).body.code).toBe("INVALID_REQUEST");
  });

  test("shows one with the steps and settings that HubSpot has now", async () => {
    const { status, body } = await ask(`/api/v1/sequences/${sequenceId}`);
    expect([status, body.id]).toEqual([200, sequenceId]);
    expect(body.steps.map(({ actionType }: { actionType: string }) => actionType)).toEqual(
      expect.arrayContaining(["EMAIL", "TASK"]),
    );
    expect(body.settings).toMatchObject({ sendWindowStartMinute: 480, sendWindowEndMinute: 1080 });
    expect((await client.get("/api/v1/sequences/999999")).body.code).toBe("NOT_FOUND");
  });
});

test("GET /sequences/{id} shows what is known of one that HubSpot shows to no user of the account", async () => {
  const users = [...portal.users.values()];
  const permissions = users.map(({ hasSequencesPermission }) => hasSequencesPermission);
  for (const user of users) user.hasSequencesPermission = false;
  const { status, body } = await ask(`/api/v1/sequences/${sequenceId}`);
  for (const [index, user] of users.entries()) user.hasSequencesPermission = permissions[index] ?? true;
  expect([status, body]).toMatchObject([
    200,
    { id: sequenceId, name: portal.sequences.get(sequenceId)?.name, steps: null, settings: null },
  ]);
});

describe("GET /contacts/{id}/enrollment", () => {
  test("says which sequence HubSpot has a contact in, or that it is in none", async () => {
    const email = "where@lead.example";
    const { id } = portal.addContact({ properties: { email } });
    const path = `/api/v1/contacts/${id}/enrollment`;
    const nowhere = { isEnrolled: false, sequence: null, enrolledAt: null, enrolledBy: null, email: null };
    expect((await ask(path)).body).toEqual(nowhere);
    const sender = { mode: "specific_user", userId: String(portal.senders[0]?.userId) };
    const body = { contact: { id }, sequence: { id: sequenceId }, sender };
    const enrolled = await client.post("/api/v1/enrollments?wait=20", body);
    expect(enrolled.body.status).toBe("ENROLLED");
    expect((await ask(path)).body).toEqual({
      isEnrolled: true,
      sequence: { id: sequenceId, name: portal.sequences.get(sequenceId)?.name },
      enrolledAt: expect.stringMatching(/Z$/),
      enrolledBy: enrolled.body.sender.email,
      email,
    });
    expect((await ask("/api/v1/contacts/999999/enrollment")).body.code).toBe("NOT_FOUND");
  });

  test("says that HubSpot does not answer, and that it is asked too often, each by its own code", async () => {
    const { id } = portal.addContact({ properties: { email: "often@lead.example" } });
    const path = `/api/v1/contacts/${id}/enrollment`;
    let answer = await ask(path);
    while (answer.status === 200) answer = await client.get(path);
    expect([answer.status, answer.body.code]).toEqual([429, "RATE_LIMITED"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    const faults = running.logLines.filter(({ level }) => level === "error");
    expect(faults).toEqual([]);
  });
});

describe("GET /stats", () => {
  const at = (day: string, seconds = 0): Date => new Date(Date.parse(`${day}T10:00:00Z`) + seconds * 1_000);

  beforeAll(async () => {
    const enrolled = { portalId, enrollmentStatus: "ENROLLED", sequenceId, workflowId: "7" };
    await seedExecutions(running.db.database, [
      ...[2, 4, 60].map((seconds) => ({
        ...enrolled,
        acceptedAt: at("2026-03-02"),
        enrolledAt: at("2026-03-02", seconds),
        decidedAt: at("2026-03-02", seconds),
        senderUserId: 71n,
      })),
      {
        ...{ portalId, enrollmentStatus: "SKIPPED", errorCode: "UNSUBSCRIBED", sequenceId },
        decidedAt: at("2026-03-03"),
      },
      {
        portalId,
        enrollmentStatus: "FAILED",
        errorCode: "CANCELLED",
        sequenceId,
        decidedAt: at("2026-03-03"),
      },
      { portalId, enrollmentStatus: "FAILED", errorCode: "BOUNCED", sequenceId, decidedAt: at("2026-03-05") },
    ]);
    const [first] = await running.db.database.prisma.execution.findMany({
      where: { portalId, workflowId: "7" },
      orderBy: { id: "asc" },
    });
    await running.db.database.pool.query(
      `INSERT INTO followed_enrollments (portal_id, execution_id, decided_at, enrolled_at, outcome, ended_at, noted_at)
       VALUES ($1, $2, now(), now(), 'REPLIED', now(), now())`,
      [portalId, first?.id],
    );
  });

  test("counts what was decided in the period by status and by reason, day by day", async () => {
    const { status, body } = await client.get("/api/v1/stats?from=2026-03-01&to=2026-03-03&by=day");
    expect([status, body.by]).toEqual([200, "day"]);
    expect(body.results.map(({ id, total }: { id: string; total: number }) => [id, total])).toEqual([
      ["2026-03-02", 3],
      ["2026-03-03", 2],
    ]);
    expect(body.total).toEqual({
      total: 5,
      statuses: { ENROLLED: 3, ALREADY_ENROLLED: 0, SKIPPED: 1, FAILED: 0, CANCELLED: 1 },
      reasons: { UNSUBSCRIBED: 1, CANCELLED: 1 },
      timeToEnroll: { medianMs: 4_000, p95Ms: 54_400 },
      ends: { FINISHED: 0, REPLIED: 1, UNENROLLED: 0 },
    });
  });

  test.each(["sequence", "sender", "workflow", "source"])("counts by %s, the largest first", async (by) => {
    const { body } = await client.get(
      `/api/v1/stats?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&by=${by}`,
    );
    const totals = body.results.map(({ total }: { total: number }) => total);
    expect(totals).toEqual(totals.toSorted((one: number, other: number) => other - one));
    expect(totals.reduce((sum: number, total: number) => sum + total, 0)).toBe(body.total.total);
    expect(body.total.total).toBe(6);
    if (by === "sequence")
      expect(body.results[0]).toMatchObject({ id: sequenceId, name: portal.sequences.get(sequenceId)?.name });
  });

  test("refuses an impossible period", async () => {
    for (const query of ["from=2026-03-03&to=2026-03-01", "from=yesterday", "by=moon", "to=2026-02-30"])
      expect((await client.get(`/api/v1/stats?${query}`)).status).toBe(400);
    expect((await client.get("/api/v1/stats")).body.total.total).toBeGreaterThan(0);
  });
});
