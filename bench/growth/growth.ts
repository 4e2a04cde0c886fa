import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startLoadGenerator, type LoadGenerator } from "../accept/load.js";
import { addHistory } from "../rig/backlog.js";
import { databaseCpuSeconds, postmasterOf } from "../rig/cpu-time.js";
import { drainRate } from "../rig/drain-rate.js";
import { startRig, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { QUEUE } from "#platform/queue/open-boss.js";
import { median } from "../report/statistics.js";
import { copyDatabase, urlOf } from "./databases.js";

const PORTALS = portalIds(20);
const LIMIT = 1_000;
const LATENCY_MS = 10;
const SMALL = 1_000;
const LARGE = 1_000_000;
/** Finished jobs of the queue that the large side begins with: what hours without its maintenance leave. */
const FINISHED_JOBS = 100_000;

interface Side {
  readonly name: string;
  readonly url: string;
  readonly pool: pg.Pool;
}

interface Measured {
  readonly accept: number;
  readonly drain: number;
  /** The database's processor time per drained execution, in µs: does not count waiting. */
  readonly drainCpu: number;
  readonly memoryMb: number;
  /** Jobs in the queue's table after the drain, finished ones included. */
  readonly queueRows: number;
}

interface Load {
  readonly calls: number;
  readonly each: number;
  readonly from: number;
  readonly label: string;
}

/** Contacts of the accept volley are unknown to the simulated HubSpot: they are gone again before anything is drained. */
async function acceptRate(
  rig: Rig,
  load: LoadGenerator,
  { side, ...of }: Load & { side: Side },
): Promise<Measured["accept"]> {
  const web = await rig.startApp({
    role: "web",
    name: `web-${side.name}`,
    environment: { DATABASE_URL: side.url },
  });
  const volley = {
    origin: web.url,
    publicUrl: rig.publicUrl,
    secret: rig.secret,
    portalIds: PORTALS,
    connections: 64,
  };
  await load.fire({ ...volley, calls: 3_000, label: `warm${of.label}` });
  const { seconds } = await load.fire({ ...volley, calls: of.calls, label: `load${of.label}` });
  await rig.stop(web);
  await side.pool.query(`DELETE FROM executions WHERE state = 'QUEUED'`);
  return of.calls / seconds;
}

async function drain(rig: Rig, { side, ...of }: Load & { side: Side }): Promise<Omit<Measured, "accept">> {
  await side.pool.query(`UPDATE portals SET directory_synced_at = now()`);
  const worker = await rig.startApp({
    role: "worker",
    name: `worker-${side.name}`,
    environment: { DATABASE_URL: side.url },
  });
  // Its code is warm, and what an earlier owner left in the window is known, before anything is timed.
  await drainRate(side.pool, { portalIds: PORTALS, each: 10, from: of.from });
  const postmaster = await postmasterOf(side.pool);
  const before = databaseCpuSeconds(postmaster);
  const rate = await drainRate(side.pool, { portalIds: PORTALS, each: of.each, from: of.from + 10 });
  const drainCpu = ((databaseCpuSeconds(postmaster) - before) * 1e6) / (of.each * PORTALS.length);
  const memoryMb = await worker.memoryMb();
  await rig.stop(worker);
  const { rows } = await side.pool.query<{ jobs: number }>(`SELECT count(*)::int AS jobs FROM pgboss.job`);
  return { drain: rate, drainCpu, memoryMb, queueRows: rows[0]?.jobs ?? Number.NaN };
}

async function addFinishedJobs(pool: pg.Pool): Promise<void> {
  await pool.query(
    `INSERT INTO pgboss.job (name, state, singleton_key, created_on, started_on, completed_on)
     SELECT $1, 'completed', 'old-' || n, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour'
       FROM generate_series(1, $2::int) AS n`,
    [QUEUE, FINISHED_JOBS],
  );
}

async function openSides(rig: Rig, options: BenchOptions): Promise<Side[]> {
  await copyDatabase(rig, ["small", "large"]);
  const sides = ["small", "large"].map((name): Side => {
    const url = urlOf(rig, name);
    return { name, url, pool: new pg.Pool({ connectionString: url, max: 4 }) };
  });
  for (const { name, pool } of sides) {
    pool.on("error", () => undefined);
    const total = name === "small" ? SMALL : options.isQuick ? LARGE / 10 : LARGE;
    await addHistory(pool, { portalIds: PORTALS, total });
    if (name === "large") await addFinishedJobs(pool);
    options.tell(`growth: ${name} holds ${total} finished executions`);
  }
  // Else a gigabyte that was loaded a moment ago is written out while it is measured: a cost of loading, not of holding.
  await rig.pool.query(`CHECKPOINT`);
  return sides;
}

function figureOf(
  of: keyof Measured,
  measured: Record<string, Measured[]>,
  given: Pick<Figure, "id" | "what" | "unit" | "bar">,
): Figure {
  const [small = [], large = []] = [measured["small"], measured["large"]];
  const runs = large.map((run, index) => run[of] / (small[index]?.[of] ?? Number.NaN));
  return {
    area: "growth",
    ...given,
    runs,
    ratio: median(runs),
    ours: median(large.map((run) => run[of])),
    peer: median(small.map((run) => run[of])),
  };
}

/** A database that holds a million finished executions against one that holds a thousand: rates and memory. */
export async function measureGrowth(options: BenchOptions): Promise<Figure[]> {
  const [calls, each] = options.isQuick ? [4_000, 50] : [8_000, 200];
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, halts: options.halts });
  const load = await startLoadGenerator();
  let sides: Side[] = [];
  try {
    await stockPortals(rig, { portalIds: PORTALS, contacts: 1 + 2 * (each + 10) * options.runs });
    await rig.startApp({ role: "worker" });
    await warmUp(rig, PORTALS);
    await rig.stopApps();
    sides = await openSides(rig, options);
    const measured: Record<string, Measured[]> = { small: [], large: [] };
    for (let run = 0; run < options.runs; run += 1) {
      for (const [index, side] of (run % 2 === 0 ? sides : [...sides].reverse()).entries()) {
        const from = 1 + (2 * run + index) * (each + 10);
        const of = { calls, each, from, label: `${side.name}${run}`, side };
        const accept = await acceptRate(rig, load, of);
        const result = { accept, ...(await drain(rig, of)) };
        measured[side.name]?.push(result);
        options.tell(
          `growth, run ${run + 1}, ${side.name}: accept ${result.accept.toFixed(0)}/s, drain ${result.drain.toFixed(0)}/s (database ${result.drainCpu.toFixed(0)} µs each), ` +
            `worker ${result.memoryMb.toFixed(0)} MiB, queue ${result.queueRows} rows`,
        );
        await sleep(1_000);
      }
    }
    const atLeast = { bar: { of: "ratio" as const, atLeast: 0.9 } };
    return [
      figureOf("accept", measured, {
        id: "growth-accept",
        what: "accept at 1,000,000 stored over 1,000",
        unit: "1/s",
        ...atLeast,
      }),
      figureOf("drain", measured, {
        id: "growth-drain",
        what: "drain at 1,000,000 stored over 1,000",
        unit: "1/s",
        ...atLeast,
      }),
      figureOf("drainCpu", measured, {
        id: "growth-drain-cpu",
        unit: "µs",
        what: "the database's processor time per drained execution, likewise",
      }),
      figureOf("memoryMb", measured, {
        id: "growth-memory",
        what: "worker's memory at 1,000,000 stored over 1,000",
        unit: "MiB",
        bar: { of: "ratio", atMost: 1.1 },
      }),
      figureOf("queueRows", measured, {
        id: "growth-queue",
        unit: "rows",
        what: `the queue's table after a drain, begun with ${FINISHED_JOBS} finished jobs over none`,
        bar: { of: "ours", atMost: 10_000 },
      }),
    ];
  } finally {
    load.close();
    for (const { pool } of sides) await pool.end();
    await rig.close();
  }
}
