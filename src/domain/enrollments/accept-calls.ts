import type { ClientBase, Pool } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { LANES } from "#domain/contract/execution.js";
import { acceptEnrollments } from "#domain/executions/accept/accept-enrollments.js";
import { isStorageDown } from "#platform/db/storage-faults.js";
import { gather } from "#platform/time/gather.js";
import type { Enrollment } from "./enrollment.js";
import type { EnrollmentWish } from "./enrollment-wish.js";
import { prepareEnrollments, type PreparedEnrollment } from "./prepare-enrollments.js";
import { readEnrollmentsOf } from "./read-enrollments.js";

/** A program asks for one enrollment. */
export interface EnrollmentCall {
  readonly actor: Actor;
  readonly wish: EnrollmentWish;
}

/** What comes of a call. */
export type CallResult =
  | { readonly kind: "accepted"; readonly enrollment: Enrollment }
  | Extract<PreparedEnrollment, { kind: "refused" }>
  | { readonly kind: "not-connected" };

interface AcceptOptions {
  /** Hours after which an unfinished enrollment is given up. */
  readonly deadlineHours: number;
}

/** Accepts calls, of whatever accounts, in a few statements; what is wrong with one leaves the others. In their order. */
export async function acceptCalls(
  client: Pick<ClientBase, "query">,
  calls: readonly EnrollmentCall[],
  { deadlineHours }: AcceptOptions,
): Promise<CallResult[]> {
  const prepared = await prepareEnrollments(
    client,
    calls.map(({ actor, wish }) => ({ portalId: actor.portalId, wish })),
  );
  const ready = calls.flatMap(({ actor }, index) => {
    const one = prepared[index];
    return one?.kind === "ready" ? [{ actor, enrollment: one.enrollment, index }] : [];
  });
  const origin = { source: "api", lane: LANES.call, deadlineHours } as const;
  const ids = await acceptEnrollments(client, ready, origin);
  const stored = ready.flatMap(({ actor: { portalId }, index }, place) => {
    const id = ids[place];
    return id === undefined ? [] : [{ portalId, id, index }];
  });
  const shown = await readEnrollmentsOf(client, stored);
  const byCall = new Map(stored.map(({ index }, place) => [index, shown[place]]));
  return prepared.map((one, index): CallResult => {
    if (one.kind === "refused") return one;
    const enrollment = byCall.get(index);
    return enrollment === undefined ? { kind: "not-connected" } : { kind: "accepted", enrollment };
  });
}

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
