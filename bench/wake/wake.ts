import { setTimeout as sleep } from "node:timers/promises";
import { acceptToClaimMs, callAction } from "../rig/arrivals.js";
import { startRig, type Rig } from "../rig/rig.js";
import { allFinished, portalIds, stockPortals, warmUp } from "../rig/stock.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { quantile } from "../report/statistics.js";

const PORTALS = portalIds(10);
const GAP_MS = 150;

interface Lone {
  readonly calls: number;
  readonly label: string;
  readonly firstContact: number;
}

/** One call after the other, each to a portal that is at rest. */
async function lone(rig: Rig, url: string, { calls, label, firstContact }: Lone): Promise<number[]> {
  const target = { url, publicUrl: rig.publicUrl, secret: rig.secret };
  for (let call = 0; call < calls; call += 1) {
    const portalId = PORTALS[call % PORTALS.length] as number;
    await callAction(target, { portalId, contact: firstContact + Math.floor(call / PORTALS.length), label });
    await sleep(GAP_MS);
  }
  await allFinished(rig);
  return acceptToClaimMs(rig.pool, label);
}

function figureOf(took: readonly number[], given: { id: string; what: string; atMost: number }): Figure {
  const { id, what, atMost } = given;
  return { area: "wake", unit: "ms", id, what, ours: quantile(took, 0.95), bar: { of: "ours", atMost } };
}

/** How soon a lone call's portal is claimed: by the process that took the call, and by another. */
export async function measureWake(options: BenchOptions): Promise<Figure[]> {
  const calls = options.isQuick ? 20 : 100;
  const rig = await startRig({ latencyMs: 10 });
  try {
    await stockPortals(rig, { portalIds: PORTALS, contacts: 2 * calls + 2 });
    const worker = await rig.startApp({ role: "worker" });
    await warmUp(rig, PORTALS);
    const across = await lone(rig, rig.publicUrl, { calls, label: "across", firstContact: 1 });
    await rig.stop(worker);
    const all = await rig.startApp({ role: "all", name: "all" });
    await sleep(2_500);
    const within = await lone(rig, all.url, { calls, label: "within", firstContact: calls + 1 });
    for (const [name, took] of Object.entries({ across, within }))
      options.tell(
        `wake ${name}: p50 ${quantile(took, 0.5).toFixed(0)} ms, p95 ${quantile(took, 0.95).toFixed(0)} ms`,
      );
    return [
      figureOf(within, { id: "wake-within", what: "p95 from accept to claim, one process", atMost: 100 }),
      figureOf(across, { id: "wake-across", what: "p95 from accept to claim, web and worker", atMost: 500 }),
    ];
  } finally {
    await rig.close();
  }
}
