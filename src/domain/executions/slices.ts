/**
 * A change of many rows in bounded statements. Each call makes one of them and returns the rest, or undefined if none
 * is left: the caller decides who waits for what.
 */
export type Slices = () => Promise<Slices | undefined>;

/** Runs one after the other. */
export function inSequence(parts: readonly Slices[]): Slices {
  return async () => {
    const [first, ...others] = parts;
    const rest = await first?.();
    const left = rest === undefined ? others : [rest, ...others];
    return left.length === 0 ? undefined : inSequence(left);
  };
}

/** Runs all slices. */
export async function toTheEnd(slices: Slices): Promise<void> {
  for (let left: Slices | undefined = slices; left !== undefined;) left = await left();
}
