import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { CLOSE_KEY, startCloseStandIn, type CloseStandIn } from "../../support/close-stand-in.js";
import { requestValidator, SPEC_EXTRACTS } from "../../support/openapi.js";
import type { ParsedBody } from "../../support/simulated-app.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";

const WELCOME = { id: "seq_welcome", name: "Welcome of Close" };
const NEWS = { id: "seq_news", name: "Newsletter" };
const MANY = 230;

let app: RunningApp;
let portal: SimulatedPortal;
let api: ApiClient;
let close: CloseStandIn;

const senderAddress = "Ada@close.example";
const subscription = (sequenceId: string, email: string | null, status = "active") => ({
  ...{ sequenceId, email, status, sender: senderAddress },
});

beforeAll(async () => {
  close = await startCloseStandIn({
    sequences: [WELCOME, NEWS],
    subscriptions: [
      subscription(WELCOME.id, "moved@lead.example", "finished"),
      subscription(WELCOME.id, "Moved@lead.example"),
      subscription(WELCOME.id, "out@lead.example"),
      subscription(WELCOME.id, "stranger@lead.example"),
      subscription(WELCOME.id, null),
      ...Array.from({ length: MANY }, (_, index) => subscription(NEWS.id, `news${index}@lead.example`)),
    ],
  });
  app = await startRunningApp({
    workIntervals: { workImports: 50 },
    environment: { CLOSE_API_URL: close.url },
    simulator: { recordRequests: true },
  });
  portal = addPlainPortal(app.simulator);
  await app.install(portal, "segments");
  api = createApiClient(app.publicUrl, await giveKey(app.db.database, portal.portalId));
  const owner = [...portal.owners.keys()][0] ?? "";
  portal.addContact({ properties: { email: "moved@lead.example", hubspot_owner_id: owner } });
  portal.addContact({ properties: { email: "out@lead.example", hs_email_optout: "true" } });
  await until(async () => (await pool().query("SELECT FROM sequences WHERE is_listed")).rowCount !== 0);
});

afterAll(() => Promise.all([app.close(), close.close()]));

const pool = () => app.db.database.pool;

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const endsAt = Date.now() + 20_000; !(await isSo());) {
    if (Date.now() > endsAt) throw new Error("it did not come to that");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function reach(id: string, status: string): Promise<ParsedBody> {
  let body: ParsedBody;
  await until(async () => {
    ({ body } = await api.get(`/api/v1/imports/${id}`));
    return body.status === status;
  });
  return body;
}

const sealedKeys = async () =>
  (await pool().query("SELECT source_key FROM imports WHERE source_key IS NOT NULL")).rowCount;

describe("an import from Close", () => {
  test("is read page by page, mapped, tried, and enrolls who was chosen; the key is gone then", async () => {
    // Close asks for a pause once, and for another with its next answer.
    close.answers.push({ status: 429, headers: { "Retry-After": "0.2" }, body: { error: {} } });
    const made = await api.post("/api/v1/close-reads", { apiKey: CLOSE_KEY });
    expect([made.status, made.body.status, made.body.source]).toEqual([201, "READING", "CLOSE"]);
    expect(made.headers.get("location")).toBe(`/api/v1/imports/${made.body.id}`);
    const read = await reach(made.body.id, "UPLOADED");
    expect(read.counts.rows).toBe(5 + MANY);
    expect(read.close).toEqual({
      statuses: [
        { status: "finished", subscriptions: 1, isChosen: false },
        { status: "active", subscriptions: 4 + MANY, isChosen: true },
      ],
      sequences: [
        { ...WELCOME, subscriptions: 5, sequenceId: null },
        { ...NEWS, subscriptions: MANY, sequenceId: null },
      ],
      senders: [{ email: senderAddress.toLowerCase(), subscriptions: 5 + MANY, userId: null }],
    });
    const [first, second] = close.requests;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(190);
    const skips = close.requests.filter(({ query }) => query.get("sequence_id") === NEWS.id);
    expect(skips.map(({ query }) => [query.get("_limit"), query.get("_skip")])).toEqual([
      ["100", "0"],
      ["100", "100"],
      ["100", "200"],
    ]);
    expect(await sealedKeys()).toBe(0);

    const early = await api.post(`/api/v1/imports/${read.id}/start`);
    expect([early.status, early.body.errors[0].pointer]).toEqual([422, "/close/sequences"]);
    const sequenceId = [...portal.sequences.keys()][0] ?? "";
    const owner = [...portal.owners.values()][0];
    const choices = {
      sequences: { [WELCOME.id]: sequenceId },
      senders: { [senderAddress.toLowerCase()]: String(owner?.userId) },
    };
    const chosen = await api.ask("PATCH", `/api/v1/imports/${read.id}`, { body: { close: choices } });
    expect([chosen.status, chosen.body.close.sequences[0].sequenceId]).toEqual([200, sequenceId]);
    await api.post(`/api/v1/imports/${read.id}/dry-run`);
    const foreseen = await reach(read.id, "CHECKED");
    expect(foreseen.counts).toMatchObject({
      enrolled: 1,
      skipped: 1 + MANY,
      failed: 2,
      invalid: 1,
      duplicate: 0,
    });
    expect(foreseen.counts.reasons).toEqual({ CONTACT_NOT_FOUND: 1, INVALID_INPUT: 1, UNSUBSCRIBED: 1 });
    await api.post(`/api/v1/imports/${read.id}/start`);
    expect((await reach(read.id, "DONE")).counts).toEqual(foreseen.counts);
    const { results } = (await api.get(`/api/v1/enrollments?importId=${read.id}&status=ENROLLED`)).body;
    expect(results).toMatchObject([
      { sender: { userId: String(owner?.userId) }, sequence: { id: sequenceId } },
    ]);
    const csv = (await api.get(`/api/v1/imports/${read.id}/results.csv`)).text;
    expect(csv).toContain("is not among those that were chosen");
  });

  test("ends with a reason if Close does not accept the key, which stands nowhere", async () => {
    const secret = "api_WrongWrongWrong.Wrong12345";
    const { body } = await api.post("/api/v1/close-reads", { apiKey: secret, name: "Moving" });
    const ended = await reach(body.id, "CANCELLED");
    expect(ended.problem.code).toBe("CLOSE_KEY_REFUSED");
    expect(await sealedKeys()).toBe(0);
    expect(JSON.stringify(app.logLines)).not.toContain(secret);
    const { rows } = await pool().query<{ all: string }>(
      "SELECT (SELECT jsonb_agg(i) FROM imports i)::text || (SELECT jsonb_agg(a) FROM audit_entries a)::text AS all",
    );
    expect(rows[0]?.all).not.toContain(secret);
    const wrong = await api.post("/api/v1/close-reads", { apiKey: "has space" });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, "/apiKey"]);
  });

  test("goes on after answers that say nothing of the key, as soon as they allow", async () => {
    for (const status of [408, 423, 425, 503])
      close.answers.push({ status, headers: { "Retry-After": "0.1" }, body: { error: {} } });
    const { body } = await api.post("/api/v1/close-reads", { apiKey: CLOSE_KEY });
    const read = await reach(body.id, "UPLOADED");
    expect([read.counts.rows, read.problem]).toEqual([5 + MANY, null]);
    expect(close.answers).toEqual([]);
  });

  test("waits while Close is away, and forgets the key when it is canceled", async () => {
    for (let time = 0; time < 3; time += 1) close.answers.push({ status: 503 });
    const { body } = await api.post("/api/v1/close-reads", { apiKey: CLOSE_KEY });
    await until(() => Promise.resolve(close.answers.length < 3));
    expect(await sealedKeys()).toBe(1);
    expect((await api.post(`/api/v1/imports/${body.id}/cancel`)).status).toBe(202);
    expect(await sealedKeys()).toBe(0);
    close.answers.length = 0;
  });
});

