import { expect, test } from "@jest/globals";
import { LRUCache } from "lru-cache";
import { atMost } from "#platform/memory/at-most.js";

test("a memory of at most three entries forgets the one that was not used for longest", () => {
  const memory = new LRUCache<string, number>(atMost(3));
  for (const [index, key] of ["a", "b", "c"].entries()) memory.set(key, index);
  memory.get("a");
  memory.set("c", 7);
  memory.set("d", 8);
  expect([...memory.entries()].sort()).toEqual([
    ["a", 0],
    ["c", 7],
    ["d", 8],
  ]);
});

test("a memory of a hundred thousand takes next to nothing while it is empty", () => {
  const before = process.memoryUsage();
  const memories = Array.from(
    { length: 100 },
    () => new LRUCache<string, number>({ ...atMost(100_000), ttl: 1 }),
  );
  const after = process.memoryUsage();
  // Made with `max`, each takes more than two megabytes.
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(
    20_000_000,
  );
  expect(memories).toHaveLength(100);
});
