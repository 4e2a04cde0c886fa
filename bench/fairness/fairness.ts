import { setTimeout as sleep } from "node:timers/promises";
import { acceptToEnrollMs, callAction } from "../rig/arrivals.js";
import { addBacklog } from "../rig/backlog.js";
import { startRig, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median, quantile } from "../report/statistics.js";

const LATENCY_MS = 50;
const SMALL_PORTALS = 20;
const BACKLOG = 100_000;
/** The contacts of the big portal that are reached while it is measured; the rest of its backlog only waits. */
const REACHED = 3_000;
const SETTLE_MS = 3_000;
const GAP_MS = 250;

interface Setting {
  /** Portals with a backlog of their own besides the small ones. */
  readonly busy: number;
  readonly id: string;
  readonly what: string;
}

/** One call a gap, to each small portal in turn; every one alone must be enrolled soon. */
async function trickle(
  rig: Rig,
  small: readonly number[],
  { calls, label }: { calls: number; label: string },
) {
  const target = { url: rig.publicUrl, publicUrl: rig.publicUrl, secret: rig.secret };
  for (let call = 0; call < calls; call += 1) {
    const portalId = small[call % small.length] as number;
    const contact = 1 + Math.floor(call / small.length);
    await callAction(target, { portalId, contact, label });
    await sleep(GAP_MS);
  }
  await sleep(SETTLE_MS);
  return acceptToEnrollMs(rig.pool, label);
}

async function measureSetting({ busy, id, what }: Setting, options: BenchOptions): Promise<Figure> {
  const calls = (options.isQuick ? 2 : 8) * SMALL_PORTALS;
  const rig = await startRig({ latencyMs: LATENCY_MS, profileDir: options.profileDir });
  try {
    const ids = portalIds(busy + SMALL_PORTALS);
    const [small, big] = [ids.slice(0, SMALL_PORTALS), ids.slice(SMALL_PORTALS)];
    await stockPortals(rig, { portalIds: ids, contacts: busy === 1 ? REACHED : 400 });
    await rig.startApp({ role: "worker", name: "worker" });
    await warmUp(rig, ids);
    await addBacklog(rig.pool, { portalIds: big, each: Math.ceil(BACKLOG / busy), from: 1 });
    await rig.pool.query(`ANALYZE executions`);
    await sleep(SETTLE_MS);
    const took = await trickle(rig, small, { calls, label: "small" });
    if (took.length < calls)
      options.tell(`fairness: ${calls - took.length} of ${calls} were not enrolled in time`);
    options.tell(
      `fairness, ${busy} busy: p50 ${quantile(took, 0.5).toFixed(0)} ms, p99 ${quantile(took, 0.99).toFixed(0)} ms, ` +
        `longest ${Math.max(...took).toFixed(0)} ms`,
    );
    const late = took.length < calls ? Number.POSITIVE_INFINITY : quantile(took, 0.99);
    return {
      ...{ id, what, area: "fairness", unit: "s" },
      ours: median([late]) / 1_000,
      bar: { of: "ours", atMost: 3 },
    };
  } finally {
    await rig.close();
  }
}

/** How soon a small portal's contact is enrolled while others have backlogs, one worker process serving all. */
export async function measureFairness(options: BenchOptions): Promise<Figure[]> {
  const settings: Setting[] = [
    {
      busy: 1,
      id: "fairness-one",
      what: "small portals' p99, accept to enroll, beside a backlog of 100,000",
    },
    { busy: 120, id: "fairness-many", what: "the same beside 120 portals with a backlog, one worker" },
  ];
  const figures: Figure[] = [];
  for (const setting of options.isQuick ? settings.slice(0, 1) : settings) {
    figures.push(await measureSetting(setting, options));
  }
  return figures;
}
