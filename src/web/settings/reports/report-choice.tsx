import { REPORT_GROUPS, type ReportGroup } from "#domain/history/report.js";
import { addressOf } from "../words/addresses.js";
import { REPORT_RANGES, type ReportPeriod } from "./report-period.js";

/** What the report is broken down by, and of which period: each a link to the report that it chooses. */
export function ReportChoices({ group, period }: { group: ReportGroup; period: ReportPeriod }) {
  return (
    <>
      <div class="choices">
        <Choice
          label="Break down by"
          options={REPORT_GROUPS}
          current={group}
          address={(by) => addressOf(REPORTS_PATH, { by, ...period.query })}
        />
        <Choice
          label="Period"
          options={REPORT_RANGES}
          current={period.range}
          address={(range) => addressOf(REPORTS_PATH, { by: group, range })}
        />
      </div>
      <Days group={group} period={period} />
    </>
  );
}

export const REPORTS_PATH = "/settings/reports";

/** Any days of the calendar, both included. */
function Days({ group, period }: { group: ReportGroup; period: ReportPeriod }) {
  return (
    <form class="inline-form" method="get" action={REPORTS_PATH} aria-label="Days">
      <input type="hidden" name="by" value={group} />
      <label for="report-from">From</label>
      <input id="report-from" type="date" name="from" value={period.query["from"] ?? ""} required />
      <label for="report-to">to</label>
      <input id="report-to" type="date" name="to" value={period.query["to"] ?? ""} required />
      <button class="button">Apply</button>
    </form>
  );
}

interface ChoiceModel<Key extends string> {
  label: string;
  options: Readonly<Record<Key, { label: string }>>;
  current: Key | undefined;
  address: (key: Key) => string;
}

function Choice<Key extends string>({ label, options, current, address }: ChoiceModel<Key>) {
  return (
    <nav class="choice" aria-label={label}>
      {(Object.keys(options) as Key[]).map((key) => (
        <a key={key} href={address(key)} aria-current={key === current ? "true" : undefined}>
          {options[key].label}
        </a>
      ))}
    </nav>
  );
}
