import { createKey } from "#domain/keys/change-keys.js";
import { SEQUENCE_ID } from "../rig/simulator-client.js";
import { connectPortals } from "../rig/backlog.js";
import { cpuSecondsOf, databaseCpuSeconds, postmasterOf } from "../rig/cpu-time.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median, quantile } from "../report/statistics.js";
import { startLoadGenerator, type LoadGenerator } from "./load.js";

const PORTALS = Array.from({ length: 10 }, (_, index) => 4_455_601 + index);
const CONNECTIONS = 64;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Moments the slowest hundredth of the calls were answered in. */
  readonly halts: number;
  /** Microseconds of processor time a call costs the web process and the database together. */
  readonly cpu: number;
  /** The web process's part of it. */
  readonly webCpu: number;
}

interface Origin {
  readonly url: string;
  readonly pid: number;
  readonly apiKeys?: readonly string[];
}

/** `api`: single calls of the REST API, to the same process as ours. */
type Target = "ours" | "bare" | "nothing" | "api";
const TARGETS: readonly Target[] = ["bare", "ours", "api", "nothing"];

async function startBare(rig: Rig, isStoring: boolean): Promise<Origin> {
  const { databaseUrl, publicUrl, secret } = rig;
  const started = await rig.startScript({
    name: isStoring ? "bare" : "nothing",
    script: new URL("./bare-server.ts", import.meta.url),
    args: [JSON.stringify({ databaseUrl, publicUrl, secret, isStoring })],
    ready: /^listening (\S+)$/,
  });
  return { url: started.said, pid: started.pid };
}

async function startTargets(rig: Rig): Promise<Record<Target, Origin>> {
  const app = await rig.startApp({ role: "web", environment: { API_RATE_LIMIT: "100000" } });
  await connectPortals(rig.pool, PORTALS);
  await rig.pool.query(`CREATE TABLE bare_executions (LIKE executions INCLUDING ALL)`);
  const api = { ...app, apiKeys: await giveKeys(rig) };
  return { ours: app, api, bare: await startBare(rig, true), nothing: await startBare(rig, false) };
}

/** What single calls of the API need: a key for each portal, and the sequence in our copy of its directory. */
async function giveKeys({ pool }: Rig): Promise<string[]> {
  await pool.query(
    `INSERT INTO sequences (portal_id, sequence_id, name, is_listed) SELECT unnest($1::bigint[]), $2, 'Outbound', true`,
    [PORTALS, SEQUENCE_ID],
  );
  const keys: string[] = [];
  for (const portal of PORTALS) {
    const actor = { kind: "system", portalId: BigInt(portal), part: "operator" } as const;
    const draft = { name: "Bench", scopes: ["enrollments:write"] as const, expiresAt: undefined };
    const made = await createKey(pool, actor, draft);
    if (made.kind !== "created") throw new Error(`no key was made: ${made.kind}`);
    keys.push(made.key);
  }
  return keys;
}

/** Calls answered within this time of each other were held up by the same thing. */
const HALT_MS = 10;

/** A pause of the process or the disk meets every connection at once: few of them hold all that is slow. */
function haltsOf(latencies: readonly number[], answeredAt: readonly number[]): number {
  const p99 = quantile(latencies, 0.99);
  const slow = answeredAt.filter((_, index) => (latencies[index] as number) >= p99).sort((a, b) => a - b);
  return slow.filter((at, index) => index === 0 || at - (slow[index - 1] as number) > HALT_MS).length;
}

async function volley(
  rig: Rig,
  load: LoadGenerator,
  { origin, calls, label }: { origin: Origin; calls: number; label: string },
): Promise<Measured> {
  const { publicUrl, secret } = rig;
  const postmaster = await postmasterOf(rig.pool);
  const before = { web: cpuSecondsOf(origin.pid), database: databaseCpuSeconds(postmaster) };
  const { seconds, statuses, latencies, answeredAt } = await load.fire({
    publicUrl,
    secret,
    calls,
    label,
    origin: origin.url,
    connections: CONNECTIONS,
    portalIds: PORTALS,
    apiKeys: origin.apiKeys,
  });
  const webCpu = ((cpuSecondsOf(origin.pid) - before.web) * 1e6) / calls;
  const databaseCpu = ((databaseCpuSeconds(postmaster) - before.database) * 1e6) / calls;
  const taken = origin.apiKeys === undefined ? "200" : "202";
  if (statuses[taken] !== calls) throw new Error(`not every call was taken: ${JSON.stringify(statuses)}`);
  return {
    perSecond: (calls - CONNECTIONS) / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    halts: haltsOf(latencies, answeredAt),
    cpu: webCpu + databaseCpu,
    webCpu,
  };
}

