import { scaleLinear } from "d3-scale";
import { numbered } from "../words/format.js";

/** What a bar is made of, in order. `name` is the class that gives it its color. */
export interface BarPart<Line> {
  readonly name: string;
  readonly label: string;
  readonly count: (line: Line) => number;
}

interface BarsModel<Line> {
  lines: readonly Line[];
  parts: readonly BarPart<Line>[];
  /** What is counted, in the singular. */
  noun: string;
  labelOf: (line: Line) => string;
}

/** A stacked bar for each line, all of one scale. A table says the same in numbers. */
export function StackedBars<Line>({ lines, parts, noun, labelOf }: BarsModel<Line>) {
  const totalOf = (line: Line): number => parts.reduce((sum, { count }) => sum + count(line), 0);
  const length = scaleLinear([0, Math.max(1, ...lines.map(totalOf))], [0, 1000]);
  return (
    <figure class="chart">
      <ul class="loads">
        {lines.map((line) => (
          <li key={labelOf(line)}>
            <span class="clamp">{labelOf(line)}</span>
            <span class="note">{numbered(totalOf(line), noun)}</span>
            <Bar
              widths={parts.map(({ name, count }) => ({ name, width: Math.round(length(count(line))) }))}
            />
          </li>
        ))}
      </ul>
      <figcaption>
        <ul class="legend">
          {parts.map(({ name, label }) => (
            <li key={name} class={name}>
              {label}
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  );
}

function Bar({ widths }: { widths: readonly { name: string; width: number }[] }) {
  let from = 0;
  return (
    <svg class="bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
      {widths.map(({ name, width }) => {
        const x = from;
        from += width;
        return width === 0 ? null : <rect key={name} class={name} x={x} width={width} height="6" />;
      })}
    </svg>
  );
}
