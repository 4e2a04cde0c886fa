import { scaleLinear } from "d3-scale";
import type { Format } from "../frame/format.js";
import { OUTCOME_LABELS } from "../activity/outcome.js";
import { DECIDED_OUTCOMES } from "../overview/outcome-history.js";
import { REPORT_GROUPS, type ReportGroup, type ReportLine } from "./report.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { activityAddress } from "../overview/overview-cards.js";

/** Stretches of time a report can be of. */
export const REPORT_RANGES = {
  "24h": { label: "24 hours", hours: 24 },
  "7d": { label: "7 days", hours: 7 * 24 },
  "30d": { label: "30 days", hours: 30 * 24 },
  "90d": { label: "90 days", hours: 90 * 24 },
} as const;
export type ReportRange = keyof typeof REPORT_RANGES;

export interface ReportsPageModel {
  frame: Frame;
  group: ReportGroup;
  range: ReportRange;
  lines: readonly ReportLine[];
  /** True where there are more lines than are shown. */
  isPartial: boolean;
  format: Format;
}

export function ReportsPage(model: ReportsPageModel) {
  const { frame, group, range, lines, isPartial } = model;
  return (
    <SitePage
      title="Reports"
      current="/settings/reports"
      frame={frame}
      lead="How enrolling went for each sequence, sender or workflow, and what became of those who were enrolled."
    >
      <section class="card" aria-labelledby="report-title">
        <div class="card-head">
          <h2 id="report-title">
            By {REPORT_GROUPS[group].label.toLowerCase()}, last {REPORT_RANGES[range].label}
          </h2>
          <a class="button quiet" href={`/settings/reports.csv?by=${group}&range=${range}`}>
            Download as CSV
          </a>
        </div>
        <div class="choices">
          <Choice
            label="Break down by"
            options={REPORT_GROUPS}
            current={group}
            address={(by) => addressOf(by, range)}
          />
          <Choice
            label="Stretch of time"
            options={REPORT_RANGES}
            current={range}
            address={(of) => addressOf(group, of)}
          />
        </div>
        {lines.length === 0 ? (
          <p class="empty">
            Nothing was decided in the last {REPORT_RANGES[range].label}. As soon as contacts reach the step,
            this fills by itself.
          </p>
        ) : (
          <>
            <ReportChart {...model} />
            <ReportTable {...model} />
            {isPartial ? (
              <p class="note">Only the {lines.length} largest are shown; the CSV file has all of them.</p>
            ) : null}
          </>
        )}
      </section>
    </SitePage>
  );
}

function addressOf(group: ReportGroup, range: ReportRange): string {
  return `/settings/reports?by=${group}&range=${range}`;
}

interface ChoiceModel<Key extends string> {
  label: string;
  options: Readonly<Record<Key, { label: string }>>;
  current: Key;
  address: (key: Key) => string;
}

function Choice<Key extends string>({ label, options, current, address }: ChoiceModel<Key>) {
  return (
    <nav class="choice" aria-label={label}>
      {(Object.keys(options) as Key[]).map((key) => (
        <a key={key} href={address(key)} aria-current={key === current ? "true" : undefined}>
          {options[key].label}
        </a>
      ))}
    </nav>
  );
}

const CHARTED = 8;

/** The largest lines as stacked bars; the table below says the same in numbers. */
function ReportChart({ lines, group, format }: ReportsPageModel) {
  const charted = lines.slice(0, CHARTED);
  const length = scaleLinear([0, Math.max(1, ...charted.map(totalOf))], [0, 1000]);
  return (
    <figure class="chart">
      <ul class="loads">
        {charted.map((line) => (
          <li key={line.id ?? ""}>
            <span class="clamp">{nameOf(line, group)}</span>
            <span class="note">{format.count(totalOf(line))}</span>
            <StackedBar line={line} length={length} />
          </li>
        ))}
      </ul>
      <figcaption>
        <ul class="legend">
          {DECIDED_OUTCOMES.map((outcome) => (
            <li key={outcome} class={outcome}>
              {OUTCOME_LABELS[outcome]}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function StackedBar({ line, length }: { line: ReportLine; length: (value: number) => number }) {
  let from = 0;
  return (
    <svg class="bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
      {DECIDED_OUTCOMES.map((outcome) => {
        const width = Math.round(length(countOf(line, outcome)));
        const x = from;
        from += width;
        return width === 0 ? null : <rect key={outcome} class={outcome} x={x} width={width} height="6" />;
      })}
    </svg>
  );
}

function ReportTable({ lines, group, range, format }: ReportsPageModel) {
  return (
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">{REPORT_GROUPS[group].label}</th>
          {DECIDED_OUTCOMES.map((outcome) => (
            <th key={outcome} scope="col">
              {OUTCOME_LABELS[outcome]}
            </th>
          ))}
          <th scope="col">Time to enroll, median</th>
          <th scope="col">95th percentile</th>
          <th scope="col">Replied</th>
          <th scope="col">Finished</th>
          <th scope="col">Unenrolled</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <Line key={line.id ?? ""} {...{ line, group, range, format }} />
        ))}
      </tbody>
    </table>
  );
}

function Line({
  line,
  group,
  range,
  format,
}: { line: ReportLine } & Pick<ReportsPageModel, "group" | "range" | "format">) {
  const { id, medianMs, p95Ms, ends } = line;
  const name = <span class="clamp">{nameOf(line, group)}</span>;
  const known = ends.replied + ends.finished + ends.unenrolled;
  return (
    <tr>
      <th scope="row">
        {id === null ? name : <a href={activityAddress({ [group]: id, since: range })}>{name}</a>}
      </th>
      {DECIDED_OUTCOMES.map((outcome) => (
        <td key={outcome} data-label={OUTCOME_LABELS[outcome]}>
          {format.count(countOf(line, outcome))}
        </td>
      ))}
      <td data-label="Median">{medianMs === null ? "–" : format.span(medianMs)}</td>
      <td data-label="95th p.">{p95Ms === null ? "–" : format.span(p95Ms)}</td>
      {(["replied", "finished", "unenrolled"] as const).map((end) => (
        <td key={end} data-label={END_LABELS[end]}>
          {known === 0 ? "–" : format.percent(ends[end] / known)}
        </td>
      ))}
    </tr>
  );
}

const END_LABELS = { replied: "Replied", finished: "Finished", unenrolled: "Unenrolled" } as const;

function nameOf({ id, name }: ReportLine, group: ReportGroup): string {
  if (name !== null) return name;
  return id === null ? "Not known" : `${REPORT_GROUPS[group].label} ${id}`;
}

function countOf(line: ReportLine, outcome: (typeof DECIDED_OUTCOMES)[number]): number {
  return outcome === "already-enrolled" ? line.alreadyEnrolled : line[outcome];
}

function totalOf(line: ReportLine): number {
  return DECIDED_OUTCOMES.reduce((sum, outcome) => sum + countOf(line, outcome), 0);
}
