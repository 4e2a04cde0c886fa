import { REPORT_GROUPS, type ReportGroup } from "#domain/history/report.js";

/** Periods a report can cover. */
export const REPORT_RANGES = {
  "24h": { label: "24 hours", hours: 24 },
  "7d": { label: "7 days", hours: 7 * 24 },
  "30d": { label: "30 days", hours: 30 * 24 },
  "90d": { label: "90 days", hours: 90 * 24 },
} as const;
export type ReportRange = keyof typeof REPORT_RANGES;

/** What the report is broken down by, and of which period: each a link to the report that it chooses. */
export function ReportChoices({ group, range }: { group: ReportGroup; range: ReportRange }) {
  return (
    <div class="choices">
      <Choice
        label="Break down by"
        options={REPORT_GROUPS}
        current={group}
        address={(by) => addressOf(by, range)}
      />
      <Choice label="Period" options={REPORT_RANGES} current={range} address={(of) => addressOf(group, of)} />
    </div>
  );
}

function addressOf(group: ReportGroup, range: ReportRange): string {
  return `/settings/reports?by=${group}&range=${range}`;
}

interface ChoiceModel<Key extends string> {
  label: string;
  options: Readonly<Record<Key, { label: string }>>;
  current: Key;
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
