/**
 * Loaded before the app by `--import`: moves the clock of this process, and of nothing else, by as much as its role's
 * variable says. The monotonic clock goes on as before.
 */
const aheadMs = Number(process.env[`${process.env.ROLE?.toUpperCase()}_CLOCK_AHEAD_MS`] ?? 0);

globalThis.Date = new Proxy(Date, {
  construct: (target, given) =>
    given.length === 0 ? new target(target.now() + aheadMs) : new target(...given),
  get: (target, member) => (member === "now" ? () => target.now() + aheadMs : Reflect.get(target, member)),
});
