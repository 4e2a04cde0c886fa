/** A seeded source of chance: the same seed gives the same draws, so a failing run can be repeated. */
export interface Random {
  /** Evenly from [0, 1). */
  next(): number;
  /** True with the given probability; draws nothing at 0, so an empty fault plan leaves the sequence untouched. */
  chance(probability: number): boolean;
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
}

/** A fixed number of milliseconds as it is, or one drawn evenly from a range. */
export function drawMs(random: Random, ms: number | readonly [number, number]): number {
  return typeof ms === "number" ? ms : random.between(ms[0], ms[1]);
}

/** Mulberry32: 32 bits of state are plenty for choosing names and faults. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    chance: (probability) => probability > 0 && next() < probability,
    between: (low, high) => low + next() * (high - low),
    pick<T>(items: readonly T[]): T {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new RangeError("Nothing to pick from");
      return item;
    },
  };
}
