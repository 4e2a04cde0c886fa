import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openDatabase, type Database } from "#platform/db/client.js";
import type { AppProcess } from "../../bench/chaos/app-process.js";
import { giveKey } from "../support/api-client.js";
import { startProcessStage, type ProcessStage } from "../support/process-stage.js";

const ROWS = 50_000;
/** What the batch may add, and all that the process may have meanwhile: its code and libraries are the larger part. */
const MOST_GROWTH_MB = 75;
const MOST_MEMORY_MB = 215;

let stage: ProcessStage;
let database: Database;
let key: string;
let sequenceId: string;
const web = (): AppProcess => stage.webs[0] as AppProcess;

/** No worker: what is measured is the process that accepts. */
beforeAll(async () => {
  stage = await startProcessStage({ contacts: 1, webs: 1, workers: 0 });
  const { portal } = stage.cast;
  database = openDatabase({ url: stage.database.url, applicationName: "large-batches", poolSize: 2 });
  key = await giveKey(database, portal.portalId);
  sequenceId = [...portal.sequences.keys()][0] ?? "";
  await database.prisma.sequence.createMany({
    data: [{ portalId: BigInt(portal.portalId), sequenceId, name: "Inbound", isListed: true }],
    skipDuplicates: true,
  });
}, 120_000);

afterAll(async () => {
  await database.close();
  await stage.close({ graceMs: 0 });
});

const rowOf = (index: number): string =>
  `${JSON.stringify({ contact: { email: `person-${index}@lead.example` }, sequence: { id: sequenceId }, reference: `row-${index}` })}\n`;

/** Lets the kernel forget what the process had at its start, when its libraries were compiled. */
const forgetMostMemory = ({ pid }: AppProcess): void => writeFileSync(`/proc/${pid}/clear_refs`, "5");

/** Megabytes of memory that the process has, and the most since {@link forgetMostMemory}. */
function memoryOf({ pid }: AppProcess): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return { now: read("VmRSS"), most: read("VmHWM") };
}

interface Line {
  readonly index: number;
  readonly status: string;
  readonly id?: string;
}

/** Sends rows as fast as they are taken, and calls `onLine` with each answer. @returns the status of the answer. */
async function sendRows(
  { from = 0, to = ROWS, headers = {} }: { from?: number; to?: number; headers?: Record<string, string> },
  onLine: (line: Line) => void,
): Promise<number> {
  const call = request(`${stage.publicUrl}/api/v1/enrollments/batch`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/x-ndjson", ...headers },
  });
  // A connection that breaks is no fault here: events.once() would reject for its error.
  call.on("error", () => undefined);
  const isOver = new Promise<undefined>((resolve) => {
    call.once("close", () => {
      resolve(undefined);
    });
  });
  const answered = new Promise<IncomingMessage>((resolve) => call.once("response", resolve));
  const reading = Promise.race([answered, isOver]).then(async (response) => {
    if (response === undefined) return 0;
    response.on("error", () => undefined);
    const lines = createInterface({ input: response });
    // Of a connection that breaks there is no end, and readline waits for one.
    response.once("close", () => {
      lines.close();
    });
    for await (const line of lines) if (response.statusCode === 200) onLine(JSON.parse(line) as Line);
    return response.statusCode ?? 0;
  });
  for (let index = from; index < to && !call.destroyed; index += 1)
    if (!call.write(rowOf(index)))
      await Promise.race([new Promise((resolve) => call.once("drain", resolve)), isOver]);
  call.end();
  return reading;
}

async function references(): Promise<{ rows: number; distinct: number }> {
  const { rows } = await database.pool.query<{ rows: number; distinct: number }>(
    "SELECT count(*)::int AS rows, count(DISTINCT reference)::int AS distinct FROM executions",
  );
  return rows[0] ?? { rows: 0, distinct: 0 };
}

test("50,000 rows are accepted in one request and in flat memory, each answered in order", async () => {
  forgetMostMemory(web());
  const before = memoryOf(web()).now;
  let next = 0;
  let accepted = 0;
  const startedAt = performance.now();
  const status = await sendRows({}, ({ index, status: became }) => {
    expect(index).toBe(next);
    next += 1;
    accepted += became === "ACCEPTED" ? 1 : 0;
  });
  const tookS = (performance.now() - startedAt) / 1_000;
  const { most } = memoryOf(web());
  process.stdout.write(
    `${ROWS} rows in ${tookS.toFixed(1)} s; memory ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most\n`,
  );
  expect([status, next, accepted]).toEqual([200, ROWS, ROWS]);
  expect(most - before).toBeLessThan(MOST_GROWTH_MB);
  expect(most).toBeLessThan(MOST_MEMORY_MB);
  expect(await references()).toEqual({ rows: ROWS, distinct: ROWS });
}, 300_000);

test("rows of a batch are told from the account's other ones without reading those, also by a new database", async () => {
  const readRows = async (): Promise<number> => {
    // What a session counts is told when it is idle for a second.
    await sleep(1_500);
    const { rows } = await database.pool.query<{ read: number }>(
      "SELECT sum(idx_tup_read)::float8 AS read FROM pg_stat_user_indexes WHERE relname = 'executions'",
    );
    return rows[0]?.read ?? 0;
  };
  expect(await readRows()).toBeLessThan(20 * ROWS);
}, 30_000);

test("a batch whose process is killed in the middle is finished by sending it again, each row handled once", async () => {
  const headers = { "Idempotency-Key": "killed" };
  const [from, to] = [ROWS, ROWS + 5_000];
  const first = new Map<number, string | undefined>();
  let ended: Promise<unknown> | undefined;
  const broken = sendRows({ from, to, headers }, ({ index, id }) => {
    first.set(index, id);
    if (first.size !== 1_000) return;
    ended = web().ended();
    web().signal("SIGKILL");
  });
  await broken.catch(() => 0);
  await ended;
  expect(first.size).toBeGreaterThanOrEqual(1_000);
  await web().start();
  const second = new Map<number, string | undefined>();
  const again = () => sendRows({ from, to, headers }, ({ index, id }) => void second.set(index, id));
  let status = await again();
  while (status !== 200) {
    await sleep(2_000);
    status = await again();
  }
  expect(second.size).toBe(to - from);
  for (const [index, id] of first) expect([index, second.get(index)]).toEqual([index, id]);
  expect(await references()).toEqual({ rows: to, distinct: to });
}, 180_000);

test("a batch that is sent slowly is taken beyond the time of other requests, and one that stalls is ended with a word", async () => {
  const call = request(`${stage.publicUrl}/api/v1/enrollments/batch`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/x-ndjson" },
  });
  call.on("error", () => undefined);
  const answered = once(call, "response") as Promise<[IncomingMessage]>;
  for (let round = 0; round < 10; round += 1) {
    call.write(rowOf(200_000 + round));
    await sleep(2_000);
  }
  const [response] = await answered;
  const lines: (Line & { detail?: string })[] = [];
  for await (const line of createInterface({ input: response })) lines.push(JSON.parse(line) as Line);
  expect(lines.slice(0, -1).map(({ status }) => status)).toEqual(Array(10).fill("ACCEPTED"));
  expect(lines.at(-1)).toMatchObject({
    index: 10,
    status: "REFUSED",
    detail: expect.stringMatching(/Nothing was sent/),
  });
  const upload = request(`${stage.publicUrl}/api/v1/enrollments`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "Content-Length": "100" },
  });
  const startedAt = performance.now();
  upload.on("error", () => undefined);
  upload.write("{");
  await once(upload, "close");
  expect(performance.now() - startedAt).toBeLessThan(20_000);
}, 90_000);
