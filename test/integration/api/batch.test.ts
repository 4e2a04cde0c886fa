import { once } from "node:events";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { SimulatedPortal } from "../../../src/simulator/portal.js";
import { createApiClient, giveKey, type ApiAnswer, type ApiClient } from "../../support/api-client.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../../support/start-app.js";

const PATH = "/api/v1/enrollments/batch";
const NDJSON = { "Content-Type": "application/x-ndjson" };

let running: RunningApp;
let portal: SimulatedPortal;
let key: string;
let client: ApiClient;
let sequence: { id: string };
let sender: Record<string, string>;

beforeAll(async () => {
  running = await startRunningApp();
  portal = addPlainPortal(running.simulator);
  await running.install(portal);
  key = await giveKey(running.db.database, portal.portalId);
  client = createApiClient(running.publicUrl, key);
  const { prisma } = running.db.database;
  const isCopied = async () => (await prisma.sequence.count()) > 0 && (await prisma.owner.count()) > 0;
  while (!(await isCopied())) await new Promise((resolve) => setTimeout(resolve, 50));
  sequence = { id: [...portal.sequences.keys()][0] ?? "" };
  sender = { mode: "specific_user", userId: String(portal.senders[0]?.userId) };
});

afterAll(() => running.close());

type Row = Record<string, unknown>;
/** Not before an hour from now: only what a test waits for is asked of HubSpot. */
const row = (name: string, more: Row = {}): Row => ({
  contact: { email: `${name}@lead.example` },
  sequence,
  sender,
  notBefore: new Date(Date.now() + 3_600_000).toISOString(),
  ...more,
});
const inLines = (rows: readonly (Row | string)[]): string =>
  rows.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");
const send = (rows: readonly (Row | string)[], headers: Record<string, string> = {}): Promise<ApiAnswer> =>
  client.post(PATH, inLines(rows), { ...NDJSON, ...headers });

interface Line {
  readonly index: number;
  readonly status: "ACCEPTED" | "REFUSED" | "DUPLICATE";
  readonly id?: string;
  readonly code?: string;
  readonly detail?: string;
}
const linesOf = ({ text }: { text: string }): Line[] =>
  text === ""
    ? []
    : text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
const countRows = () => running.db.database.prisma.execution.count();

/** A batch whose rows are sent one after the other, and whose answers are read as they come. */
function openBatch(headers: Record<string, string> = {}) {
  const call: ClientRequest = httpRequest(running.publicUrl + PATH, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, ...NDJSON, ...headers },
  });
  call.on("error", () => undefined);
  call.flushHeaders();
  const answered = once(call, "response") as Promise<[IncomingMessage]>;
  const lines = answered.then(([response]) => createInterface({ input: response })[Symbol.asyncIterator]());
  return {
    call,
    write: (one: Row | string) => call.write(`${inLines([one])}\n`),
    next: async () => JSON.parse((await (await lines).next()).value ?? "null") as Line | null,
  };
}

