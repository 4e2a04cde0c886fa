/** One wish to stop comes several ways: to the process group, and passed on by npm. Later, somebody means it again. */
const SAME_WISH_MS = 2_000;

/** The wish of an operator or a supervisor that the process stop. */
export interface StopWish {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Which it was; undefined while there is none. */
  readonly name: NodeJS.Signals | undefined;
}

/**
 * Listens for SIGINT and SIGTERM, from now until the process ends: to be called before anything is started that has to be
 * stopped. A signal within two seconds of the first is the same wish; one that comes later is impatience.
 *
 * @param options.onImpatience mostly ends the process at once.
 */
export function listenForStop({ onImpatience }: { onImpatience: () => void }): StopWish {
  const stopping = new AbortController();
  const wish: { signal: AbortSignal; name: NodeJS.Signals | undefined } = {
    signal: stopping.signal,
    name: undefined,
  };
  let firstAtMs = 0;
  const heard = (name: NodeJS.Signals): void => {
    if (wish.name !== undefined) {
      if (performance.now() - firstAtMs > SAME_WISH_MS) onImpatience();
      return;
    }
    wish.name = name;
    firstAtMs = performance.now();
    stopping.abort();
  };
  process.on("SIGINT", heard);
  process.on("SIGTERM", heard);
  return wish;
}

/** Resolves once somebody wishes the process to stop. */
export function stopWished({ signal }: StopWish): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
