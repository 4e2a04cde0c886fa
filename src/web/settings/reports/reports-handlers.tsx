import type { Request } from "express";
import { sendPage } from "#web/kit/page.js";
import { sendCsv, type CsvCell } from "#web/kit/send-csv.js";
import { recordExport } from "#domain/audit/record-change.js";
import { createFormat } from "../words/format.js";
import { REPORT_RANGES, ReportsPage, type ReportRange } from "./reports-page.js";
import { NOTHING, type ReportLine } from "#domain/history/report-line.js";
import { isReportGroup, readReport, type Report, type ReportGroup } from "#domain/history/report.js";
import { actorOf } from "../session/visit.js";
import { frameOf } from "../frame/shell.js";
import type { Exchange } from "../frame/exchange.js";

/** Lines on the page, and in a file. */
const ON_PAGE = 100;
const IN_FILE = 5_000;

/** GET /settings/reports?by=sequence|sender|workflow&range=24h|7d|30d|90d */
export async function showReports(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { group, range, since: asked } = readChoice(request, options.now());
  const { portalId, timeZone } = visit.portal;
  const report = await readReport(options.database, portalId, { group, since: asked, limit: ON_PAGE });
  const model = {
    ...report,
    group,
    range,
    isShortened: report.since > asked,
    frame: frameOf(exchange),
    format: createFormat(timeZone),
  };
  sendPage(response, 200, <ReportsPage {...model} />);
}

/** GET /settings/reports.csv: the same with more lines. */
export async function sendReportFile(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { group, range, since } = readChoice(request, options.now());
  const { portalId } = visit.portal;
  const { lines, rest } = await readReport(options.database, portalId, { group, since, limit: IN_FILE });
  const rows = (rest === undefined ? lines : [...lines, restLine(rest)]).map((line) => toCells(line, group));
  await sendCsv(response, {
    name: `sequence-enroller-${portalId}-by-${group}-${range}.csv`,
    columns: Object.keys(toCells(NOTHING, group)).map((key) => ({ key, header: key })),
    rows: await recordExport(options.database.pool, actorOf(visit), { subjectName: "Reports", rows }),
  });
}

/** The file's last line, so that its numbers add up. */
function restLine({ count, line }: NonNullable<Report["rest"]>): ReportLine {
  return { ...line, name: `and ${count} more` };
}

function toCells(line: ReportLine, group: ReportGroup): Record<string, CsvCell> {
  return {
    [`${group}_id`]: line.id,
    [`${group}_name`]: line.name,
    enrolled: line.enrolled,
    already_enrolled: line.alreadyEnrolled,
    skipped: line.skipped,
    failed: line.failed,
    median_seconds_to_enroll: toSeconds(line.medianMs),
    p95_seconds_to_enroll: toSeconds(line.p95Ms),
    ended_by_reply: line.ends.replied,
    ended_by_finish: line.ends.finished,
    ended_by_unenrollment: line.ends.unenrolled,
    enrolled_since_by_retry: line.enrolledSince,
  };
}

function toSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds) / 1000;
}

function readChoice({ query }: Request, now: Date): { group: ReportGroup; range: ReportRange; since: Date } {
  const { by, range: given } = query;
  const range =
    typeof given === "string" && Object.hasOwn(REPORT_RANGES, given) ? (given as ReportRange) : "30d";
  const since = new Date(now.getTime() - REPORT_RANGES[range].hours * 3_600_000);
  return { group: isReportGroup(by) ? by : "sequence", range, since };
}
