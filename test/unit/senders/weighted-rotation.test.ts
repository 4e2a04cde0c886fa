import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pickFromWheel, takeBack, type WheelMember } from "#domain/senders/weighted-rotation.js";

const wheel = (weights: readonly number[]): WheelMember[] =>
  weights.map((weight, index) => ({ userId: BigInt(index), weight, currentWeight: 0, picks: 0 }));
const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 });

describe("a weighted rotation", () => {
  test("spreads the turns of the heavier evenly", () => {
    const members = wheel([5, 1, 1]);
    const turns = Array.from({ length: 14 }, () => Number(pickFromWheel(members)?.picked.userId));
    expect(turns).toEqual([0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 0, 2]);
  });

  test("takes the least ahead if all who can be picked have had more than their share", () => {
    const members = wheel([1, 1, 2]).map((member, index) => ({
      ...member,
      currentWeight: [-9, -5, 14][index] ?? 0,
    }));
    for (const among of [members.slice(0, 2), members.slice(0, 2).reverse()]) {
      const pick = pickFromWheel(among);
      expect(pick?.picked).toBe(members[1]);
      if (pick !== undefined) takeBack(pick);
    }
  });

  test("counts the weight that a member gains with this pick when it looks for the least ahead", () => {
    const [light, heavy] = wheel([1, 3]);
    if (light === undefined || heavy === undefined) throw new Error("there are two");
    [light.currentWeight, heavy.currentWeight] = [-4, -5];
    expect(pickFromWheel([light, heavy])?.picked).toBe(heavy);
  });

  test("gives each its share to within one pick, at every moment", () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 500 }), (drawn, picks) => {
        const members = wheel(drawn);
        const total = drawn.reduce((sum, weight) => sum + weight, 0);
        const offShare = (count: number): number =>
          Math.max(...members.map(({ picks: had, weight }) => Math.abs(had - (count * weight) / total)));
        let furthest = 0;
        for (let count = 1; count <= picks; count += 1) {
          pickFromWheel(members);
          furthest = Math.max(furthest, offShare(count));
        }
        expect(furthest).toBeLessThanOrEqual(1);
      }),
      // Who is owed the most is not always whose turn it is.
      { numRuns: 50, examples: [[[1, 1, 61, 50, 1], 73]] },
    );
  });

  test("forgets picks that are taken back, in whatever order", () => {
    fc.assert(
      fc.property(weights, fc.array(fc.nat(), { maxLength: 20 }), (drawn, order) => {
        const members = wheel(drawn);
        pickFromWheel(members);
        const before = structuredClone(members);
        const made = order.map(() => pickFromWheel(members));
        for (const index of order) {
          const [pick] = made.splice(index % Math.max(1, made.length), 1);
          if (pick !== undefined) takeBack(pick);
        }
        expect(members).toEqual(before);
      }),
    );
  });

  test("picks nobody where nobody can be picked, and the wanted one where it can", () => {
    const members = wheel([1, 1]);
    expect(pickFromWheel([])).toBeUndefined();
    expect(pickFromWheel(members, members[1])?.picked).toBe(members[1]);
    expect(pickFromWheel(members)?.picked).toBe(members[0]);
  });
});
