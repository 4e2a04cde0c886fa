import { expect } from "@jest/globals";
import { isLegalMove, type ExecutionState } from "#domain/contract/execution.js";
import type { ModelCallback } from "./hubspot.js";
import type { World } from "./world.js";

/** SQL: lets the database note every move, so that no state passes unseen. */
export const WATCH = `
  CREATE TABLE seen_moves (
    id bigint GENERATED ALWAYS AS IDENTITY, execution_id bigint, from_state text, to_state text);
  CREATE INDEX ON seen_moves (execution_id);
  CREATE FUNCTION see_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO seen_moves (execution_id, from_state, to_state) VALUES (NEW.id, OLD.state, NEW.state);
      RETURN NULL;
    END $$;
  CREATE TRIGGER see_move AFTER UPDATE ON executions FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION see_move();`;

export interface Row {
  callback_id: string;
  state: ExecutionState;
  enrollment_status: string | null;
  error_code: string | null;
  /** Its moves so far, as the database saw them. */
  moves: [from: ExecutionState, to: ExecutionState][];
}

export async function rowsOf({ pool, portalId }: World): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT callback_id, state, enrollment_status, error_code,
            (SELECT coalesce(json_agg(json_build_array(m.from_state, m.to_state) ORDER BY m.id), '[]')
               FROM seen_moves m WHERE m.execution_id = e.id) AS moves
       FROM executions e WHERE portal_id = $1`,
    [portalId],
  );
  return rows;
}

/** Completions that were not taken, or perhaps not, and are owed again when the call is delivered again. */
const REOPENED: readonly string[] = ["COMPLETION_REFUSED", "COMPLETED"];

/** What is wrong with one execution, as it stands; nothing, if all is well. */
function faultsOf(row: Row, { hubspot }: World): string[] {
  const called = hubspot.callbacks.get(row.callback_id) as ModelCallback;
  const enrolledByIt = hubspot.enrollmentsBy(called);
  const isEnrolled = row.enrollment_status === "ENROLLED";
  // Decided without HubSpot's answer at the deadline: the one documented way to be wrong (docs/reliability.md).
  const isGuess = row.error_code === "DEADLINE_EXCEEDED" || row.error_code === "HUBSPOT_UNAVAILABLE";
  const decisions = row.moves.filter(([from, to]) => to === "DECIDED" && !REOPENED.includes(from));
  const byApp = hubspot.contactOf(called).enrollments.filter(({ by }) => by !== undefined);
  const [taken] = called.taken;
  const checks: [isWrong: boolean, what: string][] = [
    [row.moves.some(([from, to]) => !isLegalMove(from, to)), "moved where it may not"],
    [decisions.length > 1, "was decided twice"],
    [enrolledByIt > 1, "enrolled its contact twice"],
    [isEnrolled && byApp.length === 0, "says enrolled, and HubSpot does not"],
    [row.enrollment_status !== null && !isEnrolled && !isGuess && enrolledByIt > 0, "hides an enrollment"],
    [taken !== undefined && taken["enrollment_status"] !== row.enrollment_status, "told HubSpot otherwise"],
    [taken !== undefined && taken["error_code"] !== (row.error_code ?? ""), "told HubSpot another reason"],
    [called.taken.length > 1, "was completed twice"],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, what]) => `${row.callback_id} ${what}`);
}

/** What holds after every step. */
export async function expectInvariants(world: World): Promise<void> {
  const rows = await rowsOf(world);
  expect([...world.hubspot.violations, ...rows.flatMap((row) => faultsOf(row, world))]).toEqual([]);
  expect(rows.map((row) => row.callback_id).sort()).toEqual([...world.accepted].sort());
}

/**
 * Lets everything come to rest with nothing going wrong anymore: what is open, then the calls whose answer HubSpot
 * missed, which it repeats, then the completions that were refused because HubSpot had taken them before.
 */
export async function comeToRest(world: World): Promise<void> {
  await world.setConnected(true);
  world.hubspot.landLate();
  const nothing = (): Promise<void> => Promise.resolve();
  // Of a request without an answer it takes two minutes until HubSpot is believed that it did nothing.
  for (const deliverMore of [nothing, nothing, nothing, deliverMissed, nothing, nothing]) {
    await world.passTime();
    await world.worker.workThrough();
    await expectInvariants(world);
    await deliverMore(world);
  }
}

async function deliverMissed(world: World): Promise<void> {
  for (const [index, called] of [...world.hubspot.callbacks.values()].entries())
    if (!called.isHeld && world.accepted.includes(called.id)) await world.deliver(index);
}

/** Every contact went on, once, whatever happened on the way. */
export async function expectAllDone(world: World): Promise<void> {
  for (const row of await rowsOf(world)) {
    const called = world.hubspot.callbacks.get(row.callback_id);
    expect({ id: row.callback_id, taken: called?.taken.length }).toEqual({ id: row.callback_id, taken: 1 });
    // Refused: it was taken, and the call was delivered again nevertheless.
    expect(["COMPLETED", "COMPLETION_REFUSED"]).toContain(row.state);
    expect(row.moves.filter(([from]) => !REOPENED.includes(from)).map(([, to]) => to)).toContain("DECIDED");
  }
}
