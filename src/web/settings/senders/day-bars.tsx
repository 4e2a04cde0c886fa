import { numbered, type Format } from "../words/format.js";

const HEIGHT = 56;
const STEP = 10;

interface BarsModel {
  /** By day, the oldest first. */
  counts: readonly number[];
  cap: number;
  format: Format;
}

/** A bar for each day, and the cap as a line where it is within sight; the numbers follow for whoever reads. */
export function DayBars({ counts, cap, format }: BarsModel) {
  const most = Math.max(1, ...counts);
  const top = cap <= most * 2 ? Math.max(most, cap) : most;
  const width = counts.length * STEP;
  const height = (count: number) => (HEIGHT * count) / top;
  const total = counts.reduce((sum, count) => sum + count, 0);
  return (
    <figure class="chart">
      <svg
        class="bars day-bars"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${numbered(total, "enrollment")} in ${counts.length} days, at most ${format.count(most)} a day`}
      >
        <g class="enrolled">
          {counts.map((count, index) => (
            <rect
              key={index}
              x={index * STEP + 1}
              width={STEP - 2}
              y={HEIGHT - height(count)}
              height={height(count)}
            >
              <title>{`${daysAgo(counts.length - 1 - index)}: ${format.count(count)}`}</title>
            </rect>
          ))}
        </g>
        {top < cap ? null : (
          <line class="grid" x1="0" x2={width} y1={HEIGHT - height(cap)} y2={HEIGHT - height(cap)} />
        )}
      </svg>
      <figcaption>
        <details>
          <summary>View as table</summary>
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col">Enrollments</th>
              </tr>
            </thead>
            <tbody>
              {counts.map((count, index) => (
                <tr key={index}>
                  <th scope="row">{daysAgo(counts.length - 1 - index)}</th>
                  <td data-label="Enrollments">{format.count(count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </figcaption>
    </figure>
  );
}

function daysAgo(days: number): string {
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : `${days} days ago`;
}

/** The same in a line of a list, without numbers: those stand beside it. */
export function Sparkline({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  return (
    <svg class="trend" width={counts.length * 5} height="16" aria-hidden="true">
      {counts.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, Math.round((16 * count) / most));
        return <rect key={index} x={index * 5} y={16 - height} width="4" height={height} />;
      })}
    </svg>
  );
}
