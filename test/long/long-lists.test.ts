import { expect, test } from "@jest/globals";
import { sequenceOptions } from "#domain/directory/options.js";
import {
  acquire,
  activeOwners,
  count,
  gatewayOf,
  pool,
  portalId,
  problem,
  renew,
  useDirectoryCopies,
} from "../support/directory-copies.js";

useDirectoryCopies();

test("a copy of long lists is complete at 20,150 owners, users and sequences, and the next copy archives none of them", async () => {
  const { copy } = await acquire();
  for (let copies = 0; copies < 2; copies += 1) await renew(copy, gatewayOf(20_150));
  expect(await activeOwners()).toBe(20_150);
  expect(await count("users WHERE portal_id = $1 AND is_listed")).toBe(20_150);
  expect(await count("sequences WHERE portal_id = $1 AND is_listed")).toBe(20_150);
  expect(await problem()).toBeNull();
  const { options } = await sequenceOptions(pool(), { portalId, search: "Sequence 20120" });
  expect(options).toEqual([{ label: "Sequence 20120", value: "20120" }]);
});
