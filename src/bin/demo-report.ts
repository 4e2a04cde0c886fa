import Table from "cli-table3";
import type { DemoAccount } from "./demo-account.js";
import type { SimulatedPortal } from "../simulator/portal.js";
import type { WorkflowRun } from "../simulator/workflow/run.js";

/** The figures a demo run ends with. */
export interface DemoFigures {
  /** Contacts that passed any of the steps; each counts once per step. */
  readonly executions: number;
  /** Distinct contacts that reached the enroll step. */
  readonly contacts: number;
  readonly seconds: number;
  readonly enrollCalls: number;
  readonly contactsPostedTwice: number;
  readonly completions: number;
  readonly completionCalls: number;
  readonly otherCalls: number;
  readonly throttled: number;
  /** The most requests in one rolling window, out of the limit. */
  readonly peakInWindow: number;
}

export const RATE_LIMIT = { requests: 110, windowMs: 10_000 };

/** Reads the figures from the simulator: what HubSpot saw, not what the app believes. */
export function readFigures(
  portal: SimulatedPortal,
  facts: { contacts: number; seconds: number; peakInWindow: number },
): DemoFigures {
  const { traffic, callbacks, enrollments, runs } = portal;
  const enrollCalls = traffic.requestsOf("enroll");
  const completionCalls = traffic.requestsOf("callbacks");
  return {
    ...facts,
    executions: runs.reduce((sum, run) => sum + run.executions.length, 0),
    enrollCalls,
    contactsPostedTwice: [...portal.contacts.keys()].filter(
      (contactId) => enrollments.factsOf(contactId).posts > 1,
    ).length,
    completions: callbacks.acceptedCount,
    completionCalls,
    otherCalls: traffic.counted - enrollCalls - completionCalls,
    throttled: traffic.throttled,
  };
}

/** Whether the run kept the product's promises. */
export function isFaultless(figures: DemoFigures): boolean {
  const isEverybodyAnswered = figures.completions === figures.executions;
  return isEverybodyAnswered && figures.throttled === 0 && figures.contactsPostedTwice === 0;
}

/** No line between rows: the whole report fits a screen. */
const COMPACT = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" };
const PLAIN = { style: { head: [], border: [] }, chars: COMPACT };
/** Together with the other columns fewer than 100. */
const REASON_COLUMNS = 50;

interface Line {
  readonly outcome: string;
  readonly reason: string;
  readonly counts: number[];
}

/** The history's lines are the same for all contacts of an outcome, except for the names in them. */
function lineOf(portal: SimulatedPortal, run: WorkflowRun, index: number): Pick<Line, "outcome" | "reason"> {
  const execution = run.executions[index] as WorkflowRun["executions"][number];
  const { outputs, contactId } = execution;
  const status = outputs["enrollment_status"] ?? "";
  if (status !== "ENROLLED") {
    const outcome = (outputs["error_code"] ?? "") || status;
    return { outcome, reason: run.historyLabel(execution) };
  }
  const { hubspot_owner_id: ownerId } = portal.contact(contactId).properties;
  const owner = ownerId == null ? undefined : portal.owners.get(ownerId);
  const isOwners = owner?.userId !== undefined && String(owner.userId) === outputs["sender_user_id"];
  const reason = isOwners
    ? "Sent by the contact's owner"
    : "Owner couldn't send, so the next in rotation did";
  return { outcome: "ENROLLED", reason };
}

/** What became of each workflow's contacts, and why, as HubSpot's workflow history words it. */
export function renderReasons(portal: SimulatedPortal, runs: Readonly<Record<string, WorkflowRun>>): string {
  const names = Object.keys(runs);
  const lines = new Map<string, Line>();
  Object.values(runs).forEach((run, column) => {
    for (let index = 0; index < run.executions.length; index += 1) {
      const { outcome, reason } = lineOf(portal, run, index);
      const key = `${outcome} ${reason}`;
      const line = lines.get(key) ?? { outcome, reason, counts: names.map(() => 0) };
      line.counts[column] = (line.counts[column] ?? 0) + 1;
      lines.set(key, line);
    }
  });
  const total = ({ counts }: Line): number => counts.reduce((sum, count) => sum + count, 0);
  const table = new Table({
    head: ["Outcome", "Reason (as in the workflow's history)", ...names],
    colAligns: ["left", "left", ...names.map(() => "right" as const)],
    colWidths: [null, REASON_COLUMNS],
    wordWrap: true,
    ...PLAIN,
  });
  for (const line of [...lines.values()].sort((left, right) => total(right) - total(left)))
    table.push([line.outcome, line.reason, ...line.counts.map((count) => (count === 0 ? "" : count))]);
  return table.toString();
}

/** How often each outcome of a step occurred, in one line. */
export function renderStep(
  run: WorkflowRun,
  outcomeOf: (outputs: Readonly<Record<string, string>>) => string,
) {
  const counts = new Map<string, number>();
  for (const { outputs } of run.executions)
    counts.set(outcomeOf(outputs), (counts.get(outcomeOf(outputs)) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}

/** A promise of the product, and whether it was kept. */
const verdict = (value: string | number, isKept: boolean): string => `${value} ${isKept ? "✓" : "✗"}`;

/** Time and calls as text. */
export function renderFigures(figures: DemoFigures): string {
  const perBatch = figures.completionCalls === 0 ? 0 : figures.completions / figures.completionCalls;
  const calls = figures.enrollCalls + figures.completionCalls + figures.otherCalls;
  const facts = new Table({ colAligns: ["left", "right"], ...PLAIN });
  facts.push(
    ["Duration", `${figures.seconds.toFixed(1)} s`],
    [
      "Requests to HubSpot",
      `${calls} (${figures.enrollCalls} to enroll, ${figures.completionCalls} to report, ${figures.otherCalls} other)`,
    ],
    [
      "Requests per contact, all actions",
      `${(calls / figures.contacts).toFixed(2)} (${figures.contacts} contacts)`,
    ],
    ["Results per request", `${perBatch.toFixed(1)} (${figures.completions} results reported)`],
    ["Enrolled twice", verdict(figures.contactsPostedTwice, figures.contactsPostedTwice === 0)],
    [
      "Busiest 10 seconds",
      verdict(
        `${figures.peakInWindow} of ${RATE_LIMIT.requests} requests`,
        figures.peakInWindow <= RATE_LIMIT.requests,
      ),
    ],
    ["Rate-limit errors (429)", verdict(figures.throttled, figures.throttled === 0)],
  );
  return facts.toString();
}

/** Where to go from here. The first contact of a workflow is one that could not be enrolled. */
export function renderInvitation(publicUrl: string, { portal, people, outbound }: DemoAccount): string {
  const { email } = portal.contact(outbound[0] ?? "").properties;
  return [
    "",
    `  Open ${publicUrl}/settings and agree once on the simulated HubSpot's page. Three things to try:`,
    `    Overview  find ${email ?? ""} to see why this contact wasn't enrolled`,
    `    Senders   ${people.cappedOutbound.firstName} is at the daily cap: see whom that affects`,
    "    Reports   compare workflows, senders, and weeks",
    "  Ctrl-C stops everything.",
  ].join("\n");
}
