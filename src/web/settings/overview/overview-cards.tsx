import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import type { Format } from "../words/format.js";
import {
  DECIDED_OUTCOMES,
  RANGES,
  type OutcomeHistory,
  type Range,
} from "#domain/history/outcome-history.js";
import { decidedAddress } from "../words/activity-address.js";
import { OutcomeChart } from "./outcome-chart.js";

/** What was decided in the chosen period: numbers, each a link to its list, and a chart. */
export function HistoryCard({ history, format }: { history: OutcomeHistory; format: Format }) {
  const { range, since, totals, enrolledSince } = history;
  const total = DECIDED_OUTCOMES.reduce((sum, outcome) => sum + totals[outcome], 0);
  return (
    <section class="card" aria-labelledby="history-title">
      <div class="card-head">
        <h2 id="history-title">Enrollment results</h2>
        <RangeChoice current={range} />
      </div>
      <ul class="figures">
        {DECIDED_OUTCOMES.map((outcome) => (
          <li key={outcome}>
            <a class={`figure ${outcome}`} href={decidedAddress(since, { status: outcome })}>
              <strong>{format.count(totals[outcome])}</strong>
              <span>{OUTCOME_LABELS[outcome]}</span>
              {enrolledSince[outcome] === 0 ? null : (
                <span class="note">{format.count(enrolledSince[outcome])} enrolled after a retry</span>
              )}
            </a>
          </li>
        ))}
      </ul>
      {total === 0 ? (
        <p class="empty">
          <strong>No contacts in the last {RANGES[range].label}.</strong> Add the “Enroll in sequence” action
          to a contact workflow and turn it on. Results appear here.
        </p>
      ) : (
        <OutcomeChart history={history} format={format} />
      )}
    </section>
  );
}

function RangeChoice({ current }: { current: Range }) {
  return (
    <nav class="choice" aria-label="Period">
      {Object.entries(RANGES).map(([range, { label }]) => (
        <a
          key={range}
          href={`/settings?range=${range}`}
          aria-current={range === current ? "true" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}