describe("an import of a segment", () => {
  test("reads its members page by page, takes its name, and is started like a file", async () => {
    const memberIds = Array.from({ length: 600 }, () => portal.addContact().id);
    const list = portal.addList({ name: "Trial users", memberIds });
    const made = await api.post("/api/v1/imports", { segmentId: list.listId });
    expect([made.status, made.body.source, made.body.segmentId]).toEqual([201, "SEGMENT", list.listId]);
    const read = await reach(made.body.id, "UPLOADED");
    expect(read).toMatchObject({ name: "Trial users", mapping: { contactId: "Record ID" }, problem: null });
    const csv = (await api.get(`/api/v1/imports/${read.id}/results.csv`)).text.replace("\ufeff", "");
    const problems = requestValidator(SPEC_EXTRACTS);
    const asked = app.simulator.requests.filter(({ path }) => path.startsWith("/crm/lists/"));
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.flatMap(problems)).toEqual([]);
    expect(
      csv
        .split(/\r?\n/)
        .slice(1, 601)
        .map((line) => line.split(",")[0]),
    ).toEqual(memberIds);
  });

  test("ends with a reason if there is no such segment, or it holds other records", async () => {
    const companies = portal.addList({ name: "Companies", memberIds: ["1"], objectTypeId: "0-2" });
    for (const [segmentId, code] of [
      ["404404", "SEGMENT_NOT_FOUND"],
      [companies.listId, "SEGMENT_OF_OTHER_RECORDS"],
    ] as const) {
      const { body } = await api.post("/api/v1/imports", { segmentId });
      expect((await reach(body.id, "CANCELLED")).problem.code).toBe(code);
    }
  });

  test("is refused where the account has not given the permission, and ends if it is taken back", async () => {
    const other = addPlainPortal(app.simulator);
    await app.install(other);
    const stranger = createApiClient(app.publicUrl, await giveKey(app.db.database, other.portalId));
    const refused = await stranger.post("/api/v1/imports", { segmentId: "1" });
    expect([refused.status, refused.body.code]).toEqual([409, "MISSING_SCOPES"]);
    const list = portal.addList({ name: "Late", memberIds: [] });
    portal.withdrawScopes(["crm.lists.read"]);
    const { body } = await api.post("/api/v1/imports", { segmentId: list.listId });
    expect((await reach(body.id, "CANCELLED")).problem.code).toBe("MISSING_SCOPES");
  });
});
