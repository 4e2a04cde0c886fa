import { setTimeout as sleep } from "node:timers/promises";
import type { BenchOptions } from "../options.js";
import type { Figure } from "../report/figures.js";
import { median } from "../report/statistics.js";
import { addBacklog } from "../rig/backlog.js";
import { processOptions, startRig, type Rig } from "../rig/rig.js";
import { portalIds, stockPortals, warmUp } from "../rig/stock.js";

const LATENCY_MS = 200;
/** More than a portal can do in all runs: work is left at each kill. */
const BACKLOG = 2_000;
/** So long an owner works before it is killed. */
const AT_WORK_MS = 3_000;
const LOOK_MS = 50;
const TIMEOUT_MS = 60_000;

interface Seen {
  readonly epoch: bigint;
  readonly enrolled: number;
}

async function look({ pool }: Rig, portalId: number): Promise<Seen> {
  const { rows } = await pool.query<{ epoch: string; enrolled: number }>(
    `SELECT epoch, (SELECT count(*)::int FROM executions WHERE portal_id = $1 AND enrollment_status = 'ENROLLED') AS enrolled
       FROM portal_drains WHERE portal_id = $1`,
    [portalId],
  );
  return { epoch: BigInt(rows[0]?.epoch ?? 0), enrolled: rows[0]?.enrolled ?? 0 };
}

/** @returns ms until it holds. @throws Error where that takes long. */
async function msUntil(rig: Rig, portalId: number, holds: (seen: Seen) => boolean): Promise<number> {
  const startedAt = performance.now();
  while (!holds(await look(rig, portalId))) {
    if (performance.now() - startedAt > TIMEOUT_MS) throw new Error("nobody took the portal over");
    await sleep(LOOK_MS);
  }
  return performance.now() - startedAt;
}

/**
 * A worker is killed in the middle of a portal's backlog while another stands by: until the other owns the portal, and
 * until it has enrolled somebody. Between the two it waits until what the dead one sent has left HubSpot's window.
 */
export async function measureTakeover(options: BenchOptions): Promise<Figure[]> {
  const rig = await startRig({ latencyMs: LATENCY_MS, ...processOptions(options) });
  try {
    const ids = portalIds(1);
    const [portalId] = ids as [number];
    await stockPortals(rig, { portalIds: ids, contacts: 1 + BACKLOG });
    let owner = await rig.startApp({ role: "worker", name: "worker-0" });
    await warmUp(rig, ids);
    await addBacklog(rig.pool, { portalIds: ids, each: BACKLOG, from: 1 });
    const took: { owned: number; enrolled: number }[] = [];
    for (let run = 0; run < options.runs; run += 1) {
      const { enrolled: before } = await look(rig, portalId);
      await msUntil(rig, portalId, ({ enrolled }) => enrolled > before);
      const spare = await rig.startApp({ role: "worker", name: `worker-${run + 1}` });
      await sleep(AT_WORK_MS);
      owner.kill("SIGKILL");
      await sleep(LOOK_MS);
      const left = await look(rig, portalId);
      const owned = LOOK_MS + (await msUntil(rig, portalId, ({ epoch }) => epoch > left.epoch));
      const taken = await look(rig, portalId);
      const enrolled = owned + (await msUntil(rig, portalId, (seen) => seen.enrolled > taken.enrolled));
      took.push({ owned, enrolled });
      options.tell(
        `takeover, run ${run + 1}: owned after ${owned.toFixed(0)} ms, enrolling after ${enrolled.toFixed(0)} ms`,
      );
      owner = spare;
    }
    const runs = took.map(({ enrolled }) => enrolled / 1_000);
    const what = "from the kill of a worker until another enrolls for its portal";
    const bar = { of: "ours" as const, atMost: 20 };
    return [{ id: "takeover", area: "takeover", unit: "s", what, ours: median(runs), runs, bar }];
  } finally {
    await rig.close();
  }
}
