import type { PortalId } from "#platform/ids/branded-ids.js";

/**
 * Combines wakes: the first goes out at once, later ones together at most every `intervalMs`, and one always follows
 * the last request. However many portals are busy, one wake carries them all. A lost wake costs seconds (the sweep
 * finds the work), so faults are only logged.
 */
export function createWakeSoon(options: {
  wake: (portalIds: readonly PortalId[]) => Promise<void>;
  intervalMs: number;
  onFault: (fault: unknown) => void;
}): (portalId: PortalId) => void {
  const wanted = new Set<PortalId>();
  let isRunning = false;

  async function run(): Promise<void> {
    while (wanted.size > 0) {
      const portalIds = [...wanted];
      wanted.clear();
      await options.wake(portalIds).catch(options.onFault);
      await new Promise((resolve) => setTimeout(resolve, options.intervalMs).unref());
    }
    isRunning = false;
  }

  return (portalId) => {
    wanted.add(portalId);
    if (isRunning) return;
    isRunning = true;
    // One turn of the event loop: a commit shared by several portals wakes them together.
    setImmediate(() => void run());
  };
}
