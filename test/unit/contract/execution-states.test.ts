import { describe, expect, test } from "@jest/globals";
import { isLegalMove, MOVES, OPEN_STATES, type ExecutionState } from "#domain/contract/execution.js";

const STATES = Object.keys(MOVES) as ExecutionState[];

/** Every state from which `state` can be reached in one move. */
function sourcesOf(state: ExecutionState): ExecutionState[] {
  return STATES.filter((from) => isLegalMove(from, state));
}

/** Every state that can be reached from `start`, itself included. */
function reachableFrom(start: ExecutionState): Set<ExecutionState> {
  const seen = new Set<ExecutionState>([start]);
  for (const state of seen) for (const next of MOVES[state]) seen.add(next);
  return seen;
}

describe("the moves of an execution", () => {
  test("name only states that exist", () => {
    expect(
      Object.values(MOVES)
        .flat()
        .filter((state) => !STATES.includes(state)),
    ).toEqual([]);
  });

  test("reach every state from QUEUED, where each execution begins", () => {
    expect([...reachableFrom("QUEUED")].sort()).toEqual([...STATES].sort());
  });

  test("can end COMPLETED from every open state: nothing gets stuck", () => {
    for (const state of OPEN_STATES) expect(reachableFrom(state)).toContain("COMPLETED");
  });

  test("send only out of QUEUED: an attempt never follows an ambiguous one without a read in between", () => {
    expect(sourcesOf("ATTEMPTING")).toEqual(["QUEUED"]);
    expect(isLegalMove("ATTEMPTING", "ATTEMPTING")).toBe(false);
    expect(isLegalMove("UNCERTAIN", "ATTEMPTING")).toBe(false);
  });

  test("never undo an outcome: from DECIDED only the completion's fate is open", () => {
    expect([...reachableFrom("DECIDED")].sort()).toEqual(
      ["COMPLETED", "COMPLETION_ABANDONED", "COMPLETION_REFUSED", "DECIDED"].sort(),
    );
  });

  test("leave COMPLETION_ABANDONED nowhere to go", () => {
    expect(MOVES.COMPLETION_ABANDONED).toEqual([]);
  });

  test("reopen a completion that was refused, or perhaps not taken, only toward being owed again", () => {
    expect(MOVES.COMPLETION_REFUSED).toEqual(["DECIDED"]);
    expect(MOVES.COMPLETED).toEqual(["DECIDED"]);
  });

  test("count as open exactly the states that still lead somewhere without HubSpot calling again", () => {
    const ended: ExecutionState[] = ["COMPLETED", "COMPLETION_REFUSED", "COMPLETION_ABANDONED"];
    expect([...OPEN_STATES, ...ended].sort()).toEqual([...STATES].sort());
  });
});
