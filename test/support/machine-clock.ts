const RealDate = Date;

/** This machine's time, whatever was made of it. */
export const realNow = (): number => RealDate.now();

/**
 * Sets this process's clock ahead of (negative: behind) the real time, as the `Date` of all that runs in it shows it. The
 * database's and the monotonic clock go on as before.
 *
 * @returns puts it right again.
 */
export function setMachineClock(aheadMs: number): () => void {
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given: []) =>
      given.length === 0 ? new target(target.now() + aheadMs) : new target(...given),
    get: (target, member) =>
      member === "now" ? () => target.now() + aheadMs : (Reflect.get(target, member) as unknown),
  });
  return () => {
    globalThis.Date = RealDate;
  };
}
