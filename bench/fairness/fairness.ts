import { setTimeout as sleep } from "node:timers/promises";
import { acceptToEnrollMs, callAction } from "../rig/arrivals.js";
import { addBacklog } from "../rig/backlog.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import { allFinished, portalIds, stockPortals, warmUp } from "../rig/stock.js";
import { ENDPOINTS } from "../../src/simulator/world/faults.js";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median, quantile } from "../report/statistics.js";

const LATENCY_MS = 50;
const SMALL_PORTALS = 20;
const BACKLOG = 100_000;
/** Calls to each small portal in a run, one call a gap: some fifteen seconds. */
const CALLS_EACH = 6;
const GAP_MS = 125;
const SETTLE_MS = 3_000;
/** What each busy portal is given in a run: its budget takes more than two windows for it, longer than the calls last. */
const BUSY_EACH = 260;
/** Portals for which HubSpot hangs, and what each of them is given: more than a few places at the gate, far less than it asks for. */
const HUNG = { half: SMALL_PORTALS, region: 300, each: 100 };
/** Contacts of the portal with the one backlog that are reached in a run; the rest of its backlog only waits. */
const REACHED = 300;

interface Setting {
  /** Portals with a backlog of their own besides the small ones. */
  readonly busy: number;
  readonly id: string;
  readonly what: string;
}

/** @returns ms from accept to enrollment of one call a gap, to each small portal in turn. */
async function trickle(rig: Rig, small: readonly number[], run: number): Promise<number[]> {
  const target = { url: rig.publicUrl, publicUrl: rig.publicUrl, secret: rig.secret };
  const label = `small${run}`;
  const calls = CALLS_EACH * small.length;
  for (let call = 0; call < calls; call += 1) {
    const portalId = small[call % small.length] as number;
    const contact = 1 + run * CALLS_EACH + Math.floor(call / small.length);
    await callAction(target, { portalId, contact, label });
    await sleep(GAP_MS);
  }
  await sleep(SETTLE_MS);
  const took = await acceptToEnrollMs(rig.pool, label);
  const late = Array.from({ length: calls - took.length }, () => Number.POSITIVE_INFINITY);
  return [...took, ...late];
}

function summary(took: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(took, share).toFixed(0));
  return `p50 ${p50} ms, p99 ${p99} ms, longest ${Math.max(...took).toFixed(0)} ms`;
}

function figure({ id, what }: Pick<Setting, "id" | "what">, p99s: readonly number[]): Figure {
  const bar = { of: "ours" as const, atMost: 3 };
  return { id, what, area: "fairness", unit: "s", ours: median(p99s), runs: p99s, bar };
}

/** One backlog that outlasts all runs; or one for each of many portals and run, so that each run begins with a burst. */
async function measureSetting({ busy, id, what }: Setting, options: BenchOptions): Promise<Figure[]> {
  const rig = await startRig({ latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const ids = portalIds(busy + SMALL_PORTALS);
    const [small, big] = [ids.slice(0, SMALL_PORTALS), ids.slice(SMALL_PORTALS)];
    const contacts = 1 + options.runs * (busy === 1 ? REACHED : BUSY_EACH);
    await stockPortals(
      rig,
      { portalIds: small, contacts: 1 + options.runs * CALLS_EACH },
      { portalIds: big, contacts },
    );
    await rig.startApp({ role: "worker", name: "worker" });
    await warmUp(rig, ids);
    if (busy === 1) await addBacklog(rig.pool, { portalIds: big, each: BACKLOG, from: 1 });
    const p99s: number[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      if (busy > 1)
        await addBacklog(rig.pool, { portalIds: big, each: BUSY_EACH, from: 1 + run * BUSY_EACH });
      const took = await trickle(rig, small, run);
      p99s.push(quantile(took, 0.99) / 1_000);
      options.tell(`fairness, ${busy} busy, run ${run + 1}: ${summary(took)}`);
      if (busy > 1) await allFinished(rig);
    }
    return [figure({ id, what }, p99s)];
  } finally {
    await rig.close();
  }
}

/** How soon a small portal's contact is enrolled beside one backlog of 100,000, one worker process serving all. */
export function measureFairnessOne(options: BenchOptions): Promise<Figure[]> {
  const what = "small portals' p99, accept to enroll, beside a backlog of 100,000";
  return measureSetting({ busy: 1, id: "fairness-one", what }, options);
}

/** The same where portals with a backlog are many: their work wants all that one worker process can do, and more. */
export function measureFairnessMany(options: BenchOptions): Promise<Figure[]> {
  const busy = options.isQuick ? 20 : 120;
  const what = `the same beside ${busy} portals with a backlog each`;
  return measureSetting({ busy, id: "fairness-many", what }, options);
}

/**
 * The same while HubSpot does not answer for as many portals, each with a backlog. Run once, however many runs are asked
 * for: it is the first timeouts that could hold up others, before the circuits open.
 */
async function measureHung({ busy, id, what }: Setting, options: BenchOptions): Promise<Figure> {
  const rig = await startRig({ latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const ids = portalIds(SMALL_PORTALS + busy);
    const [healthy, hung] = [ids.slice(0, SMALL_PORTALS), ids.slice(SMALL_PORTALS)];
    await stockPortals(
      rig,
      { portalIds: healthy, contacts: 1 + CALLS_EACH },
      { portalIds: hung, contacts: 1 + HUNG.each },
    );
    await rig.startApp({ role: "worker", name: "worker" });
    await warmUp(rig, ids);
    for (const portalId of hung)
      await rig.simulator.hang(
        portalId,
        ENDPOINTS.filter((endpoint) => endpoint !== "token"),
      );
    await addBacklog(rig.pool, { portalIds: hung, each: HUNG.each, from: 1 });
    const took = await trickle(rig, healthy, 0);
    options.tell(`fairness, ${hung.length} hung: ${summary(took)}`);
    return figure({ id, what }, [quantile(took, 0.99) / 1_000]);
  } finally {
    await rig.close();
  }
}

const hungSetting = (id: string, busy: number): Setting => ({
  id,
  busy,
  what: `the same while HubSpot hangs for ${busy} portals with a backlog each`,
});

/** A half of all portals hangs. */
export async function measureFairnessHung(options: BenchOptions): Promise<Figure[]> {
  return [await measureHung(hungSetting("fairness-hung", HUNG.half), options)];
}

/** A whole region hangs, fifteen portals for each that does not. There is no bar: the others are late, and none is lost. */
export async function measureFairnessRegion(options: BenchOptions): Promise<Figure[]> {
  const busy = options.isQuick ? HUNG.half : HUNG.region;
  const { bar: _bar, ...told } = await measureHung(hungSetting("fairness-region", busy), options);
  return [told];
}
