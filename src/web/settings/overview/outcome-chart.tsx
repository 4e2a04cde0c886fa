import { scaleBand, scaleLinear } from "d3-scale";
import { stack } from "d3-shape";
import type { Format } from "../words/format.js";
import { decidedAddress } from "../words/activity-address.js";
import { OUTCOME_LABELS } from "#domain/history/shown-outcome.js";
import {
  DECIDED_OUTCOMES,
  RANGES,
  type DecidedOutcome,
  type HistoryStep,
  type OutcomeHistory,
} from "#domain/history/outcome-history.js";

/** Drawn in pixels from top to bottom, and stretched to the page's width from left to right. */
const HEIGHT = 192;
const WIDTH = 1000;
const GRID_LINES = 4;
/** Room for the topmost number of the axis. */
const TOP = 8;

/** Stacked bars of what was decided, by hour or day; the same numbers stand in a table below. */
export function OutcomeChart({ history, format }: { history: OutcomeHistory; format: Format }) {
  const { steps, range } = history;
  const most = Math.max(1, ...steps.map(({ counts }) => totalOf(counts)));
  const height = scaleLinear([0, most], [HEIGHT, TOP]).nice(GRID_LINES);
  const ticks = height.ticks(GRID_LINES).filter(Number.isInteger);
  const label = (step: HistoryStep) => stepLabel(step, range, format);
  return (
    <figure class="chart">
      <p class="note axis" aria-hidden="true">
        Contacts
      </p>
      <div class="plot">
        <svg class="scale" width="44" height={HEIGHT + TOP} aria-hidden="true">
          {ticks.map((tick) => (
            <text key={tick} x="40" y={height(tick) + 4}>
              {format.count(tick)}
            </text>
          ))}
        </svg>
        <Bars history={history} format={format} height={height} ticks={ticks} />
      </div>
      <ol class="steps" aria-hidden="true">
        {steps.map((step, index) => (
          <li key={step.startsAt.getTime()}>{index % labelEvery(steps.length) === 0 ? label(step) : ""}</li>
        ))}
      </ol>
      <figcaption>
        <ul class="legend">
          {DECIDED_OUTCOMES.map((outcome) => (
            <li key={outcome} class={outcome}>
              {OUTCOME_LABELS[outcome]}
            </li>
          ))}
        </ul>
        <details>
          <summary>View as table</summary>
          <NumbersTable steps={steps} label={label} format={format} />
        </details>
      </figcaption>
    </figure>
  );
}

interface BarsModel {
  history: OutcomeHistory;
  format: Format;
  height: (value: number) => number;
  ticks: readonly number[];
}

function Bars({ history, format, height, ticks }: BarsModel) {
  const { steps, range, totals } = history;
  const place = scaleBand(
    steps.map((_, index) => index),
    [0, WIDTH],
  )
    .paddingInner(0.25)
    .paddingOuter(0.1);
  const series = stack<HistoryStep, DecidedOutcome>()
    .keys(DECIDED_OUTCOMES)
    .value(({ counts }, outcome) => counts[outcome])(steps);
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${WIDTH} ${HEIGHT + TOP}`}
      height={HEIGHT + TOP}
      preserveAspectRatio="none"
      role="group"
      aria-labelledby="chart-title chart-words"
    >
      <title id="chart-title">{`Contacts by outcome, last ${RANGES[range].label}`}</title>
      <desc id="chart-words">
        {DECIDED_OUTCOMES.map(
          (outcome) => `${OUTCOME_LABELS[outcome]}: ${format.count(totals[outcome])}`,
        ).join("; ")}
      </desc>
      {ticks.map((tick) => (
        <line key={tick} class="grid" x1="0" x2={WIDTH} y1={height(tick)} y2={height(tick)} />
      ))}
      {series.map((layer) => (
        <g key={layer.key} class={layer.key}>
          {layer.map(([from, to], index) =>
            to === from ? null : (
              <rect
                key={index}
                x={round(place(index) ?? 0)}
                width={round(place.bandwidth())}
                y={round(height(to))}
                height={round(height(from) - height(to))}
              />
            ),
          )}
        </g>
      ))}
      {steps.map((step, index) => (
        <BarLink
          key={step.startsAt.getTime()}
          history={history}
          format={format}
          index={index}
          box={{ x: round(place.step() * index), width: round(place.step()) }}
        />
      ))}
    </svg>
  );
}

interface BarLinkModel {
  history: OutcomeHistory;
  format: Format;
  /** Which of the steps. */
  index: number;
  box: { x: number; width: number };
}

/**
 * The whole height above a step: says its numbers where one points, and leads to its contacts. Not for the keyboard, which
 * finds the same links in the table below.
 */
function BarLink({ history: { steps, range }, format, index, box }: BarLinkModel) {
  const step = steps[index];
  if (step === undefined || totalOf(step.counts) === 0) return null;
  const counts = DECIDED_OUTCOMES.filter((outcome) => step.counts[outcome] > 0).map(
    (outcome) => `${format.count(step.counts[outcome])} ${OUTCOME_LABELS[outcome].toLowerCase()}`,
  );
  const when = stepLabel(step, range, format) + (index === steps.length - 1 ? " (so far)" : "");
  return (
    <a href={addressOfStep(steps, index)} tabindex={-1}>
      <title>{`${when}: ${counts.join(", ")}`}</title>
      <rect class="point" {...box} y={0} height={HEIGHT} />
    </a>
  );
}

/** The contacts of one step; the last one has no end yet. */
function addressOfStep(steps: readonly HistoryStep[], index: number): string {
  const end = steps[index + 1]?.startsAt;
  const until = end === undefined ? {} : { decided_before: end.toISOString() };
  return decidedAddress(steps[index]?.startsAt ?? new Date(0), until);
}

function NumbersTable({
  steps,
  label,
  format,
}: {
  steps: readonly HistoryStep[];
  label: (step: HistoryStep) => string;
  format: Format;
}) {
  return (
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">Time</th>
          {DECIDED_OUTCOMES.map((outcome) => (
            <th key={outcome} scope="col">
              {OUTCOME_LABELS[outcome]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {steps.map((step, index) => (
          <tr key={step.startsAt.getTime()}>
            <th scope="row">
              {totalOf(step.counts) === 0 ? (
                label(step)
              ) : (
                <a href={addressOfStep(steps, index)}>{label(step)}</a>
              )}
              {index === steps.length - 1 ? " (so far)" : ""}
            </th>
            {DECIDED_OUTCOMES.map((outcome) => (
              <td key={outcome} data-label={OUTCOME_LABELS[outcome]}>
                {format.count(step.counts[outcome])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function stepLabel({ startsAt }: HistoryStep, range: keyof typeof RANGES, format: Format): string {
  return RANGES[range].step === "hour" ? format.time(startsAt) : format.day(startsAt);
}

/** So that the words under the chart have room on a phone. */
function labelEvery(steps: number): number {
  return steps <= 7 ? 2 : Math.ceil(steps / 4);
}

function totalOf(counts: HistoryStep["counts"]): number {
  return DECIDED_OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}

const round = (value: number): number => Math.round(value * 100) / 100;
