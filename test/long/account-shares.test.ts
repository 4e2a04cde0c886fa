import { request as open } from "node:http";
import type { Socket } from "node:net";
import type { PoolClient } from "pg";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { readReport } from "#domain/history/report.js";
import type { Browser } from "../../src/bin/oauth-browser.js";
import { ENROLL_ROUTE } from "#domain/contract/actions/enroll-contract.js";
import type { SimulatedPortal } from "../../src/simulator/portal.js";
import { watchHalts } from "../support/longest-halt.js";
import { addPlainPortal, startRunningApp, type RunningApp } from "../support/start-app.js";

const EXECUTIONS = 100_000;
/** More lines than any page or file shows. */
const WORKFLOWS = 20_000;
const LONGEST_HALT_MS = 100;
/** Somebody else's page and call, on a machine that others use too. */
const NEIGHBOR_MS = 1_000;
/** A busy machine halts one of them now and then, a page that is too slow all. */
const ROUNDS = 7;
const REPORT = "/settings/reports.csv?by=workflow&range=90d";

let running: RunningApp;
let busy: SimulatedPortal;
let neighbor: SimulatedPortal;
let busyCookie: string;
let neighborBrowser: Browser;
let holder: PoolClient | undefined;

beforeAll(async () => {
  running = await startRunningApp({ environment: { ROLE: "web" } });
  [busy, neighbor] = [0, 1].map(() => addPlainPortal(running.simulator, { contacts: 1 })) as [
    SimulatedPortal,
    SimulatedPortal,
  ];
  busyCookie = (await running.install(busy)).cookies();
  neighborBrowser = await running.install(neighbor);
  await running.db.database.pool.query(
    `INSERT INTO executions (portal_id, callback_id, kind, state, accepted_at, due_at, deadline_at, contact_id, contact_email, workflow_id,
            sequence_id, request, enrollment_status, decided_at, completed_at, enrolled_at)
     SELECT $1, 'ap-share-' || n, 'ENROLL', 'COMPLETED', at, at, at, n::text, 'contact-' || n || '@busy.example', (n % $3)::text,
            (n % 400)::text, '{}', 'ENROLLED', at + took, at + took, at + took
       FROM generate_series(1, $2::int) AS n, LATERAL (SELECT now() - n * interval '1 minute' AS at,
            (n * 7919 % 1200000) * interval '1 ms' AS took) AS moment`,
    [busy.portalId, EXECUTIONS, WORKFLOWS],
  );
  await running.db.database.pool.query("ANALYZE executions");
});

afterEach(async () => {
  await holder?.query("ROLLBACK");
  holder?.release();
  holder = undefined;
});

afterAll(() => running.close());

const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(running.publicUrl + path, { ...init, headers: { cookie: busyCookie, accept: "text/html" } });

async function enroll(callbackId: string): Promise<number> {
  const url = running.publicUrl + ENROLL_ROUTE;
  const body = JSON.stringify({
    callbackId,
    origin: { portalId: neighbor.portalId },
    object: { objectId: Number([...neighbor.contacts.keys()][0]) },
    inputFields: { sequence_id: [...neighbor.sequences.keys()][0], sender_mode: "contact_owner" },
  });
  const headers = running.simulator.sign({ method: "POST", url, body });
  return (await fetch(url, { method: "POST", headers, body })).status;
}

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Infinity;

async function timed(work: () => Promise<number>): Promise<number> {
  const from = performance.now();
  expect(await work()).toBe(200);
  return performance.now() - from;
}

