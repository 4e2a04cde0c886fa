import Table from "cli-table3";
import { BREAKS } from "./hostile-proxy.js";
import { DISTURBANCES } from "./plan.js";
import type { Recovery } from "./recovery.js";
import { RATE_LIMIT, type RunReport } from "./run.js";
import { countOf, isKept } from "./verdict.js";

const PLAIN = { head: [], border: [] };
const SHOWN_PROBLEMS = 20;

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** One row per kind of disturbance: how often, and how soon HubSpot saw the app work again. */
function recoveryRows(reports: readonly RunReport[]): string[][] {
  const recoveries = reports.flatMap((report) => report.recoveries);
  return DISTURBANCES.flatMap((kind) => {
    const count = reports.flatMap(({ disturbances }) => disturbances).filter((one) => one.kind === kind);
    const whats: Recovery["what"][] = ["a call accepted", "every portal at work"];
    const rows = whats.flatMap((what) => {
      const took = recoveries
        .filter((one) => one.kind === kind && one.what === what)
        .map(({ tookMs }) => tookMs)
        .sort((a, b) => a - b);
      if (took.length === 0) return [];
      return [[what, seconds(quantile(took, 0.5)), seconds(took.at(-1) ?? 0)]];
    });
    return rows.length === 0
      ? [[kind, String(count.length), "", "", ""]]
      : rows.map((row, index) => [index === 0 ? kind : "", index === 0 ? String(count.length) : "", ...row]);
  });
}

function recoveryTable(reports: readonly RunReport[]): string {
  const table = new Table({
    head: ["Disturbance", "Times", "Until", "Median", "Longest"],
    colAligns: ["left", "right", "left", "right", "right"],
    style: PLAIN,
  });
  table.push(...recoveryRows(reports));
  return table.toString();
}

/** One run: what HubSpot saw. */
export function renderRun(report: RunReport): string {
  const { verdict } = report;
  const faults = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const table = new Table({ colAligns: ["left", "right"], style: PLAIN });
  table.push(
    ["Seed", report.seed],
    ["Time", seconds(report.seconds * 1_000)],
    ["Calls", verdict.calls],
    ["Accepted", verdict.accepted],
    ["Forgotten by a restore, not judged", verdict.forgotten],
    ["Decided again after a restore", verdict.decidedAgain],
    ["Completed", verdict.completed],
    ["Enrolled", verdict.enrolled],
    ["Enrolled twice", countOf(verdict.problems, "enrolled twice")],
    ["Lost", countOf(verdict.problems, "lost")],
    ["Refused for a used-up cap", verdict.cappedContacts],
    ["Over cap", verdict.overCap],
    ["Posted again while enrolled", verdict.postedWhileEnrolled],
    ["Completions sent again: answer lost", verdict.resends["answer lost"]],
    ["Completions sent again: crash", verdict.resends.crash],
    ["Completions sent again: no reason", verdict.resends.none],
    ["Calls HubSpot gave up on", verdict.givenUp],
    ["Faults on API requests", faults],
    ...BREAKS.map((how) => [`Database connections: ${how}`, report.breaks[how]]),
    ["429s caused by us", verdict.throttled],
    ["Peak in any 10 s", `${verdict.peakInWindow} of ${RATE_LIMIT}`],
    ["Processes that ended by themselves", report.collapses.length],
  );
  return [table.toString(), recoveryTable([report]), ...problemLines(report)].join("\n");
}

function problemLines({ verdict, collapses, logDir }: RunReport): string[] {
  const lines = verdict.problems
    .slice(0, SHOWN_PROBLEMS)
    .map(
      ({ kind, what, portalId, contactId, callbackId }) =>
        `  ${kind.toUpperCase()}: ${what} (portal ${portalId}, contact ${contactId}, callback ${callbackId})`,
    );
  const further = verdict.problems.length - lines.length;
  return [
    ...lines,
    ...(further > 0 ? [`  … and ${further} more`] : []),
    ...collapses.map((line) => `  COLLAPSE: ${line}`),
    ...(logDir === undefined ? [] : [`  Logs: ${logDir}`]),
  ];
}

/** All runs, a row each, and what they come to together. */
export function renderSummary(reports: readonly RunReport[]): string {
  const table = new Table({
    head: [
      "Seed",
      "Time",
      "Accepted",
      "Completed",
      "Enrolled",
      "Twice",
      "Lost",
      "Over cap",
      "429s",
      "Forgotten",
      "Re-sent",
      "Disturbed",
      "",
    ],
    colAligns: [...Array.from({ length: 12 }, () => "right" as const), "left"],
    style: PLAIN,
  });
  for (const report of reports) {
    const { verdict } = report;
    const { "answer lost": answerLost, crash, none } = verdict.resends;
    table.push([
      report.seed,
      seconds(report.seconds * 1_000),
      verdict.accepted,
      verdict.completed,
      verdict.enrolled,
      countOf(verdict.problems, "enrolled twice"),
      countOf(verdict.problems, "lost"),
      verdict.overCap,
      verdict.throttled,
      verdict.forgotten,
      `${answerLost} + ${crash} + ${none}`,
      report.disturbances.length,
      isKept(verdict) ? "kept" : "BROKEN",
    ]);
  }
  return [
    table.toString(),
    "Re-sent completions: answer lost + crash + no reason",
    recoveryTable(reports),
  ].join("\n");
}
