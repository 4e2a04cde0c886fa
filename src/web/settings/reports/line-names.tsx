import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type ReportGroup } from "#domain/history/report.js";
import { decidedAddress } from "../words/activity-address.js";

const DAY = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** What a line is called; a week by its Monday. */
export function nameOf({ id, name }: ReportLine, group: ReportGroup): string {
  if (group === "week" && id !== null) return `Week of ${DAY.format(new Date(id))}`;
  if (name !== null) return name;
  if (id !== null) return `${REPORT_GROUPS[group].label} ${id}`;
  return group === "sender" ? "No sender" : "Not known";
}

/** A line's name, which leads to the list of what it counts. */
export function LineName({
  line,
  group,
  since,
}: {
  line: ReportLine;
  group: ReportGroup;
  /** From when on is counted. */
  since: Date;
}) {
  const name = <span class="clamp">{nameOf(line, group)}</span>;
  if (line.id === null) return name;
  if (line.during === null) return <a href={decidedAddress(since, { [group]: line.id })}>{name}</a>;
  const { from, until } = line.during;
  const upTo = until === null ? {} : { decided_before: until.toISOString() };
  return <a href={decidedAddress(from, upTo)}>{name}</a>;
}
