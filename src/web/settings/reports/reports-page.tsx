import type { Format } from "../words/format.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { DECIDED_OUTCOMES, type DecidedOutcome } from "#domain/history/outcome-history.js";
import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type Report, type ReportGroup } from "#domain/history/report.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { EndsCard } from "./ends-card.js";
import { countedAddress, LineName, nameOf } from "./line-names.js";
import { ReportChoices, REPORTS_PATH } from "./report-choice.js";
import type { ReportPeriod } from "./report-period.js";
import type { ReportSummary } from "#domain/history/reports/report-summary.js";
import { SummaryCard } from "./summary-card.js";
import { addressOf } from "../words/addresses.js";
import { StackedBars, type BarPart } from "./stacked-bars.js";

export interface ReportsPageModel extends Report {
  frame: Frame;
  group: ReportGroup;
  period: ReportPeriod;
  summary: ReportSummary;
  /** True if more was decided in the range than is counted: `since` is later then. */
  isShortened: boolean;
  format: Format;
}

/** The largest lines are drawn; of weeks all, in their order. */
const CHARTED = 8;

export function ReportsPage(model: ReportsPageModel) {
  const { frame, group, period, summary, format, lines } = model;
  const charted = group === "week" ? lines : lines.slice(0, CHARTED);
  return (
    <SitePage
      title="Reports"
      current="/settings/reports"
      frame={frame}
      lead="Enrollment results by sequence, sender, workflow, or week, and how those enrollments ended."
    >
      <section class="card" aria-labelledby="report-title">
        <div class="card-head">
          <h2 id="report-title">
            By {REPORT_GROUPS[group].label.toLowerCase()}, {period.label}
          </h2>
          <a class="button quiet" href={addressOf(`${REPORTS_PATH}.csv`, { by: group, ...period.query })}>
            Export CSV
          </a>
        </div>
        <ReportChoices group={group} period={period} />
        {lines.length === 0 ? (
          <p class="empty">
            No contacts in this period ({period.label}). As soon as contacts reach the action, this fills
            automatically.
          </p>
        ) : (
          <>
            <StackedBars
              lines={charted}
              parts={PARTS}
              noun="contact"
              labelOf={(line: ReportLine) => nameOf(line, group)}
            />
            <ReportTable {...model} />
            <Notes {...model} />
          </>
        )}
      </section>
      {lines.length === 0 ? null : <SummaryCard summary={summary} period={period} format={format} />}
      <EndsCard {...model} charted={charted} />
    </SitePage>
  );
}

function Notes({ group, lines, rest, format, since, isShortened }: ReportsPageModel) {
  return (
    <>
      <p class="note">
        Each workflow visit counts once; retries aren't counted separately. Enrollment rate: enrolled, of all.
        Time to enroll: the median.
      </p>
      {group === "week" ? (
        <p class="note">
          Weeks begin on Monday, by the clocks of {format.timeZone}; the oldest is shown whole, also if the
          period begins in the middle of it.
        </p>
      ) : null}
      {rest === undefined ? null : (
        <p class="note">
          The {format.count(lines.length)} largest are shown, and {format.count(rest.count)} more are in the
          total. The CSV file has the 5,000 largest.
        </p>
      )}
      {isShortened ? (
        <p class="note">
          There is more in this period than is counted at once: these are the results since{" "}
          {format.dateTime(since)}.
        </p>
      ) : null}
    </>
  );
}

const PARTS: readonly BarPart<ReportLine>[] = DECIDED_OUTCOMES.map((outcome) => ({
  name: outcome,
  label: OUTCOME_LABELS[outcome],
  count: (line) => countOf(line, outcome),
}));

function ReportTable({ lines, total, group, since, period, format }: ReportsPageModel) {
  const counted = { since, until: period.until };
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
          <th scope="col">Enrollment rate</th>
          <th scope="col">Time to enroll</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id ?? ""}>
            <th scope="row">
              <LineName line={line} group={group} counted={counted} />
            </th>
            <Cells line={line} format={format} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">
            <a href={countedAddress(counted)}>Total</a>
          </th>
          <Cells line={total} format={format} />
        </tr>
      </tfoot>
    </table>
  );
}

function Cells({ line, format }: { line: ReportLine; format: Format }) {
  const { medianMs, p95Ms, enrolledSince } = line;
  const all = DECIDED_OUTCOMES.reduce((sum, outcome) => sum + countOf(line, outcome), 0);
  return (
    <>
      {DECIDED_OUTCOMES.map((outcome) => (
        <td key={outcome} data-label={OUTCOME_LABELS[outcome]}>
          <span>{format.count(countOf(line, outcome))}</span>
          {outcome === "failed" && enrolledSince > 0 ? (
            <span class="note">{format.count(enrolledSince)} enrolled after a retry</span>
          ) : null}
        </td>
      ))}
      <td data-label="Enrollment rate" class={all === 0 ? "nothing" : undefined}>
        {all === 0 ? "–" : format.percent(line.enrolled / all)}
      </td>
      <td data-label="Time to enroll" class={medianMs === null ? "nothing" : undefined}>
        {medianMs === null ? "–" : <span>{format.span(medianMs)}</span>}
        {p95Ms === null ? null : <span class="note">95% within {format.span(p95Ms)}</span>}
      </td>
    </>
  );
}

function countOf(line: ReportLine, outcome: DecidedOutcome): number {
  return outcome === "already-enrolled" ? line.alreadyEnrolled : line[outcome];
}
