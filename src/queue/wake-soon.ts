/**
 * Folds the wakes of a busy portal into few: the first goes out at once, later ones at most every `intervalMs`, and one
 * always follows the last request. A lost wake costs seconds (the sweep finds the work), so faults are only reported.
 */
export function createWakeSoon(options: {
  wake: (portalId: bigint) => Promise<void>;
  intervalMs: number;
  onFault: (fault: unknown) => void;
}): (portalId: bigint) => void {
  const pending = new Map<bigint, { isWanted: boolean }>();

  async function run(portalId: bigint, entry: { isWanted: boolean }): Promise<void> {
    while (entry.isWanted) {
      entry.isWanted = false;
      await options.wake(portalId).catch(options.onFault);
      await new Promise((resolve) => setTimeout(resolve, options.intervalMs).unref());
    }
    pending.delete(portalId);
  }

  return (portalId) => {
    const entry = pending.get(portalId);
    if (entry !== undefined) {
      entry.isWanted = true;
      return;
    }
    const started = { isWanted: true };
    pending.set(portalId, started);
    void run(portalId, started);
  };
}
