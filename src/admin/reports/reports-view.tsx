import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify";
import type { Request, Response } from "express";
import { sendPage } from "../../http/page.js";
import { admitPage } from "../session/admit-page.js";
import { createFormat } from "../frame/format.js";
import { REPORT_RANGES, ReportsPage, type ReportRange } from "./reports-page.js";
import { isReportGroup, readReport, type ReportGroup, type ReportLine } from "./report.js";
import { frameOf } from "../frame/shell.js";
import type { SettingsOptions } from "../site-options.js";

/** Lines on the page, and in a file. */
const ON_PAGE = 100;
const IN_FILE = 100_000;

/** GET /settings/reports?by=sequence|sender|workflow&range=24h|7d|30d|90d */
export async function showReports(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { group, range, since } = readChoice(request, options.now());
  const { portalId, timeZone } = visit.portal;
  const { lines, total } = await readReport(options.database, portalId, {
    ...{ group, since },
    limit: ON_PAGE + 1,
  });
  const model = {
    ...{ group, range, since, total, lines: lines.slice(0, ON_PAGE), isPartial: lines.length > ON_PAGE },
    frame: frameOf(options, visit, { request, response }),
    format: createFormat(timeZone),
  };
  sendPage(response, 200, <ReportsPage {...model} />);
}

/** GET /settings/reports.csv: the same with every line. A cell that a spreadsheet would run as a formula is given as text. */
export async function sendReportFile(
  options: SettingsOptions,
  request: Request,
  response: Response,
): Promise<void> {
  const visit = await admitPage(options, request, response);
  if (visit === undefined) return;
  const { group, range, since } = readChoice(request, options.now());
  const { portalId } = visit.portal;
  const { lines } = await readReport(options.database, portalId, { group, since, limit: IN_FILE });
  response.status(200).set({
    "Content-Type": "text/csv; charset=utf-8",
    "Content-Disposition": `attachment; filename="sequence-enroller-${portalId}-by-${group}-${range}.csv"`,
    "Cache-Control": "no-store",
  });
  const csv = stringify({ header: true, bom: true, escape_formulas: true });
  try {
    await pipeline(Readable.from(lines.map((line) => toCells(line, group))), csv, response);
  } catch (fault) {
    // Gone is gone: what is left was for nobody.
    if ((fault as { code?: unknown }).code !== "ERR_STREAM_PREMATURE_CLOSE") throw fault;
  }
}

function toCells(line: ReportLine, group: ReportGroup): Record<string, string | number | null> {
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
