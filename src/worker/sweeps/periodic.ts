/** Runs `work` every `intervalMs`, never twice at once, until the returned function is called. Faults go to `onFault`. */
export function startPeriodic(options: {
  intervalMs: number;
  work: () => Promise<void>;
  onFault: (fault: unknown) => void;
}): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= options
      .work()
      .catch(options.onFault)
      .finally(() => {
        running = undefined;
      });
  }, options.intervalMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