/** Statements of the site that the server works on, or that wait there for a lock. */
async function siteStatements(): Promise<number> {
  const { rows } = await running.db.database.pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'sequence-enroller-site' AND state = 'active'`,
  );
  return rows[0]?.count ?? 0;
}

async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  for (const endsAt = Date.now() + withinMs; Date.now() < endsAt;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await isSo()).toBe(true);
}

/** Whatever reads executions waits from now on, until the test is over. */
async function holdExecutions(): Promise<void> {
  holder = await running.db.database.pool.connect();
  await holder.query("BEGIN; LOCK TABLE executions IN ACCESS EXCLUSIVE MODE");
}

/** Asks for the same again and again, eight times at once, until it is told to stop. */
function hammer(): { statuses: Set<number>; stop: () => Promise<void> } {
  const over = new AbortController();
  const statuses = new Set<number>();
  const paths = [REPORT, "/settings/activity/export.csv", "/settings/activity?q=@nowhere.example", REPORT];
  const loops = [...paths, ...paths].map(async (path) => {
    while (!over.signal.aborted) {
      const answer = await ask(path, { signal: over.signal });
      statuses.add(answer.status);
      await answer.text();
    }
  });
  return {
    statuses,
    stop: async () => {
      over.abort();
      await Promise.allSettled(loops);
    },
  };
}

test("one account that hammers reports, exports and searches keeps nobody else waiting, and never the process", async () => {
  const neighbors = {
    accept: async (round: number) => enroll(`ap-share-${round}`),
    health: async () => (await fetch(`${running.publicUrl}/healthz`)).status,
    page: async () => (await neighborBrowser.open(`${running.publicUrl}/settings`)).status,
  };
  for (const work of Object.values(neighbors)) await timed(() => work(-1));
  for (const path of [REPORT, "/settings/activity?q=a"]) await (await ask(path)).text();
  const { statuses, stop } = hammer();
  const haltsMs: number[] = [];
  const tookMs = { accept: [] as number[], health: [] as number[], page: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const halts = watchHalts();
    for (const name of ["accept", "health", "page"] as const)
      tookMs[name].push(await timed(() => neighbors[name](round)));
    haltsMs.push(halts());
  }
  await stop();
  for (const took of Object.values(tookMs)) expect(median(took)).toBeLessThan(NEIGHBOR_MS);
  expect(median(haltsMs)).toBeLessThanOrEqual(LONGEST_HALT_MS);
  expect([...statuses].filter((status) => status !== 200 && status !== 429)).toEqual([]);
});

test("an account's third request waits for its turn, and gets 429 and when to come again; another account's is answered", async () => {
  await holdExecutions();
  const pages = Array.from({ length: 25 }, () => ask("/settings/activity"));
  const answers = await Promise.all([...pages]);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThanOrEqual(20);
  expect(refused.every(({ headers }) => Number(headers.get("retry-after")) > 0)).toBe(true);
  expect(await refused[0]?.text()).toContain("Your account has several pages open at once");
  const access = await neighborBrowser.open(`${running.publicUrl}/settings/access`);
  expect(access.status).toBe(200);
});

test("a second file of the same account is refused while the first one is being made", async () => {
  await holdExecutions();
  const gone = new AbortController();
  const first = ask(REPORT, { signal: gone.signal }).catch(() => undefined);
  await until(async () => (await siteStatements()) === 1, 10_000);
  expect((await ask("/settings/activity/export.csv")).status).toBe(429);
  expect((await ask("/settings/access")).status).toBe(200);
  gone.abort();
  await first;
});

test("what ran for a browser that is gone is ended at the server, and the next page is answered", async () => {
  await holdExecutions();
  const loggedBefore = running.logLines.length;
  const gone = new AbortController();
  const page = ask("/settings/reports", { signal: gone.signal }).catch(() => undefined);
  await until(async () => (await siteStatements()) === 1, 10_000);
  gone.abort();
  await page;
  await until(async () => (await siteStatements()) === 0, 1_000);
  await holder?.query("ROLLBACK");
  for (let again = 0; again < 10; again += 1) expect((await ask("/settings/reports")).status).toBe(200);
  expect(running.logLines.slice(loggedBefore).filter(({ msg }) => msg === "request failed")).toEqual([]);
});

test("a report of more than is counted at once is of the newest, and says since when", async () => {
  const since = new Date(Date.now() - 90 * 86_400_000);
  const request = { group: "sequence", since, limit: 10, mostCounted: 1_000 } as const;
  const report = await readReport(running.db.database, BigInt(busy.portalId), request);
  expect(report.total.enrolled).toBeLessThanOrEqual(1_001);
  expect(report.total.enrolled).toBeGreaterThan(900);
  expect(report.since.getTime()).toBeGreaterThan(since.getTime());
});

test("a reader who takes nothing of a file keeps no connection to the database", async () => {
  const socket = await new Promise<Socket>((resolve) => {
    const request = open(`${running.publicUrl}/settings/activity/export.csv`, {
      headers: { cookie: busyCookie },
    });
    request.on("error", () => undefined);
    request.on("response", (response) => {
      response.pause();
      resolve(response.socket);
    });
    request.end();
  });
  await until(async () => (await siteStatements()) === 0, 5_000);
  const { rows } = await running.db.database.pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'sequence-enroller-site' AND state LIKE 'idle in%'`,
  );
  expect(rows[0]?.count).toBe(0);
  socket.destroy();
});
