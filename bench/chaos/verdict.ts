import type { SimulatedEnrollment } from "../../src/simulator/portal/model.js";
import type { Simulator } from "../../src/simulator/simulator.js";
import type { Execution } from "../../src/simulator/workflow/execution.js";
import type { WorkflowRun } from "../../src/simulator/workflow/run.js";
import type { CompletionWatch, ResendReason } from "./completion-watch.js";
import type { Disturbance } from "./disturbances.js";
import { isForgotten, lacksEnd, type Restore } from "./restore.js";
import { overCap } from "./sender-caps.js";
import { wasAccepted, type Cast } from "./workload.js";

/** What is wrong with one execution, in words for the report. */
export interface Problem {
  readonly kind: "lost" | "enrolled twice";
  readonly portalId: number;
  readonly contactId: string;
  readonly callbackId: string;
  readonly what: string;
}

/** One run, as HubSpot saw it. */
export interface Verdict {
  readonly calls: number;
  readonly accepted: number;
  readonly completed: number;
  readonly enrolled: number;
  readonly problems: readonly Problem[];
  /** POSTs for a contact that was in a sequence because of an earlier one; refused by HubSpot. */
  readonly postedWhileEnrolled: number;
  readonly resends: Readonly<Record<ResendReason, number>>;
  /** Calls HubSpot gave up on: never answered, or answered with an error that it does not retry. */
  readonly givenUp: number;
  /** 429s we brought on ourselves. */
  readonly throttled: number;
  readonly peakInWindow: number;
  /** Enrollments as a sender beyond its cap. */
  readonly overCap: number;
  /** Contacts told that their sender's cap is used up. */
  readonly cappedContacts: number;
  /** Calls that a restored database has never heard of: not lost by us, and judged by nothing above. */
  readonly forgotten: number;
  /** Calls that had ended without an enrollment when a restore took their end away, and were then enrolled. */
  readonly decidedAgain: number;
}

export function countOf(problems: readonly Problem[], kind: Problem["kind"]): number {
  return problems.filter((problem) => problem.kind === kind).length;
}

/** The promise: nothing lost, nobody enrolled twice, no sender over its cap, no 429 of our own making. */
export function isKept({ problems, overCap: beyond, throttled }: Verdict): boolean {
  return problems.length === 0 && beyond === 0 && throttled === 0;
}

interface Case {
  readonly cast: Cast;
  readonly execution: Execution;
  /** Of each sender; 0: none. */
  readonly cap: number;
}

function isCapped({ cap, execution }: Case): boolean {
  return cap > 0 && execution.outputs["error_code"] === "SENDER_LIMIT_REACHED";
}

/** Whatever sequence the contact is in, it is our doing. */
function isOwn({ cast, execution }: Case): boolean {
  return !cast.enrolledBefore.has(execution.contactId);
}

/** Enrollments that the app made and can know of. */
function countedEnrollments(
  { portal, enrolledBefore }: Cast,
  forgotten: ReadonlySet<string>,
): SimulatedEnrollment[] {
  return portal.enrollments
    .all()
    .filter(({ id, contactId }) => !forgotten.has(contactId) && enrolledBefore.get(contactId) !== id);
}

/** Enrolled, though HubSpot had been told another end before: of the app's doing only because a restore took that end away. */
function isDecidedAgain({ cast, execution }: Case, restores: readonly Restore[]): boolean {
  const endedAtMs = cast.portal.callbacks.get(execution.callbackId)?.accepted?.receivedAtMs;
  const isEnrolled = cast.portal.enrollments.factsOf(execution.contactId).accepted > 0;
  const isToldSo = execution.outputs["enrollment_status"] === "ENROLLED";
  return isEnrolled && !isToldSo && endedAtMs !== undefined && lacksEnd(endedAtMs, restores);
}

/** What became of an execution that we had promised to end; undefined if all is well. */
function findLoss(oneCase: Case, restores: readonly Restore[]): string | undefined {
  const { cast, execution } = oneCase;
  if (isDecidedAgain(oneCase, restores)) return undefined;
  if (!wasAccepted(execution)) return undefined;
  if (execution.state !== "completed") return `accepted, never completed (${execution.state})`;
  const status = execution.outputs["enrollment_status"] ?? "";
  const told = `${status} ${execution.outputs["error_code"] ?? ""}`.trim();
  const isEnrolled = cast.portal.enrollments.factsOf(execution.contactId).accepted > 0;
  if (isEnrolled && status !== "ENROLLED") return `enrolled by us, completed as ${told}`;
  if (!isEnrolled && status === "ENROLLED") return "completed as ENROLLED, not enrolled";
  if (!isEnrolled && !cast.troubled.has(execution.contactId) && !isCapped(oneCase))
    return `could be enrolled, completed as ${told}`;
  return undefined;
}

