import { knownEnds, type LineEnds } from "#domain/history/report-ends.js";
import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type Report, type ReportGroup } from "#domain/history/report.js";
import { numbered, type Format } from "../words/format.js";
import { LineName, nameOf } from "./line-names.js";
import { StackedBars, type BarPart } from "./stacked-bars.js";

interface EndsModel extends Pick<Report, "lines" | "total" | "since"> {
  group: ReportGroup;
  /** Those of the lines that are drawn. */
  charted: readonly ReportLine[];
  format: Format;
}

/** What became of those who were enrolled: a sentence, a picture, and the numbers. */
export function EndsCard(model: EndsModel) {
  const { group, charted, total } = model;
  if (total.ends.followed === 0) return null;
  return (
    <section class="card" aria-labelledby="ends-title">
      <h2 id="ends-title">What became of those enrolled</h2>
      <Summary {...model} />
      <StackedBars
        lines={charted}
        parts={PARTS}
        noun="enrollment"
        labelOf={(line: ReportLine) => nameOf(line, group)}
      />
      <EndsTable {...model} />
      <p class="note">
        As the contacts' properties in HubSpot told when they were last looked at, up to 90 days after the
        enrollment. Opened, clicked, replied and meeting booked: since the enrollment, of those whose contact
        has been looked at. Shares of ends are of those whose end is known. “Not known”: HubSpot shows no end
        any more, because the contact is gone or was enrolled again, or 90 days are over.
      </p>
    </section>
  );
}

function Summary({ total: { ends }, format }: EndsModel) {
  const known = knownEnds(ends);
  const share = (part: number): string => `${format.count(part)} (${format.percent(part / known)})`;
  return (
    <p>
      {known === 0 ? (
        <>No end is known yet. </>
      ) : (
        <>
          Of {numbered(known, "enrollment")} whose end is known, {share(ends.endedByReply)} ended with a
          reply, {share(ends.finished)} finished and {share(ends.unenrolled)} ended with the contact
          unenrolled.{" "}
        </>
      )}
      {numbered(ends.stillIn, "contact")} {ends.stillIn === 1 ? "is" : "are"} still in the sequence.
    </p>
  );
}

const ENDS = {
  endedByReply: { name: "replied", label: "Ended by reply" },
  finished: { name: "finished", label: "Finished" },
  unenrolled: { name: "unenrolled", label: "Unenrolled" },
} as const;
const OPEN = {
  stillIn: { name: "still-in", label: "Still in it" },
  notKnown: { name: "not-known", label: "Not known" },
} as const;
const DONE = {
  opened: "Opened",
  clicked: "Clicked",
  replied: "Replied",
  meeting: "Meeting booked",
} as const;

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] =>
  Object.keys(record) as Key[];

const PARTS: readonly BarPart<ReportLine>[] = Object.entries({ ...ENDS, ...OPEN }).map(([key, part]) => ({
  ...part,
  count: ({ ends }) => ends[key as keyof LineEnds],
}));

function EndsTable({ lines, total, group, since, format }: EndsModel) {
  const labels = [...Object.values(DONE), ...PARTS.map(({ label }) => label)];
  return (
    <table class="numbers">
      <thead>
        <tr>
          <th scope="col">{REPORT_GROUPS[group].label}</th>
          {["Enrolled", ...labels].map((label) => (
            <th key={label} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id ?? ""}>
            <th scope="row">
              <LineName line={line} group={group} since={since} />
            </th>
            <Cells ends={line.ends} format={format} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Total</th>
          <Cells ends={total.ends} format={format} />
        </tr>
      </tfoot>
    </table>
  );
}

function Cells({ ends, format }: { ends: LineEnds; format: Format }) {
  const known = knownEnds(ends);
  return (
    <>
      <td data-label="Enrolled">{format.count(ends.followed)}</td>
      {keysOf(DONE).map((name) => (
        <td key={name} data-label={DONE[name]}>
          <Share part={ends[name]} of={ends.seen} format={format} />
        </td>
      ))}
      {keysOf(ENDS).map((name) => (
        <td key={name} data-label={ENDS[name].label}>
          <Share part={ends[name]} of={known} format={format} />
        </td>
      ))}
      {keysOf(OPEN).map((name) => (
        <td key={name} data-label={OPEN[name].label}>
          {format.count(ends[name])}
        </td>
      ))}
    </>
  );
}

/** A share with what it is of: 50% of two says little. */
function Share({ part, of, format }: { part: number; of: number; format: Format }) {
  if (of === 0) return <>–</>;
  return (
    <>
      <span class="count">
        {format.count(part)} of {format.count(of)}
      </span>
      <span class="note">{format.percent(part / of)}</span>
    </>
  );
}
