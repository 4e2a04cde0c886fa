import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { applyContactChanges } from "#domain/contacts/contact-changes.js";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createApiClient, giveKey, type ApiClient } from "../../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

let running: RunningApp;
let portal: SimulatedPortal;
let client: ApiClient;
let sequence: { id: string };
let sender: Record<string, string>;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator);
  await running.install(portal);
  client = createApiClient(running.publicUrl, await giveKey(running.db.database, portal.portalId));
  const { prisma } = running.db.database;
  const isCopied = async () => (await prisma.sequence.count()) > 0 && (await prisma.owner.count()) > 0;
  while (!(await isCopied())) await new Promise((resolve) => setTimeout(resolve, 50));
  sequence = { id: [...portal.sequences.keys()][0] ?? "" };
  sender = { mode: "specific_user", userId: String(portal.senders[0]?.userId) };
});

afterAll(() => running.close());

const enroll = (body: Record<string, unknown>, query = "?wait=20") =>
  client.post(`/api/v1/enrollments${query}`, { sequence, sender, ...body });

const countRows = () => running.db.database.prisma.execution.count();

describe("POST /enrollments", () => {
  test("enrolls a contact by id, answers 200 with what came of it, and shows it again", async () => {
    const contact = portal.addContact({ properties: { email: "ada@lead.example" } });
    const { status, body, headers } = await enroll({ contact: { id: contact.id }, reference: "order-4711" });
    expect([status, body.status, body.reason]).toEqual([200, "ENROLLED", null]);
    expect(body).toMatchObject({
      source: "api",
      contact: { id: contact.id },
      sequence: { id: sequence.id },
      sender: { userId: sender["userId"] },
      reference: "order-4711",
      workflowId: null,
    });
    const again = await client.get(headers.get("location") ?? "");
    expect([again.status, again.body]).toEqual([200, body]);
  });

  test("enrolls contacts by their addresses alone, many in one request to HubSpot, and knows their ids then", async () => {
    const people = Array.from({ length: 20 }, (_, index) => `many-${index}@lead.example`);
    const ids = people.map((email) => portal.addContact({ properties: { email } }).id);
    const before = portal.traffic.requestsOf("contacts");
    const answers = await Promise.all(
      people.map((email) => enroll({ contact: { email: email.toUpperCase() } })),
    );
    expect(answers.map(({ body }) => [body.status, body.contact.id])).toEqual(
      ids.map((id) => ["ENROLLED", id]),
    );
    expect(portal.traffic.requestsOf("contacts") - before).toBeLessThan(people.length);
  });

  test("fails with CONTACT_NOT_FOUND for an address that nobody has", async () => {
    const { status, body } = await enroll({ contact: { email: "nobody@lead.example" } });
    expect([status, body.status, body.reason.code]).toEqual([200, "FAILED", "CONTACT_NOT_FOUND"]);
    expect(body.contact).toEqual({ id: null, email: "nobody@lead.example" });
  });

  test("enrolls nobody by the address of somebody whom HubSpot reported as deleted and still shows", async () => {
    const email = "forgotten@lead.example";
    const { id } = portal.addContact({ properties: { email } });
    const { pool } = running.db.database;
    await applyContactChanges(pool, [{ kind: "erased", portalId: BigInt(portal.portalId), contactId: id }]);
    const before = portal.enrollments.total;
    const { status, body } = await enroll({ contact: { email }, reference: "of somebody" });
    expect([status, body.status, body.reason.code]).toEqual([200, "FAILED", "CONTACT_NOT_FOUND"]);
    expect([body.contact, body.reference]).toEqual([{ id: null, email: null }, null]);
    expect(portal.enrollments.total).toBe(before);
  });

  test("continues with the contact that the old one was merged into, though the address still leads to the old one", async () => {
    const email = "merged@lead.example";
    const [old, into] = [portal.addContact({ properties: { email } }), portal.addContact({})];
    const { pool } = running.db.database;
    const portalId = BigInt(portal.portalId);
    await applyContactChanges(pool, [{ kind: "merged", portalId, contactIds: [old.id], into: into.id }]);
    const { body } = await enroll({ contact: { email } });
    expect([body.status, body.contact.id]).toEqual(["ENROLLED", into.id]);
  });

  test("answers 202 at once if nobody wants to wait, and does not enroll before the date", async () => {
    const { id } = portal.addContact({ properties: { email: "later@lead.example" } });
    const notBefore = new Date(Date.now() + 3_600_000).toISOString();
    const { status, body } = await enroll({ contact: { id }, notBefore }, "");
    expect([status, body.status, body.dueAt]).toEqual([202, "WAITING", notBefore]);
    const canceled = await client.post(`/api/v1/enrollments/${body.id}/cancel`);
    expect([canceled.status, canceled.body.status]).toEqual([200, "CANCELLED"]);
    expect((await client.post(`/api/v1/enrollments/${body.id}/cancel`)).body.code).toBe("CONFLICT");
  });

  test("stores nothing that is visibly wrong, and names every problem", async () => {
    const before = await countRows();
    const contact = { email: "ada@lead.example" };
    const unknown = await enroll({ contact, sequence: { id: "999999" } });
    expect([unknown.status, unknown.body.code]).toEqual([422, "SEQUENCE_NOT_FOUND"]);
    const wrong = await enroll({ contact: { email: "no address" }, tint: "red", cooldownDays: -1 });
    expect([wrong.status, wrong.body.code]).toEqual([422, "INVALID_REQUEST"]);
    const pointers = wrong.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.sort()).toEqual(["/contact/email", "/cooldownDays", "/tint"]);
    const names = {
      sequence: { name: "Nowhere" },
      sender: { email: "stranger@acme.example" },
      presetId: "404",
    };
    const unknownNames = await enroll({ contact, ...names });
    expect([unknownNames.status, unknownNames.body.code]).toEqual([422, "SEQUENCE_NOT_FOUND"]);
    const places = unknownNames.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(places).toEqual(["/sequence", "/sender/email", "/presetId"]);
    const broken = await client.post("/api/v1/enrollments", "{");
    expect([broken.status, broken.body.code]).toEqual([400, "INVALID_REQUEST"]);
    const form = await client.post("/api/v1/enrollments", "a=1", { "Content-Type": "text/plain" });
    expect([form.status, form.body.code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    const long = await client.post("/api/v1/enrollments", `"${"x".repeat(300_000)}"`);
    expect([long.status, long.body.code]).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    expect(await countRows()).toBe(before);
  });
});

test("a retry is a new enrollment, and is refused while the first is not over", async () => {
  const failed = await enroll({ contact: { email: "comes-later@lead.example" } });
  const contact = portal.addContact({ properties: { email: "comes-later@lead.example" } });
  const retried = await client.post(`/api/v1/enrollments/${failed.body.id}/retry`);
  expect([retried.status, retried.body.source]).toEqual([202, "retry"]);
  expect(retried.body.id).not.toBe(failed.body.id);
  let now = retried.body;
  while (["QUEUED", "SENDING", "WAITING"].includes(now.status as string))
    now = (await client.get(retried.headers.get("location") ?? "")).body;
  expect([now.status, now.contact.id]).toEqual(["ENROLLED", contact.id]);
  const more = await client.post(`/api/v1/enrollments/${failed.body.id}/retry`);
  expect([more.status, more.body.code]).toEqual([409, "CONFLICT"]);
});

test("another account's key sees and changes none of it", async () => {
  const { id } = portal.addContact({ properties: { email: "mine@lead.example" } });
  const { body } = await enroll({ contact: { id } });
  const other = addPlainPortal(running.simulator);
  await running.install(other);
  const stranger = createApiClient(running.publicUrl, await giveKey(running.db.database, other.portalId));
  const before = await countRows();
  for (const answer of [
    await stranger.get(`/api/v1/enrollments/${body.id}`),
    await stranger.post(`/api/v1/enrollments/${body.id}/cancel`),
    await stranger.post(`/api/v1/enrollments/${body.id}/retry`),
  ])
    expect([answer.status, answer.body.code]).toEqual([404, "NOT_FOUND"]);
  expect(await countRows()).toBe(before);
});

describe("an Idempotency-Key", () => {
  const keyed = (key: string, body: Record<string, unknown>, query = "") =>
    client.post(`/api/v1/enrollments${query}`, { sequence, sender, ...body }, { "Idempotency-Key": key });

  test("lets the same request do its work once, and gives the first answer again", async () => {
    const contact = { id: portal.addContact({ properties: { email: "once@lead.example" } }).id };
    const before = await countRows();
    const first = await keyed("order 1", { contact });
    const again = await keyed("order 1", { contact });
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    const replayed = [first, again].map(({ headers }) => headers.get("idempotent-replayed"));
    expect(replayed).toEqual([null, "true"]);
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    const other = await keyed("order 1", { contact, reference: "another" });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect((await countRows()) - before).toBe(1);
  });

  test("is refused while the first request waits for its outcome, which is given again afterward", async () => {
    const contact = { id: portal.addContact({ properties: { email: "waits@lead.example" } }).id };
    const before = await countRows();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => keyed("order 2", { contact }, "?wait=20")),
    );
    const ended = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ body }) => body.code === "IDEMPOTENCY_KEY_IN_USE");
    expect(ended.length).toBeGreaterThan(0);
    expect(ended.length + refused.length).toBe(answers.length);
    expect((await countRows()) - before).toBe(1);
    expect((await keyed("order 2", { contact })).body.status).toBe("ENROLLED");
  });

  test("is free again if the request was refused, because nothing was stored", async () => {
    const contact = { id: portal.addContact({ properties: { email: "free@lead.example" } }).id };
    expect((await keyed("order 3", { contact, sequence: { id: "999999" } })).status).toBe(422);
    expect((await keyed("order 3", { contact })).status).toBe(202);
  });
});

test("the document describes every operation, and needs no key", async () => {
  const { status, body } = await createApiClient(running.publicUrl, undefined).get("/api/v1/openapi.json");
  expect([status, body.openapi]).toEqual([200, "3.1.0"]);
  expect(body.paths["/enrollments"].post.requestBody.content["application/json"].schema.required).toEqual(
    expect.arrayContaining(["contact", "sequence"]),
  );
});
