import { knownEnds, type LineEnds } from "#domain/history/report-ends.js";
import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type Report, type ReportGroup } from "#domain/history/report.js";
import { numbered, type Format } from "../words/format.js";
import { LineName, nameOf } from "./line-names.js";
import type { ReportPeriod } from "./report-period.js";
import { StackedBars, type BarPart } from "./stacked-bars.js";

interface EndsModel extends Pick<Report, "lines" | "total" | "since"> {
  group: ReportGroup;
  period: ReportPeriod;
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
        anymore, because the contact is gone or was enrolled again, or 90 days are over.
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

/** A column of the table. `of`: what its numbers are a share of, if they are of something. */
interface Column {
  readonly name: keyof LineEnds;
  readonly label: string;
  readonly of?: (ends: LineEnds) => number;
}

interface ColumnGroup {
  readonly label: string;
  readonly columns: readonly Column[];
}

/** What is rare and did not happen takes no place. */
const RARE: readonly (keyof LineEnds)[] = ["meeting", "notKnown"];

function columnsFor(total: LineEnds): ColumnGroup[] {
  const shown = ({ name }: Column): boolean => total[name] > 0 || !RARE.includes(name);
  const done = keysOf(DONE).map((name) => ({ name, label: DONE[name], of: ({ seen }: LineEnds) => seen }));
  const ends = keysOf(ENDS).map((name) => ({ name, label: ENDS[name].label, of: knownEnds }));
  const open = keysOf(OPEN).map((name) => ({ name, label: OPEN[name].label }));
  return [
    { label: "Since the enrollment", columns: done.filter(shown) },
    { label: "How it ended", columns: ends },
    { label: "No end so far", columns: open.filter(shown) },
  ];
}

function EndsTable({ lines, total, group, since, period, format }: EndsModel) {
  const groups = columnsFor(total.ends);
  const columns = groups.flatMap((one) => one.columns);
  return (
    <table class="numbers">
      <Head groups={groups} what={REPORT_GROUPS[group].label} />
      <tbody>
        {lines.map((line) => (
          <tr key={line.id ?? ""}>
            <th scope="row">
              <LineName line={line} group={group} counted={{ since, until: period.until }} />
            </th>
            <Cells ends={line.ends} columns={columns} format={format} />
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Total</th>
          <Cells ends={total.ends} columns={columns} format={format} />
        </tr>
      </tfoot>
    </table>
  );
}

/** Two rows: groups, and what is in each. */
function Head({ groups, what }: { groups: readonly ColumnGroup[]; what: string }) {
  return (
    <thead>
      <tr class="groups">
        <th scope="col" rowSpan={2}>
          {what}
        </th>
        <th scope="col" rowSpan={2}>
          Enrolled
        </th>
        {groups.map(({ label, columns }) => (
          <th key={label} scope="colgroup" colSpan={columns.length}>
            {label}
          </th>
        ))}
      </tr>
      <tr>
        {groups.flatMap(({ columns }) =>
          columns.map(({ name, label }) => (
            <th key={name} scope="col">
              {label}
            </th>
          )),
        )}
      </tr>
    </thead>
  );
}

function Cells({ ends, columns, format }: { ends: LineEnds; columns: readonly Column[]; format: Format }) {
  return (
    <>
      <td data-label="Enrolled">{format.count(ends.followed)}</td>
      {columns.map(({ name, label, of }) => (
        <td key={name} data-label={label} class={of?.(ends) === 0 ? "nothing" : undefined}>
          {of === undefined ? (
            format.count(ends[name])
          ) : (
            <Share part={ends[name]} of={of(ends)} format={format} />
          )}
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
