import { scaleLinear } from "d3-scale";
import { numbered, type Format } from "../words/format.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { DECIDED_OUTCOMES } from "#domain/history/outcome-history.js";
import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type Report, type ReportGroup } from "#domain/history/report.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { decidedAddress } from "../overview/overview-cards.js";

/** Periods a report can cover. */
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
  /** What was decided from then on is counted. */
  since: Date;
  lines: readonly ReportLine[];
  /** Of all lines, also those that are not shown. */
  total: ReportLine;
  rest: Report["rest"];
  /** True if more was decided in the range than is counted: `since` is later then. */
  isShortened: boolean;
  format: Format;
}

export function ReportsPage(model: ReportsPageModel) {
  const { frame, group, range, lines, rest, format, since } = model;
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
            label="Period"
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
            <p class="note">
              Each call of a workflow counts once; “enrolled since” are those an admin had tried again. “–”:
              nobody was enrolled, or no step “Wait for sequence end” has told yet how an enrollment ended.
              Shares are of those whose end is known.
            </p>
            {rest === undefined ? null : (
              <p class="note">
                The {format.count(lines.length)} largest are shown, and {format.count(rest.count)} more are in
                the total. The CSV file has the 5,000 largest.
              </p>
            )}
            {model.isShortened ? (
              <p class="note">
                There is more in this period than is counted at once: these are the results since{" "}
                {format.dateTime(since)}.
              </p>
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
function ReportChart({ lines, group }: ReportsPageModel) {
  const charted = lines.slice(0, CHARTED);
  const length = scaleLinear([0, Math.max(1, ...charted.map(totalOf))], [0, 1000]);
  return (
    <figure class="chart">
      <ul class="loads">
        {charted.map((line) => (
          <li key={line.id ?? ""}>
            <span class="clamp">{nameOf(line, group)}</span>
            <span class="note">{numbered(totalOf(line), "contact")}</span>
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

function ReportTable({ lines, total, group, since, format }: ReportsPageModel) {
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
          {ENDS.map((end) => (
            <th key={end} scope="col">
              {END_LABELS[end]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id ?? ""}>
            <th scope="row">
              <Name line={line} group={group} since={since} />
            </th>
            <Cells line={line} format={format} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">
            <a href={decidedAddress(since, {})}>Total</a>
          </th>
          <Cells line={total} format={format} />
        </tr>
      </tfoot>
    </table>
  );
}

function Name({ line, group, since }: { line: ReportLine } & Pick<ReportsPageModel, "group" | "since">) {
  const name = <span class="clamp">{nameOf(line, group)}</span>;
  return line.id === null ? name : <a href={decidedAddress(since, { [group]: line.id })}>{name}</a>;
}

function Cells({ line, format }: { line: ReportLine; format: Format }) {
  const { medianMs, p95Ms, ends, enrolledSince } = line;
  const known = ENDS.reduce((sum, end) => sum + ends[end], 0);
  return (
    <>
      {DECIDED_OUTCOMES.map((outcome) => (
        <td key={outcome} data-label={OUTCOME_LABELS[outcome]}>
          <span>{format.count(countOf(line, outcome))}</span>
          {outcome === "failed" && enrolledSince > 0 ? (
            <span class="note">{format.count(enrolledSince)} enrolled since</span>
          ) : null}
        </td>
      ))}
      <td data-label="Median">{medianMs === null ? "–" : format.span(medianMs)}</td>
      <td data-label="95th p.">{p95Ms === null ? "–" : format.span(p95Ms)}</td>
      {ENDS.map((end) => (
        <td key={end} data-label={END_LABELS[end]}>
          {known === 0 ? "–" : <Share part={ends[end]} of={known} format={format} />}
        </td>
      ))}
    </>
  );
}

/** A share with what it is of: 50% of two says little. */
function Share({ part, of, format }: { part: number; of: number; format: Format }) {
  return (
    <>
      <span class="count">
        {format.count(part)} of {format.count(of)}
      </span>
      <span class="note">{format.percent(part / of)}</span>
    </>
  );
}

const ENDS = ["replied", "finished", "unenrolled"] as const;
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
