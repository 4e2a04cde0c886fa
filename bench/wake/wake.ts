import { setTimeout as sleep } from "node:timers/promises";
import { acceptToClaimMs, callAction } from "../rig/arrivals.js";
import { startRig, type Rig } from "../rig/rig.js";
import { allFinished, portalIds, stockPortals, warmUp } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median, quantile } from "../report/statistics.js";

const PORTALS = portalIds(10);
/** A run's: the same number for each portal. */
const CALLS = 30;
const GAP_MS = 150;

interface Lone {
  readonly url: string;
  readonly name: string;
  readonly firstContact: number;
}

/** One call after the other, each to a portal that is at rest. @returns the p95 of each run, in ms. */
async function lone(rig: Rig, of: Lone, options: BenchOptions): Promise<number[]> {
  const target = { url: of.url, publicUrl: rig.publicUrl, secret: rig.secret };
  const p95s: number[] = [];
  for (let run = 0; run < options.runs; run += 1) {
    const label = `${of.name}${run}`;
    for (let call = 0; call < CALLS; call += 1) {
      const portalId = PORTALS[call % PORTALS.length] as number;
      const contact = of.firstContact + Math.floor((run * CALLS + call) / PORTALS.length);
      await callAction(target, { portalId, contact, label });
      await sleep(GAP_MS);
    }
    await allFinished(rig);
    const took = await acceptToClaimMs(rig.pool, label);
    p95s.push(quantile(took, 0.95));
    options.tell(
      `wake ${of.name}, run ${run + 1}: p50 ${quantile(took, 0.5).toFixed(0)} ms, p95 ${quantile(took, 0.95).toFixed(0)} ms`,
    );
  }
  return p95s;
}

function figureOf(runs: readonly number[], given: { id: string; what: string; atMost: number }): Figure {
  const { id, what, atMost } = given;
  return { area: "wake", unit: "ms", id, what, ours: median(runs), runs, bar: { of: "ours", atMost } };
}

/** How soon a lone call's portal is claimed: by the process that took the call, and by another. */
export async function measureWake(options: BenchOptions): Promise<Figure[]> {
  const each = (options.runs * CALLS) / PORTALS.length;
  const rig = await startRig({ latencyMs: 10, halts: options.halts });
  try {
    await stockPortals(rig, { portalIds: PORTALS, contacts: 2 * each + 1 });
    const worker = await rig.startApp({ role: "worker" });
    await warmUp(rig, PORTALS);
    const across = await lone(rig, { url: rig.publicUrl, name: "across", firstContact: 1 }, options);
    await rig.stop(worker);
    const all = await rig.startApp({ role: "all", name: "all" });
    await sleep(2_500);
    const within = await lone(rig, { url: all.url, name: "within", firstContact: 1 + each }, options);
    return [
      figureOf(within, { id: "wake-within", what: "p95 from accept to claim, one process", atMost: 100 }),
      figureOf(across, { id: "wake-across", what: "p95 from accept to claim, web and worker", atMost: 500 }),
    ];
  } finally {
    await rig.close();
  }
}