describe("POST /enrollments/batch", () => {
  test("accepts and refuses each of some hundred rows by itself, and answers them in order", async () => {
    const good = Array.from({ length: 230 }, (_, index) => row(`b${index}`, { reference: `batch-${index}` }));
    const bad: [Row | string, string, RegExp][] = [
      ["{", "INVALID_REQUEST", /not JSON/],
      ["[]", "INVALID_REQUEST", /object/],
      [row("x", { tint: "red", cooldownDays: -1 }), "INVALID_REQUEST", /\/tint.*|\/cooldownDays/],
      [row("x", { contact: { email: "no address" } }), "INVALID_REQUEST", /\/contact\/email/],
      [row("x", { sequence: { id: "999999" } }), "SEQUENCE_NOT_FOUND", /no such sequence/],
      [row("x", { sequence: { name: "nobody's" } }), "SEQUENCE_NOT_FOUND", /no such sequence/],
      [row("x", { presetId: "77" }), "INVALID_INPUT", /preset/],
      [row("x", { sender: { mode: "rotation", rotationId: "7" } }), "INVALID_INPUT", /rotation/],
      [row("x", { sender: { mode: "specific_user", email: "no@one.example" } }), "INVALID_INPUT", /address/],
      [row("x", { reference: "y".repeat(17_000) }), "PAYLOAD_TOO_LARGE", /16 KiB/],
      ["[".repeat(50), "INVALID_REQUEST", /nested/],
    ];
    const before = await countRows();
    const rows = good.flatMap((one, index) => {
      const wrong = index % 20 === 0 ? bad[index / 20]?.[0] : undefined;
      return wrong === undefined ? [one] : [wrong, one];
    });
    const answer = await send(["\ufeff", ...rows, "", "  ", good[0] as Row]);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
    const lines = linesOf(answer);
    expect(lines.map(({ index }) => index)).toEqual([...rows, 0].map((_, index) => index));
    const refused = lines.filter(({ status }) => status === "REFUSED");
    expect(refused.map(({ code }) => code)).toEqual(bad.map(([, code]) => code));
    refused.forEach(({ detail }, index) => expect(detail).toMatch(bad[index]?.[2] ?? /never/));
    const accepted = lines.filter(({ status }) => status === "ACCEPTED");
    expect(accepted).toHaveLength(good.length);
    expect(lines.at(-1)).toEqual({ index: rows.length, status: "DUPLICATE", id: accepted[0]?.id });
    expect((await countRows()) - before).toBe(good.length);
    const shown = await client.get(`/api/v1/enrollments/${accepted[7]?.id}`);
    expect(shown.body).toMatchObject({
      source: "api",
      reference: "batch-7",
      contact: { email: "b7@lead.example" },
    });
  });

  test("takes the rows as inputs of a JSON body too, and looks up their addresses a hundred at a time", async () => {
    const people = Array.from({ length: 60 }, (_, index) => `j${index}`);
    for (const name of people) portal.addContact({ properties: { email: `${name}@lead.example` } });
    const before = portal.traffic.requestsOf("contacts");
    const lines = linesOf(
      await client.post(PATH, { inputs: [...people.map((name) => row(name, { notBefore: undefined })), 7] }),
    );
    expect(lines.map(({ status }) => status)).toEqual([...people.map(() => "ACCEPTED"), "REFUSED"]);
    const { prisma } = running.db.database;
    const ids = lines.flatMap(({ id }) => (id === undefined ? [] : [BigInt(id)]));
    while (
      (await prisma.execution.count({ where: { id: { in: ids }, enrollmentStatus: "ENROLLED" } })) <
      ids.length
    )
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(portal.traffic.requestsOf("contacts") - before).toBeLessThan(6);
    expect(linesOf(await client.post(PATH, { inputs: [] }))).toEqual([]);
    expect((await client.post(PATH, { inputs: 7 })).body.code).toBe("INVALID_REQUEST");
  });

  test("answers each row while the caller is still writing, and keeps what was answered when the caller goes away", async () => {
    const before = await countRows();
    const batch = openBatch();
    batch.write(row("first"));
    expect(await batch.next()).toMatchObject({ index: 0, status: "ACCEPTED" });
    batch.write("half a row");
    expect(await batch.next()).toMatchObject({ index: 1, status: "REFUSED" });
    batch.call.write(JSON.stringify(row("never")));
    batch.call.destroy();
    await running.db.database.prisma.$queryRaw`SELECT 1`;
    expect((await countRows()) - before).toBe(1);
    expect(linesOf(await send([row("after")]))).toMatchObject([{ index: 0, status: "ACCEPTED" }]);
  });

  test("of two batches at once with the same references accepts each row once", async () => {
    const rows = Array.from({ length: 120 }, (_, index) =>
      row(`same${index}`, { reference: `same-${index}` }),
    );
    const before = await countRows();
    const [one, other] = await Promise.all([send(rows), send([...rows].reverse())]);
    const ids = (answer: ApiAnswer) => linesOf(answer).map(({ id }) => id);
    expect(ids(other).reverse()).toEqual(ids(one));
    const statuses = [one, other].flatMap((answer) => linesOf(answer)).map(({ status }) => status);
    expect(statuses.filter((status) => status === "DUPLICATE")).toHaveLength(rows.length);
    expect((await countRows()) - before).toBe(rows.length);
    await running.db.database.pool.query(
      "UPDATE executions SET accepted_at = now() - interval '25 hours' WHERE reference LIKE 'same-%'",
    );
    expect(linesOf(await send(rows.slice(0, 1)))[0]?.status).toBe("ACCEPTED");
  });

  test("stops a batch whose key is revoked, and says so in its last line", async () => {
    const own = await giveKey(running.db.database, portal.portalId, { name: "Revoked" });
    const batch = openBatch({ Authorization: `Bearer ${own}` });
    batch.write(row("before"));
    expect(await batch.next()).toMatchObject({ index: 0, status: "ACCEPTED" });
    await running.db.database.pool.query("UPDATE api_keys SET revoked_at = now() WHERE name = 'Revoked'");
    let line = await (batch.write(row("later")), batch.next());
    while (line?.status === "ACCEPTED") line = await (batch.write(row("later")), batch.next());
    expect(line).toMatchObject({ status: "REFUSED", code: "UNAUTHENTICATED" });
    expect(await batch.next()).toBeNull();
  });

  test("lets an account have some batches at a time, and refuses more", async () => {
    const batches = [openBatch(), openBatch()];
    for (const batch of batches) {
      batch.write(row("held"));
      await batch.next();
    }
    const refused = await send([row("one more")]);
    expect([refused.status, refused.body.code]).toEqual([429, "RATE_LIMITED"]);
    for (const { call } of batches) call.destroy();
    expect((await send([row("one more")])).status).toBe(200);
  });
});

