import { LRUCache } from "lru-cache";
import { atMost } from "#platform/memory/at-most.js";

/** Cached entries may be this old: a renamed sequence or a new owner address shows within half a minute. */
const CACHE_MS = 30_000;
const CACHE_ENTRIES = 50_000;

/** What this process has lately read of the directories of its portals. Only entries that exist are kept: a missing one may appear any moment. */
export class DirectoryCache {
  readonly #entries = new LRUCache<string, object>({ ...atMost(CACHE_ENTRIES), ttl: CACHE_MS });
  readonly #reads = new Map<string, Promise<unknown>>();
  /** Grows with everything that is forgotten: what a read found that was begun before may be from before, too. */
  #forgotten = 0;

  /** The entry, which `load` reads if it is not at hand. */
  async read<T extends object>(key: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known as T;
    return this.#shared(key, async () => {
      const before = this.#forgotten;
      const loaded = await load();
      if (loaded !== undefined && before === this.#forgotten) this.#entries.set(key, loaded);
      return loaded;
    });
  }

  /** Several entries, of which `load` reads those that are not at hand, all at once. Those that nobody has are left out. */
  async readMany<Id, T extends object>(
    ids: readonly Id[],
    { keyOf, load }: { keyOf: (id: Id) => string; load: (missing: readonly Id[]) => Promise<[Id, T][]> },
  ): Promise<ReadonlyMap<Id, T>> {
    const found = new Map<Id, T>();
    const missing: Id[] = [];
    for (const id of ids) {
      const known = this.#entries.get(keyOf(id)) as T | undefined;
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length === 0) return found;
    const loaded = await this.#shared(`many:${missing.map(keyOf).join()}`, async () => {
      const before = this.#forgotten;
      const entries = await load(missing);
      if (before === this.#forgotten) for (const [id, entry] of entries) this.#entries.set(keyOf(id), entry);
      return entries;
    });
    for (const [id, entry] of loaded) found.set(id, entry);
    return found;
  }

  /** Drops an entry, and what reads of it that are under way will find. */
  forget(key: string): void {
    this.#forgotten += 1;
    this.#entries.delete(key);
    this.#reads.delete(key);
  }

  /** One read serves all callers while it is running: a burst of contacts of one owner asks at the same moment. */
  #shared<T>(key: string, read: () => Promise<T>): Promise<T> {
    const underWay = this.#reads.get(key);
    if (underWay !== undefined) return underWay as Promise<T>;
    const started = read().finally(() => {
      if (this.#reads.get(key) === started) this.#reads.delete(key);
    });
    this.#reads.set(key, started);
    return started;
  }
}
