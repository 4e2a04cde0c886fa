import { setTimeout as sleep } from "node:timers/promises";
import { addBacklog, addOpenEnrollments } from "../rig/backlog.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import type { PortalTraffic } from "../rig/simulator-client.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";

const LIMIT = 110;
const WINDOW_MS = 10_000;
/** As HubSpot's own answers take. */
const LATENCY_MS = 100;
const LOOK_MS = 20;
const [PORTAL = 0] = portalIds(1);

interface Drained {
  readonly share: number;
  readonly callsPerEnrollment: number;
  readonly throttled: number;
  readonly peak: number;
  /** "106 enroll, 1 callbacks": tells what the budget went into. */
  readonly calls: string;
}

/** The traffic as it is at one instant of the performance clock. */
async function trafficAt(rig: Rig, instant: number): Promise<PortalTraffic> {
  await sleep(Math.max(0, instant - performance.now()));
  return rig.simulator.traffic(PORTAL);
}

/**
 * Begins a backlog that does not end before the measurement does. A full window is sent in a burst once a window, so
 * counting begins in the middle between two bursts: there is at most one burst more or less than there should be.
 *
 * @returns the instant at which counting begins.
 */
async function beginBacklog(rig: Rig, size: number): Promise<number> {
  const before = await rig.simulator.traffic(PORTAL);
  await addBacklog(rig.pool, { portalIds: [PORTAL], each: size, from: 1 });
  while ((await rig.simulator.traffic(PORTAL)).counted === before.counted) await sleep(LOOK_MS);
  return performance.now() + WINDOW_MS / 2;
}

/** What happened in a window. */
function between(begin: PortalTraffic, end: PortalTraffic): Drained {
  return {
    share: (end.counted - begin.counted) / LIMIT,
    callsPerEnrollment: (end.counted - begin.counted) / (end.enrollments - begin.enrollments),
    throttled: end.throttled,
    peak: end.peakInWindow,
    calls: Object.entries(end.byEndpoint)
      .map(([endpoint, count]) => ({ endpoint, count: count - (begin.byEndpoint[endpoint] ?? 0) }))
      .filter(({ count }) => count > 0)
      .map(({ endpoint, count }) => `${count} ${endpoint}`)
      .join(", "),
  };
}

/** What is measured: how it is called, and what an enrollment may cost at most. */
interface Setting {
  readonly id: string;
  readonly name: string;
  readonly mostCalls: number;
}

function figuresOf({ id, name, mostCalls }: Setting, runs: readonly Drained[]): Figure[] {
  const shares = runs.map(({ share }) => share);
  return [
    {
      id: `drain-share-${id}`,
      area: "drain",
      what: `share of the budget used, ${name}`,
      unit: `of ${LIMIT} per 10 s`,
      ours: median(shares) * LIMIT,
      peer: LIMIT,
      ratio: median(shares),
      runs: shares,
      bar: { of: "ratio", atLeast: 0.95 },
    },
    {
      id: `drain-cost-${id}`,
      area: "drain",
      what: `calls per enrollment, ${name}`,
      unit: "calls",
      ours: median(runs.map(({ callsPerEnrollment }) => callsPerEnrollment)),
      runs: runs.map(({ callsPerEnrollment }) => callsPerEnrollment),
      bar: { of: "ours", atMost: mostCalls },
    },
    {
      id: `drain-429-${id}`,
      area: "drain",
      what: `429s caused by us, ${name} (peak ${Math.max(...runs.map(({ peak }) => peak))})`,
      unit: "answers",
      ours: Math.max(...runs.map(({ throttled }) => throttled)),
      bar: { of: "ours", atMost: 0 },
    },
  ];
}

/** How much of one portal's budget is used while a backlog exists, by this many worker processes. */
export async function measureDrain(workers: number, options: BenchOptions): Promise<Figure[]> {
  const name = `${workers} ${workers === 1 ? "worker" : "workers"}`;
  return measure({ id: String(workers), name, mostCalls: 1.02 }, { workers, options });
}

/** Open enrollments of which a look is due. */
const OPEN = 100_000;
/** Beside a backlog, looks may take a hundredth of the budget, and reading workflows a twentieth. */
const MOST_CALLS_AROUND = 1.02 + 0.06;

/** The same while looks at {@link OPEN} enrollments are due, and the account's workflows are to be read in each window. */
export async function measureDrainAround(options: BenchOptions): Promise<Figure[]> {
  const setting = {
    id: "around",
    name: `${OPEN.toLocaleString("en-US")} looks due, workflows read`,
    mostCalls: MOST_CALLS_AROUND,
  };
  return measure(setting, { workers: 1, options, around: { open: OPEN } });
}

interface Measurement {
  readonly workers: number;
  readonly options: BenchOptions;
  readonly around?: { readonly open: number };
}

async function measure(
  setting: Setting,
  { workers, options, around = { open: 0 } }: Measurement,
): Promise<Figure[]> {
  const size = (options.runs + 3) * LIMIT;
  const rig = await startRig({ rateLimit: LIMIT, latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    await stockPortals(rig, { portalIds: [PORTAL], contacts: size + 1 + around.open });
    await Promise.all(
      Array.from({ length: workers }, (_, index) =>
        rig.startApp({ role: "worker", name: `worker-${index + 1}` }),
      ),
    );
    await warmUp(rig, [PORTAL]);
    if (around.open > 0) await addOpenEnrollments(rig.pool, PORTAL, { from: size + 1, count: around.open });
    const beginsAt = await beginBacklog(rig, size);
    const runs: Drained[] = [];
    let begin = await trafficAt(rig, beginsAt);
    for (let run = 1; run <= options.runs; run += 1) {
      if (around.open > 0) await askForFlows(rig);
      const end = await trafficAt(rig, beginsAt + run * WINDOW_MS);
      const drained = between(begin, end);
      begin = end;
      runs.push(drained);
      options.tell(
        `drain, ${setting.name}, run ${run}: ${(drained.share * 100).toFixed(1)} % of the budget, ` +
          `${drained.callsPerEnrollment.toFixed(4)} calls per enrollment (${drained.calls}), ` +
          `${drained.throttled} times 429, peak ${drained.peak}`,
      );
    }
    return figuresOf(setting, runs);
  } finally {
    await rig.close();
  }
}

/** As the button “Look again” does. */
async function askForFlows(rig: Rig): Promise<void> {
  await rig.pool.query(`UPDATE portals SET flows_requested_at = now() WHERE portal_id = $1`, [PORTAL]);
}
