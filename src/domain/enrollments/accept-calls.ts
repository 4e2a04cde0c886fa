import type { ClientBase, Pool } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { LANES } from "#domain/contract/execution.js";
import { acceptListed } from "#domain/executions/accept/accept-enrollments.js";
import { isStorageDown } from "#platform/db/storage-faults.js";
import { gather } from "#platform/time/gather.js";
import {
  ENROLLMENT_COLUMNS,
  toEnrollment,
  type Enrollment,
  type EnrollmentContext,
  type EnrollmentRow,
} from "./enrollment.js";
import type { EnrollmentWish } from "./enrollment-wish.js";
import { prepareCalls, UNKNOWN_SEQUENCE, type PreparedEnrollment } from "./prepare-enrollments.js";

/** A program asks for one enrollment. */
export interface EnrollmentCall {
  readonly actor: Actor;
  readonly wish: EnrollmentWish;
  /** The span that accepts it, if traces are kept. */
  readonly traceparent?: string | undefined;
}

/** The result of a call. */
export type CallResult =
  | { readonly kind: "accepted"; readonly enrollment: Enrollment }
  | Extract<PreparedEnrollment, { kind: "refused" }>
  | { readonly kind: "not-connected" };

interface AcceptOptions {
  /** Hours after which an unfinished enrollment is given up. */
  readonly deadlineHours: number;
}

/**
 * Accepts calls of any accounts in a few statements; a call that is wrong does not affect the others. Results are in
 * the calls' order.
 */
export async function acceptCalls(
  client: Pick<ClientBase, "query">,
  calls: readonly EnrollmentCall[],
  { deadlineHours }: AcceptOptions,
): Promise<CallResult[]> {
  const prepared = await prepareCalls(
    client,
    calls.map(({ actor, wish }) => ({ portalId: actor.portalId, wish })),
  );
  const ready = calls.flatMap(({ actor, traceparent }, index) => {
    const one = prepared[index];
    return one?.kind === "ready" ? [{ actor, enrollment: { ...one.enrollment, traceparent }, index }] : [];
  });
  const stored = await acceptListed<EnrollmentRow>(client, ready, {
    source: "api",
    lane: LANES.call,
    deadlineHours,
    columns: ENROLLMENT_COLUMNS,
  });
  const byCall = new Map(ready.map(({ index }, place) => [index, stored[place]]));
  return prepared.map((one, index): CallResult => {
    if (one.kind === "refused") return one;
    const result = byCall.get(index);
    if (result?.kind === "unlisted") return UNKNOWN_SEQUENCE;
    if (result?.kind !== "stored") return { kind: "not-connected" };
    return { kind: "accepted", enrollment: toEnrollment(result.row, NEW) };
  });
}

/** Nobody sends it yet, and it has no end. */
const NEW: EnrollmentContext = { people: new Map(), ends: new Map() };

/** Rows per shared commit, as of calls of the action. */
const MOST_TOGETHER = 500;

/**
 * Accepts single calls with shared statements and commits: those that arrive while others are being stored are next. If one
 * keeps the others from being stored, each is stored by itself.
 */
export function createCallAcceptor(
  pool: Pool,
  options: AcceptOptions,
): (call: EnrollmentCall) => Promise<CallResult> {
  const outcomeOf = async (call: EnrollmentCall): Promise<PromiseSettledResult<CallResult[]>> =>
    (await Promise.allSettled([acceptCalls(pool, [call], options)]))[0];
  const together = gather<EnrollmentCall, () => CallResult>({
    ms: 0,
    most: MOST_TOGETHER,
    run: async (calls) => {
      try {
        return (await acceptCalls(pool, calls, options)).map((result) => () => result);
      } catch (error) {
        if (calls.length === 1 || isStorageDown(error)) throw error;
        const outcomes = await Promise.all(calls.map(outcomeOf));
        return outcomes.map((outcome) => () => {
          if (outcome.status === "rejected") throw outcome.reason;
          return outcome.value[0] ?? { kind: "not-connected" };
        });
      }
    },
  });
  return async (call) => (await together(call))();
}