/**
 * A second accepted enrollment for one callback. A POST while the first is active is refused by HubSpot and so enrolls
 * nobody twice, but only by luck: it counts unless the execution ended as ENROLLED, with that one enrollment.
 */
function findSecond(oneCase: Case): string | undefined {
  const { cast, execution } = oneCase;
  const { accepted, whileActive } = cast.portal.enrollments.factsOf(execution.contactId);
  if (accepted > 1) return `${accepted} enrollments accepted`;
  const isResolved = execution.outputs["enrollment_status"] === "ENROLLED";
  if (whileActive > 0 && isOwn(oneCase) && !isResolved)
    return "posted again while enrolled, and not resolved";
  return undefined;
}

function problemsOf(oneCase: Case, restores: readonly Restore[]): Problem[] {
  const { cast, execution } = oneCase;
  const about = {
    portalId: cast.portal.portalId,
    contactId: execution.contactId,
    callbackId: execution.callbackId,
  };
  const loss = findLoss(oneCase, restores);
  const second = findSecond(oneCase);
  return [
    ...(loss === undefined ? [] : [{ ...about, kind: "lost" as const, what: loss }]),
    ...(second === undefined ? [] : [{ ...about, kind: "enrolled twice" as const, what: second }]),
  ];
}

function countResends(
  casts: readonly Cast[],
  watch: CompletionWatch,
  disturbances: readonly Disturbance[],
): Record<ResendReason, number> {
  const counts = { "answer lost": 0, crash: 0, none: 0 };
  for (const { portal } of casts)
    for (const record of portal.callbacks.all())
      for (const reason of watch.resendsOf(record, disturbances)) counts[reason] += 1;
  return counts;
}

/** Judges a run by the simulator's records alone: what HubSpot saw, not what the app believes. */
export function judge(facts: {
  simulator: Simulator;
  casts: readonly Cast[];
  runsOf: (cast: Cast) => readonly WorkflowRun[];
  watch: CompletionWatch;
  disturbances: readonly Disturbance[];
  restores: readonly Restore[];
  cap: number;
}): Verdict {
  const { simulator, casts, cap, restores } = facts;
  const all = casts.flatMap((cast) =>
    facts.runsOf(cast).flatMap((run) => run.executions.map((execution) => ({ cast, execution, cap }))),
  );
  const cases = all.filter(({ execution }) => !isForgotten(execution, restores));
  const forgotten = new Set(
    all.filter((one) => !cases.includes(one)).map(({ execution }) => execution.contactId),
  );
  const executions = cases.map(({ execution }) => execution);
  const sum = (value: (cast: Cast) => number): number =>
    casts.reduce((total, cast) => total + value(cast), 0);
  const perContact = (value: "accepted" | "whileActive", isMeant = (_: Case): boolean => true): number =>
    cases
      .filter(isMeant)
      .reduce(
        (total, { cast, execution }) => total + cast.portal.enrollments.factsOf(execution.contactId)[value],
        0,
      );
  return {
    calls: all.length,
    forgotten: all.length - cases.length,
    accepted: executions.filter(wasAccepted).length,
    completed: executions.filter(({ state }) => state === "completed").length,
    enrolled: perContact("accepted"),
    decidedAgain: cases.filter((one) => isDecidedAgain(one, restores)).length,
    problems: cases.flatMap((one) => problemsOf(one, restores)),
    postedWhileEnrolled: perContact("whileActive", isOwn),
    resends: countResends(casts, facts.watch, facts.disturbances),
    givenUp: executions.filter(({ state }) => state === "unreachable" || state === "refused").length,
    throttled: sum(({ portal }) => portal.traffic.throttled),
    overCap: sum((cast) => overCap(countedEnrollments(cast, forgotten), cap)),
    cappedContacts: cases.filter(isCapped).length,
    peakInWindow: Math.max(0, ...casts.map(({ portal }) => simulator.peakOf(portal.portalId))),
  };
}
