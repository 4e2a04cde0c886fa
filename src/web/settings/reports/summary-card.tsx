import type { ErrorCode } from "#domain/contract/error-codes.js";
import { DECIDED_OUTCOMES, type OutcomeCounts } from "#domain/history/outcome-history.js";
import type { ReasonCount, ReportSummary } from "#domain/history/reports/report-summary.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import { CODE_WORDS } from "../words/activity-words.js";
import { addressOf } from "../words/addresses.js";
import type { Format } from "../words/format.js";
import { ACTIVITY_PATH } from "../words/paths.js";
import type { ReportPeriod } from "./report-period.js";
import { StackedBars, type BarPart } from "./stacked-bars.js";

interface SummaryModel {
  summary: ReportSummary;
  period: ReportPeriod;
  format: Format;
}

interface Side {
  readonly name: string;
  readonly counts: OutcomeCounts;
}

const PARTS: readonly BarPart<Side>[] = DECIDED_OUTCOMES.map((outcome) => ({
  name: outcome,
  label: OUTCOME_LABELS[outcome],
  count: ({ counts }) => counts[outcome],
}));

/** The period beside the one before it: a picture, the numbers with rates, and the reasons. */
export function SummaryCard({ summary, period, format }: SummaryModel) {
  const { counts, before, reasons } = summary;
  const sides = [
    { name: "This period", counts },
    { name: "Period before", counts: before },
  ];
  return (
    <section class="card" aria-labelledby="summary-title">
      <h2 id="summary-title">Compared with the period before</h2>
      <StackedBars lines={sides} parts={PARTS} noun="contact" labelOf={({ name }: Side) => name} />
      <table class="numbers">
        <thead>
          <Head first="Result" />
        </thead>
        <tbody>
          {DECIDED_OUTCOMES.map((outcome) => (
            <tr key={outcome}>
              <th scope="row">{OUTCOME_LABELS[outcome]}</th>
              <Share part={counts[outcome]} of={totalOf(counts)} label="This period" format={format} />
              <Share part={before[outcome]} of={totalOf(before)} label="Before" format={format} />
              <Change now={counts[outcome]} before={before[outcome]} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Contacts</th>
            <td data-label="This period">{format.count(totalOf(counts))}</td>
            <td data-label="Before">{format.count(totalOf(before))}</td>
            <Change now={totalOf(counts)} before={totalOf(before)} />
          </tr>
        </tfoot>
      </table>
      <Reasons reasons={reasons} period={period} format={format} />
    </section>
  );
}

function Head({ first }: { first: string }) {
  return (
    <tr>
      {[first, "This period", "Period before", "Change"].map((label) => (
        <th key={label} scope="col">
          {label}
        </th>
      ))}
    </tr>
  );
}

function Reasons({
  reasons,
  period,
  format,
}: { reasons: readonly ReasonCount[] } & Omit<SummaryModel, "summary">) {
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>Why contacts were not enrolled</h3>
      <table class="numbers">
        <thead>
          <Head first="Reason" />
        </thead>
        <tbody>
          {reasons.map(({ code, count, before }) => (
            <tr key={code}>
              <th scope="row">
                <a
                  href={addressOf(ACTIVITY_PATH, {
                    kind: "ENROLL",
                    retries: "without",
                    code,
                    ...period.decided,
                  })}
                >
                  {Object.hasOwn(CODE_WORDS, code) ? CODE_WORDS[code as ErrorCode] : code}
                </a>
              </th>
              <td data-label="This period">{format.count(count)}</td>
              <td data-label="Before">{format.count(before)}</td>
              <Change now={count} before={before} />
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

interface ShareModel {
  part: number;
  of: number;
  label: string;
  format: Format;
}

function Share({ part, of, label, format }: ShareModel) {
  return (
    <td data-label={label}>
      <span>{format.count(part)}</span>
      {of === 0 ? null : <span class="note">{format.percent(part / of)}</span>}
    </td>
  );
}

/** "+12%"; "new" where there was nothing before. */
function Change({ now, before }: { now: number; before: number }) {
  return <td data-label="Change">{changeInWords(now, before)}</td>;
}

export function changeInWords(now: number, before: number): string {
  if (now === before) return "–";
  if (before === 0) return "new";
  const percent = Math.round((100 * (now - before)) / before);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent).toLocaleString("en-US")}%`;
}

function totalOf(counts: OutcomeCounts): number {
  return DECIDED_OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}
