import Table from "cli-table3";
import type { SimulatedPortal } from "../simulator/portal/portal.js";
import type { WorkflowRun } from "../simulator/workflow/run.js";

/** The figures a demo run ends with. */
export interface DemoFigures {
  readonly contacts: number;
  readonly seconds: number;
  readonly enrollCalls: number;
  readonly contactsPostedTwice: number;
  readonly completions: number;
  readonly completionCalls: number;
  readonly otherCalls: number;
  readonly throttled: number;
  /** Most requests inside one rolling window, of the limit. */
  readonly peakInWindow: number;
  readonly outcomes: ReadonlyMap<string, number>;
}

export const RATE_LIMIT = { requests: 110, windowMs: 10_000 };

function countOutcomes(run: WorkflowRun): Map<string, number> {
  const outcomes = new Map<string, number>();
  for (const { outputs, state } of run.executions) {
    const status = outputs["enrollment_status"] ?? state;
    const reason = outputs["error_code"] ?? "";
    const key = reason === "" ? status : `${status} ${reason}`;
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  }
  return new Map([...outcomes].sort(([, a], [, b]) => b - a));
}

/** Reads the figures off the simulator: what HubSpot saw, not what the app believes. */
export function readFigures(
  run: WorkflowRun,
  portal: SimulatedPortal,
  facts: { seconds: number; peakInWindow: number },
): DemoFigures {
  const { traffic, callbacks, enrollments } = portal;
  const enrollCalls = traffic.requestsOf("enroll");
  const completionCalls = traffic.requestsOf("callbacks");
  return {
    ...facts,
    contacts: run.executions.length,
    enrollCalls,
    contactsPostedTwice: [...portal.contacts.keys()].filter(
      (contactId) => enrollments.factsOf(contactId).posts > 1,
    ).length,
    completions: callbacks.acceptedCount,
    completionCalls,
    otherCalls: traffic.counted - enrollCalls - completionCalls,
    throttled: traffic.throttled,
    outcomes: countOutcomes(run),
  };
}

/** Whether the run kept the product's promises. */
export function isFaultless(figures: DemoFigures): boolean {
  const answered = [...figures.outcomes.values()].reduce((sum, count) => sum + count, 0);
  const isEverybodyAnswered = answered === figures.contacts && figures.completions === figures.contacts;
  return isEverybodyAnswered && figures.throttled === 0 && figures.contactsPostedTwice === 0;
}

/** No line between rows: the whole report fits a screen. */
const COMPACT = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };

/** The outcome table as text. */
export function renderFigures(figures: DemoFigures): string {
  const outcomes = new Table({
    head: ["Outcome", "Contacts"],
    colAligns: ["left", "right"],
    style: { head: [], border: [] },
    chars: COMPACT,
  });
  for (const [outcome, count] of figures.outcomes) outcomes.push([outcome, count]);
  const perBatch = figures.completionCalls === 0 ? 0 : figures.completions / figures.completionCalls;
  const windows = figures.seconds / (RATE_LIMIT.windowMs / 1_000);
  const calls = figures.enrollCalls + figures.completionCalls + figures.otherCalls;
  const facts = new Table({ colAligns: ["left", "right"], style: { head: [], border: [] }, chars: COMPACT });
  facts.push(
    ["Time", `${figures.seconds.toFixed(1)} s`],
    [
      "Calls to HubSpot",
      `${calls} (${figures.enrollCalls} enroll, ${figures.completionCalls} completion, ${figures.otherCalls} other)`,
    ],
    ["Completions per call", perBatch.toFixed(1)],
    ["Contacts posted more than once", figures.contactsPostedTwice],
    ["Peak in any 10 s", `${figures.peakInWindow} of ${RATE_LIMIT.requests}`],
    [
      "Budget used over the run",
      `${((100 * calls) / (Math.max(1, Math.ceil(windows)) * RATE_LIMIT.requests)).toFixed(0)} %`,
    ],
    ["429 answers", figures.throttled],
  );
  return `${outcomes.toString()}\n${facts.toString()}`;
}