describe("a batch with an Idempotency-Key", () => {
  const rowsOf = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => (index === 3 ? "no row" : row(`${name}${index}`)));

  test("that is repeated gets the first answers, and enrolls nobody again", async () => {
    const rows = rowsOf("once", 250);
    const before = await countRows();
    const first = await send(rows, { "Idempotency-Key": "batch 1" });
    const again = await send(rows, { "Idempotency-Key": "batch 1" });
    expect([again.status, again.text]).toEqual([200, first.text]);
    const replayed = [first, again].map(({ headers }) => headers.get("idempotent-replayed"));
    expect(replayed).toEqual([null, "true"]);
    expect((await countRows()) - before).toBe(rows.length - 1);
  });

  test.each([
    ["one row differs", (rows: (Row | string)[]) => [...rows.slice(0, -1), row("another")]],
    ["a row is missing", (rows: (Row | string)[]) => rows.slice(0, -1)],
    ["there is a row more", (rows: (Row | string)[]) => [...rows, row("another")]],
  ])("is refused where %s, and nothing is stored", async (name, change) => {
    const rows = rowsOf("other", 8);
    await send(rows, { "Idempotency-Key": name });
    const before = await countRows();
    const other = await send(change(rows), { "Idempotency-Key": name });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    const single = await client.post("/api/v1/enrollments", row("single"), { "Idempotency-Key": name });
    expect([single.status, single.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect(await countRows()).toBe(before);
  });

  test("that broke off goes on where it was when it comes again, and is refused while it is under way", async () => {
    const rows = rowsOf("broken", 30);
    const headers = { "Idempotency-Key": "batch 3" };
    const before = await countRows();
    const broken = openBatch(headers);
    for (const one of rows.slice(0, 5)) {
      broken.write(one);
      await broken.next();
    }
    const meanwhile = await send(rows, headers);
    expect([meanwhile.status, meanwhile.body.code]).toEqual([409, "IDEMPOTENCY_KEY_IN_USE"]);
    broken.call.destroy();
    let again = await send(rows, headers);
    while (again.status === 409) again = await send(rows, headers);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(linesOf(again).map(({ index, status }) => [index, status])).toEqual(
      rows.map((_, index) => [index, index === 3 ? "REFUSED" : "ACCEPTED"]),
    );
    expect((await countRows()) - before).toBe(rows.length - 1);
  });

  test("still tells what became of its rows after its words were forgotten", async () => {
    const rows = rowsOf("words", 6);
    const first = await send(rows, { "Idempotency-Key": "batch 4" });
    await running.db.database.pool.query("UPDATE api_requests SET body = NULL");
    const again = await send(rows, { "Idempotency-Key": "batch 4" });
    const facts = (answer: ApiAnswer) => linesOf(answer).map(({ detail: _detail, ...line }) => line);
    expect(facts(again)).toEqual(facts(first));
  });
});