/** What was answered has to be there: a fast server that forgets would win otherwise. */
async function assertStored(rig: Rig, label: string, calls: number): Promise<void> {
  const { rows } = await rig.pool.query<{ count: string }>(
    `SELECT count(*) FROM executions WHERE callback_id LIKE '%-' || $1 || '-%' OR reference LIKE $1 || '-%'`,
    [label],
  );
  if (Number(rows[0]?.count) !== calls) throw new Error(`${rows[0]?.count} of ${calls} calls are stored`);
}

function figuresOf(runs: Record<Target, Measured[]>): Figure[] {
  const figure = (
    given: Pick<Figure, "id" | "what" | "unit" | "bar"> & { own?: Target; peer: Target; of: keyof Measured },
  ): Figure => {
    const { own = "ours", peer, of, ...rest } = given;
    const each = runs[own].map((run, index) => run[of] / (runs[peer][index]?.[of] ?? Number.NaN));
    return {
      ...rest,
      area: "accept",
      ours: median(runs[own].map((run) => run[of])),
      peer: median(runs[peer].map((run) => run[of])),
      ratio: median(each),
      runs: each,
    };
  };
  return [
    figure({
      id: "accept-throughput",
      what: "stored calls against a bare handler",
      unit: "1/s",
      peer: "bare",
      of: "perSecond",
      bar: { of: "ratio", atLeast: 1.3 },
    }),
    figure({
      id: "accept-p99",
      what: "p99 against a bare handler",
      unit: "ms",
      peer: "bare",
      of: "p99",
      bar: { of: "ratio", atMost: 1 },
    }),
    figure({ id: "accept-p50", what: "p50 against a bare handler", unit: "ms", peer: "bare", of: "p50" }),
    figure({
      id: "accept-cpu",
      what: "processor time of a call against a bare handler",
      unit: "µs",
      peer: "bare",
      of: "cpu",
    }),
    figure({
      id: "accept-cpu-web",
      what: "the web process's part of it",
      unit: "µs",
      peer: "bare",
      of: "webCpu",
    }),
    figure({
      id: "accept-api",
      what: "single calls of the REST API against calls of the action",
      unit: "1/s",
      own: "api",
      peer: "ours",
      of: "perSecond",
      bar: { of: "ratio", atLeast: 0.7 },
    }),
    figure({
      id: "accept-nothing",
      what: "against a route that stores nothing",
      unit: "1/s",
      peer: "nothing",
      of: "perSecond",
    }),
  ];
}

/** The accept path against a bare handler and against one that stores nothing: volleys in turn, ratios by run. */
export async function measureAccept(options: BenchOptions): Promise<Figure[]> {
  const calls = options.isQuick ? 4_000 : 10_000;
  const rig = await startRig({ ...processOptions(options) });
  const load = await startLoadGenerator();
  try {
    const origins = await startTargets(rig);
    for (const target of TARGETS)
      await volley(rig, load, { origin: origins[target], calls: 6_000, label: `warm-${target}` });
    const runs: Record<Target, Measured[]> = { ours: [], bare: [], nothing: [], api: [] };
    for (let run = 1; run <= options.runs; run += 1) {
      // Every other run the other way run: what one leaves to the database is not always met by the same.
      for (const target of run % 2 === 0 ? [...TARGETS].reverse() : TARGETS) {
        const label = `${target}${run}`;
        const result = await volley(rig, load, { origin: origins[target], calls, label });
        runs[target].push(result);
        if (target === "ours" || target === "api") await assertStored(rig, label, calls);
        options.tell(
          `accept, run ${run}, ${target}: ${result.perSecond.toFixed(0)}/s, p50 ${result.p50.toFixed(1)} ms, p99 ${result.p99.toFixed(1)} ms in ${result.halts} halts, CPU ${result.cpu.toFixed(0)} µs (web ${result.webCpu.toFixed(0)} µs)`,
        );
      }
    }
    return figuresOf(runs);
  } finally {
    load.close();
    await rig.close();
  }
}
