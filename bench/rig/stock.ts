import { setTimeout as sleep } from "node:timers/promises";
import { addBacklog, openCount, SENDER_USER_ID } from "./backlog.js";
import type { App, Rig } from "./rig.js";

const FINISH_TIMEOUT_MS = 180_000;
const LOOK_MS = 100;
/** HubSpot's window, and a little for clocks. */
const WINDOW_MS = 10_500;

/** `count` ids of portals that no other measurement of the run uses. */
export function portalIds(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 4_455_601 + index);
}

/** Portals to be made alike. */
interface Lot {
  readonly portalIds: readonly number[];
  /** Contacts of each. */
  readonly contacts: number;
}

/** Above what any measurement sends: their one sender's daily cap must not be what ends a backlog. */
const UNCAPPED = 1_000_000;

/** Portals in the simulated HubSpot, installed by the real round trip through a web process that goes on running. */
export async function stockPortals(rig: Rig, ...lots: readonly Lot[]): Promise<void> {
  const web: App = await rig.startApp({ role: "web", name: "web" });
  for (const { portalIds: ids, contacts } of lots) {
    for (const portalId of ids) {
      await rig.simulator.addPortal(portalId, contacts);
      await rig.simulator.install(portalId, web.url);
    }
    await rig.pool.query(
      `INSERT INTO senders (portal_id, user_id, daily_cap, window_days) SELECT portal_id, $2, $3, '{}' FROM unnest($1::bigint[]) AS portal_id`,
      [ids, SENDER_USER_ID, UNCAPPED],
    );
  }
}

/**
 * One contact for every portal, enrolled before anything is timed: directories are read, tokens opened, code is warm.
 * Ends when HubSpot's window has forgotten it.
 */
export async function warmUp(rig: Rig, ids: readonly number[]): Promise<void> {
  await addBacklog(rig.pool, { portalIds: ids, each: 1 });
  await allFinished(rig);
  await sleep(WINDOW_MS);
}

/** Resolves once every stored execution is finished. @throws Error where that takes minutes. */
export async function allFinished(rig: Rig): Promise<void> {
  const giveUpAt = performance.now() + FINISH_TIMEOUT_MS;
  while ((await openCount(rig.pool)) > 0) {
    if (performance.now() > giveUpAt)
      throw new Error(`${await openCount(rig.pool)} executions are unfinished`);
    await sleep(LOOK_MS);
  }
}
