/** What "at most this many entries" is for an LRUCache. */
export interface EntryLimit {
  readonly maxSize: number;
  readonly sizeCalculation: () => number;
}

/**
 * Options of an LRUCache of at most this many entries which takes memory as it fills. With `max` it takes all of it when
 * it is made: megabytes, and some ten milliseconds, for a hundred thousand entries.
 */
export function atMost(entries: number): EntryLimit {
  return { maxSize: entries, sizeCalculation: () => 1 };
}
