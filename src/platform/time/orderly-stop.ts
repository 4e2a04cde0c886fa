/**
 * One request to stop arrives several times: sent to the process group, and passed on by npm. A later one is a new
 * request.
 */
const SAME_WISH_MS = 2_000;

/** A request by an operator or a supervisor to stop the process. */
export interface StopWish {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  /** Which it was; undefined while there is none. */
  readonly name: NodeJS.Signals | undefined;
}

/**
 * Listens for SIGINT and SIGTERM, from now until the process ends: call it before starting anything that has to be
 * stopped. A signal within two seconds of the first is the same request; a later one means impatience.
 *
 * @param options.onImpatience usually ends the process at once.
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

/** Resolves once the process is asked to stop. */
export function stopWished({ signal }: StopWish): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/**
 * Waits for the work, but no longer than until the process is asked to stop: whoever does the work is then left alone
 * with it.
 *
 * @throws what the work throws, or the reason of `stopping`.
 */
export async function unlessStopped<Result>(
  work: Promise<Result>,
  stopping: AbortSignal | undefined,
): Promise<Result> {
  if (stopping === undefined) return work;
  let giveUp = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(stopping.reason as Error);
    };
    if (stopping.aborted) giveUp();
    else stopping.addEventListener("abort", giveUp, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stopping.removeEventListener("abort", giveUp);
  }
}
