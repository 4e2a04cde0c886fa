import { answered, failed, type Outcome } from "#domain/contract/outcome.js";
import { writeLooks, type Look, type LookResult } from "#domain/executions/watch.js";
import {
  writeMoves,
  type AskingExecution,
  type DueUnenrollment,
  type UnenrollmentMove,
} from "#domain/unenroll/unenrollments.js";
import type { UnenrollTimes } from "./judge-contact.js";
import { isWaitedFor, step, type UnenrollTools } from "./unenroll-tools.js";

/** After this many failures to empty a property, the workflow is not held up by it any longer. */
const CLEARINGS_WAITED_FOR = 3;

const WHY_NOT_REPLACED = {
  TIMED_OUT: "It was to be taken out of it first, and HubSpot did not do so in time.",
  NOT_SUPPORTED:
    "It was to be taken out of it first, and that cannot be done in this account now: see Settings → Unenroll.",
} as const;

function outcomeOfUnenroll({ outcome, enrollment }: DueUnenrollment): Outcome {
  if (outcome === undefined) return failed("CONTACT_NOT_FOUND");
  const { sequenceId, sequenceName, enrolledAt } = enrollment;
  return answered({
    outcome,
    sequence_id: sequenceId,
    sequence_name: sequenceName,
    enrolled_at: enrolledAt?.toISOString() ?? "",
  });
}

/**
 * For a step that replaces the contact's sequence with its own: the contact is enrolled next if it is out of the old
 * one.
 */
function resultOfReplace({ outcome }: DueUnenrollment): LookResult {
  if (outcome === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  if (outcome === "UNENROLLED" || outcome === "NOT_ENROLLED") return { to: "QUEUED" };
  const refusal = failed("ALREADY_ENROLLED", { detail: WHY_NOT_REPLACED[outcome] });
  return { to: "DECIDED", outcome: { ...refusal, enrollmentStatus: "ALREADY_ENROLLED" } };
}

/** What the end of an unenrollment means for the execution that asked for it. */
function lookOf(due: DueUnenrollment, execution: AskingExecution): Look {
  const result: LookResult =
    execution.kind === "ENROLL" ? resultOfReplace(due) : { to: "DECIDED", outcome: outcomeOfUnenroll(due) };
  return { execution, result };
}

/**
 * An enrollment in the next sequence waits until no late run of the helper workflow can end it. A stamp that may have been
 * set without our having noted it is as old as its value.
 */
function msToSettle(
  { execution, stamp, stampedAt }: DueUnenrollment,
  now: Date,
  times: UnenrollTimes,
): number {
  if (execution?.kind !== "ENROLL" || stamp === undefined) return 0;
  const sinceMs = stampedAt?.getTime() ?? Number(stamp);
  return Math.max(0, sinceMs + times.settleMs - now.getTime());
}

/** Moves the executions on whose contact's property is empty again; or cannot be emptied for now. */
export async function tellExecutions(
  tools: UnenrollTools,
  due: readonly DueUnenrollment[],
  now: Date,
): Promise<{ count: number; isMoreLeft: boolean }> {
  const { owner, times } = tools;
  const cleared = due.filter(({ state }) => state === "CLEARED");
  const settling = cleared.filter((one) => isWaitedFor(one) && msToSettle(one, now, times) > 0);
  const toTell = due.filter((one) => isWaitedFor(one) && isToBeTold(one) && !settling.includes(one));
  const looks = toTell.flatMap((one) => (one.execution === undefined ? [] : lookOf(one, one.execution)));
  const count = await step(tools, { name: "tell", items: looks }, (told) => writeLooks(owner, told));
  const moves: UnenrollmentMove[] = [
    ...settling.map((of) => ({ of, to: of.state, dueInMs: msToSettle(of, now, times) })),
    // What was just reported is found again as no longer waited for: a row that someone else moved meanwhile is
    // reported again.
    ...cleared.filter((one) => !isWaitedFor(one)).map((of) => ({ of, to: "DONE", dueInMs: 0 }) as const),
  ];
  await step(tools, { name: "forget", items: moves }, (stored) => writeMoves(owner, stored));
  return { count: count ?? 0, isMoreLeft: toTell.length > 0 };
}

function isToBeTold({ state, tries, execution }: DueUnenrollment): boolean {
  if (state === "CLEARED") return true;
  // An enrollment must not follow a stamp that is still there: the helper workflow may end it.
  return state === "CLEARING" && tries >= CLEARINGS_WAITED_FOR && execution?.kind === "UNENROLL";
}
