import { describe, expect, test } from "@jest/globals";
import { parseRotationEntry } from "#web/settings/policy/rotation-entry.js";
import { sharesOf } from "#web/settings/policy/shares.js";
import { daysOff } from "#web/settings/senders/sender-status.js";

const people = new Map(["1", "2", "3", "4"].map((userId) => [userId, `User ${userId}`]));
const nameable = { people: [], isCut: false, rotations: [], names: { people, rotations: new Map() } };

function weights(...typed: string[]): number[] | object {
  const members = typed.map((weight, index) => ({ userId: String(index + 1), weight }));
  const parsed = parseRotationEntry({ name: "Desk", keeps_sender: "", members }, nameable);
  return "draft" in parsed ? parsed.draft.members.map(({ weight }) => weight) : parsed.problems;
}

describe("the weights of a rotation", () => {
  test.each([
    { typed: ["1", "1", "1", "0.5"], stored: [2, 2, 2, 1] },
    { typed: ["1", "0,25"], stored: [4, 1] },
    { typed: ["3", "1.5"], stored: [6, 3] },
    { typed: ["100", "1"], stored: [100, 1] },
  ])("are stored as whole numbers with the same shares: $typed", ({ typed, stored }) => {
    expect(weights(...typed)).toEqual(stored);
  });

  test.each(["0", "0.1", "101", "-1", "1e2", "0.3", ""])("are refused where they are none: %p", (typed) => {
    expect(weights("1", typed)).toEqual({ weight_2: "Enter a weight from 0.25 to 100 for User 2." });
  });

  test("are refused where whole numbers would be too large", () => {
    expect(weights("100", "0.5")).toHaveProperty("new_member");
  });
});

test("shares add up to a hundred, whatever the weights", () => {
  expect(sharesOf([2, 2, 2, 1])).toEqual([29, 29, 28, 14]);
  expect(sharesOf([1, 1, 1])).toEqual([34, 33, 33]);
  expect(sharesOf([0, 0])).toEqual([0, 0]);
  for (let size = 1; size < 40; size += 1) {
    const random = Array.from({ length: size }, (_, index) => 1 + ((index * 37 + size * 11) % 100));
    expect(sharesOf(random).reduce((sum, share) => sum + share, 0)).toBe(100);
  }
});

test("days off are told by their names, and nothing where there is none", () => {
  expect(daysOff({ days: [1, 2, 3, 4, 6, 7] })).toBe("Fri");
  expect(daysOff({ days: [] })).toBeUndefined();
  expect(daysOff({ days: [1, 2, 3, 4, 5] })).toBe("Sat, Sun");
});
