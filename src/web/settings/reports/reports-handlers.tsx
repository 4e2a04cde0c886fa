import { sendPage } from "#web/kit/page.js";
import { sendCsv, type CsvCell } from "#web/kit/send-csv.js";
import { recordExport } from "#domain/audit/record-change.js";
import { createFormat } from "../words/format.js";
import { readReportPeriod, type ReportPeriod } from "./report-period.js";
import { readReportSummary } from "#domain/history/reports/report-summary.js";
import { ReportsPage } from "./reports-page.js";
import { knownEnds, type LineEnds } from "#domain/history/report-ends.js";
import { NOTHING, type ReportLine } from "#domain/history/report-line.js";
import { isReportGroup, readReport, type Report, type ReportGroup } from "#domain/history/report.js";
import { weeksBetween } from "#platform/time/zoned-day.js";
import { actorOf } from "../session/visit.js";
import { frameOf } from "../frame/shell.js";
import type { Exchange } from "../frame/exchange.js";

/** Lines on the page, and in a file. */
const ON_PAGE = 100;
const IN_FILE = 5_000;

/** GET /settings/reports?by=sequence|sender|workflow|week&range=24h|7d|30d|90d, or &from=2026-11-01&to=2026-11-30 */
export async function showReports(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { period, ...asked } = readChoice(exchange);
  const { portalId, timeZone } = visit.portal;
  const report = await readReport(options.database, portalId, { ...asked, limit: ON_PAGE });
  const bounds = { since: period.since, until: period.until ?? options.now() };
  const model = {
    ...report,
    group: asked.group,
    period,
    summary: await readReportSummary(options.database.pool, portalId, bounds),
    isShortened: report.since > asked.since,
    frame: frameOf(exchange),
    format: createFormat(timeZone, options.now()),
  };
  sendPage(response, 200, <ReportsPage {...model} />);
}

/** GET /settings/reports.csv: the same with more lines. */
export async function sendReportFile(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { period, ...asked } = readChoice(exchange);
  const { group } = asked;
  const { portalId } = visit.portal;
  const { lines, rest } = await readReport(options.database, portalId, { ...asked, limit: IN_FILE });
  const rows = (rest === undefined ? lines : [...lines, restLine(rest)]).map((line) => toCells(line, group));
  await sendCsv(response, {
    name: `sequence-enroller-${portalId}-by-${group}-${Object.values(period.query).join("-to-")}.csv`,
    columns: Object.keys(toCells(NOTHING, group)).map((key) => ({ key, header: key })),
    rows: await recordExport(options.database.pool, actorOf(visit), { subjectName: "Reports", rows }),
  });
}

/** The file's last line, so that its numbers add up. */
function restLine({ count, line }: NonNullable<Report["rest"]>): ReportLine {
  return { ...line, name: `and ${count} more` };
}

function toCells(line: ReportLine, group: ReportGroup): Record<string, CsvCell> {
  const named =
    group === "week"
      ? { week_from_monday: line.id }
      : { [`${group}_id`]: line.id, [`${group}_name`]: line.name };
  return {
    ...named,
    enrolled: line.enrolled,
    already_enrolled: line.alreadyEnrolled,
    skipped: line.skipped,
    failed: line.failed,
    median_seconds_to_enroll: toSeconds(line.medianMs),
    p95_seconds_to_enroll: toSeconds(line.p95Ms),
    enrolled_since_by_retry: line.enrolledSince,
    ...endsCells(line.ends),
  };
}

/** Numbers, what shares are of, and the shares, from 0 to 1. */
function endsCells(ends: LineEnds): Record<string, CsvCell> {
  const known = knownEnds(ends);
  const share = (part: number, of: number) => (of === 0 ? null : Math.round((1000 * part) / of) / 1000);
  return {
    followed: ends.followed,
    looked_at: ends.seen,
    opened: ends.opened,
    clicked: ends.clicked,
    replied: ends.replied,
    meeting_booked: ends.meeting,
    end_known: known,
    ended_by_reply: ends.endedByReply,
    ended_by_finish: ends.finished,
    ended_by_unenrollment: ends.unenrolled,
    still_in_sequence: ends.stillIn,
    end_not_known: ends.notKnown,
    opened_of_looked_at: share(ends.opened, ends.seen),
    clicked_of_looked_at: share(ends.clicked, ends.seen),
    replied_of_looked_at: share(ends.replied, ends.seen),
    meeting_booked_of_looked_at: share(ends.meeting, ends.seen),
    reply_of_end_known: share(ends.endedByReply, known),
    finish_of_end_known: share(ends.finished, known),
    unenrollment_of_end_known: share(ends.unenrolled, known),
  };
}

function toSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds) / 1000;
}

interface ReportChoice {
  readonly group: ReportGroup;
  readonly period: ReportPeriod;
  readonly since: Date;
  readonly until: Date | undefined;
  readonly calendar: { readonly timeZone: string | null; readonly now: Date };
}

function readChoice({ options, visit, request }: Exchange): ReportChoice {
  const { timeZone } = visit.portal;
  const calendar = { timeZone, now: options.now() };
  const period = readReportPeriod(request.query, {
    ...calendar,
    format: createFormat(timeZone, calendar.now),
  });
  const { by } = request.query;
  const group = isReportGroup(by) ? by : "sequence";
  const { since: from, until } = period;
  // A week that is not whole would look like a bad one.
  const isWhole = group === "week" && period.range !== undefined;
  const since = isWhole ? weeksBetween(from, from, timeZone)[0].startsAt : from;
  return { group, period, since, until, calendar };
}
