import { statsAnswer, type StatsLine } from "../api/answers.js";
import type { Command } from "../command.js";
import { EXIT } from "../exit-codes.js";

/** Of the period: by days if nothing else is asked for. */
const HEADS: Readonly<Record<string, string>> = {
  day: "Day",
  sequence: "Sequence",
  sender: "Sender",
  workflow: "Workflow",
  source: "Source",
};

/** "90 s", "12 min", "3.5 h": the longest unit that leaves a number a person reads at a glance. */
function duration(ms: number | undefined): string {
  if (ms === undefined) return "";
  const seconds = ms / 1_000;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

/** What has no name, such as an enrollment without a workflow, is told by its id, or by a dash. */
const nameOf = ({ id, name }: StatsLine): string => name ?? id ?? "–";

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

function cellsOf(line: StatsLine): (string | number)[] {
  const { ENROLLED = 0, ALREADY_ENROLLED = 0, SKIPPED = 0, FAILED = 0, CANCELLED = 0 } = line.statuses;
  return [
    line.total,
    ENROLLED,
    ALREADY_ENROLLED,
    SKIPPED,
    FAILED,
    CANCELLED,
    duration(line.timeToEnroll?.medianMs),
    sum(line.ends),
  ];
}

export const stats: Command = {
  name: "stats",
  summary: "Counts enrollments by status and reason over a period.",
  operands: [],
  options: [
    { name: "from", value: "DATE", help: "first day or moment (30 days before the end)" },
    { name: "to", value: "DATE", help: "last day, or the moment before which it ends (now)" },
    { name: "by", value: "WHAT", help: "day (the default), sequence, sender, workflow or source" },
  ],
  notes: ["With --json: one value, with reasons, the 95th percentile, and each kind of end."],
  async run({ api, args, output }) {
    const query = { from: args.text("from"), to: args.text("to"), by: args.text("by") };
    const found = await api.call({ method: "GET", path: "/stats", query }, statsAnswer);
    if (output.isJson) await output.json(found);
    else {
      const head = ["All", "Enrolled", "Already", "Skipped", "Failed", "Canceled", "Median", "Ended"];
      await output.table(
        [HEADS[found.by] ?? found.by, ...head],
        [
          ...found.results.map((line) => [nameOf(line), ...cellsOf(line)]),
          ["Total", ...cellsOf({ ...found.total, id: null, name: null })],
        ],
      );
      const reasons = Object.entries(found.total.reasons);
      if (reasons.length > 0) await output.table(["Reason", "Enrollments"], reasons);
    }
    return EXIT.done;
  },
};
