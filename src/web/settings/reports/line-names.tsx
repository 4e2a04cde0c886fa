import type { ReportLine } from "#domain/history/report-line.js";
import { REPORT_GROUPS, type ReportGroup } from "#domain/history/report.js";
import { NO_SENDER } from "#domain/contract/execution-filter.js";
import { decidedAddress } from "../words/activity-address.js";
import { NO_SENDER_WORDS } from "../words/activity-words.js";

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
  return group === "sender" ? NO_SENDER_WORDS : "Not known";
}

/** What a report counts: from when on, and up to when if not up to now. */
export interface Counted {
  readonly since: Date;
  readonly until: Date | undefined;
}

/** The list of what is counted, narrowed down to a line of the report. */
export function countedAddress(
  { since, until }: Counted,
  query: Readonly<Record<string, string>> = {},
): string {
  return decidedAddress(since, {
    ...query,
    ...(until === undefined ? {} : { decided_before: until.toISOString() }),
  });
}

/** A line's name, which leads to the list of what it counts. */
export function LineName({
  line,
  group,
  counted,
}: {
  line: ReportLine;
  group: ReportGroup;
  counted: Counted;
}) {
  const name = <span class="clamp">{nameOf(line, group)}</span>;
  const { id, during } = line;
  if (during !== null) {
    const ofWeek = { since: during.from, until: during.until ?? counted.until };
    return <a href={countedAddress(ofWeek)}>{name}</a>;
  }
  if (id !== null) return <a href={countedAddress(counted, { [group]: id })}>{name}</a>;
  return group === "sender" ? <a href={countedAddress(counted, { sender: NO_SENDER })}>{name}</a> : name;
}
