import type { Pool } from "pg";
import { listSenderLoads, type SenderLoads } from "#domain/accounts/sender-load.js";
import { digestPeriodOf, type DigestPeriod } from "#domain/alerts/alert-settings.js";
import { raiseAlert } from "#domain/alerts/outbox/raise.js";
import { factOf, sentenceOf, type ErrorCode } from "#domain/contract/error-codes.js";
import { countDecided, type DigestCounts } from "#domain/history/attention/digest-counts.js";
import type { Logger } from "#platform/observability/logger.js";
import { localIsoDay, zoneFormats } from "#platform/time/local-time.js";
import { startOfDay, weeksBetween } from "#platform/time/zoned-day.js";
import { DAY_MS, MINUTE_MS } from "#platform/time/units.js";
import { eachPortal } from "./each-portal.js";

/** By the account's clock. */
const SENT_AT_MINUTE = 8 * 60;
const MOST_REASONS = 3;

/** A summary that is due: what it covers, and since when it may be sent. */
export interface DueDigest {
  readonly period: DigestPeriod;
  readonly from: Date;
  readonly to: Date;
  readonly dueAt: Date;
}

/**
 * The latest summary that is due: of the day before, from 8 AM on, or of the week before, from Monday 8 AM on.
 *
 * @param timeZone an IANA name
 */
export function latestDigest(period: DigestPeriod, now: Date, timeZone: string | null): DueDigest {
  const zone = zoneOf(timeZone);
  // Before 8 AM, it is that of the day or week before.
  const at = new Date(now.getTime() - SENT_AT_MINUTE * MINUTE_MS);
  const day = period === "DAILY" ? localIsoDay(at, timeZone) : weeksBetween(at, at, timeZone)[0].monday;
  const to = startOfDay(day, zone) as Date;
  const from = startOfDay(day, zone, period === "DAILY" ? -1 : -7) as Date;
  return { period, from, to, dueAt: new Date(to.getTime() + SENT_AT_MINUTE * MINUTE_MS) };
}

const zoneOf = (timeZone: string | null): string =>
  zoneFormats(timeZone).zone === "UTC" ? "UTC" : (timeZone ?? "UTC");

interface DigestRow {
  portal_id: string;
  alert_digest: string | null;
  time_zone: string | null;
  now: Date;
  raised_at: Date | null;
}

/** Writes the summaries that are due and were not written: each once, however many processes look, and whenever they were down. */
export async function raiseDigests({ pool, logger }: { pool: Pool; logger: Logger }): Promise<void> {
  const { rows } = await pool.query<DigestRow>(
    `SELECT s.portal_id, s.alert_digest, p.time_zone, now() AS now, mark.raised_at
       FROM portal_settings s JOIN portals p USING (portal_id)
       LEFT JOIN alert_marks mark ON mark.portal_id = s.portal_id AND mark.kind = 'DIGEST'
      WHERE s.alert_digest IS NOT NULL AND p.status = 'CONNECTED'`,
  );
  const due = rows.flatMap((row) => {
    const period = digestPeriodOf(row.alert_digest);
    if (period === undefined) return [];
    const digest = latestDigest(period, row.now, row.time_zone);
    const isWritten = row.raised_at !== null && row.raised_at >= digest.dueAt;
    return isWritten ? [] : [{ portalId: BigInt(row.portal_id), timeZone: row.time_zone, digest }];
  });
  const what = "a summary could not be written";
  await eachPortal(due, { logger, what }, async ({ portalId, timeZone, digest }) => {
    const counts = await countDecided(pool, portalId, digest);
    const loads = await listSenderLoads({ pool }, portalId, new Date());
    await raiseAlert(pool, {
      portalId,
      kind: "DIGEST",
      message: digestMessage(digest, { counts, loads, timeZone }),
      page: digest.period === "DAILY" ? "/settings" : "/settings/reports",
      onceSince: digest.dueAt,
    });
  });
}

interface DigestFacts {
  readonly counts: DigestCounts;
  readonly loads: SenderLoads;
  readonly timeZone: string | null;
}

/** The numbers first: they are the subject of the mail. */
export function digestMessage(
  { period, from, to }: DueDigest,
  { counts, loads, timeZone }: DigestFacts,
): string {
  const { day } = zoneFormats(timeZone);
  const span = period === "DAILY" ? day(from) : `${day(from)} to ${day(new Date(to.getTime() - DAY_MS / 2))}`;
  const number = (value: number) => value.toLocaleString("en-US");
  const { enrolled, alreadyEnrolled, notEnrolled, reasons } = counts;
  const already = alreadyEnrolled === 0 ? "" : `, ${number(alreadyEnrolled)} already in a sequence`;
  const headline =
    enrolled + alreadyEnrolled + notEnrolled === 0
      ? `${span}: no contacts reached the action.`
      : `${span}: ${number(enrolled)} enrolled, ${number(notEnrolled)} not enrolled${already}.`;
  const causes = reasons
    .slice(0, MOST_REASONS)
    .map(({ code, count }) => `${number(count)} not enrolled: ${wordsOf(code)}`);
  const near = loads.nearest.slice(0, loads.nearCount);
  const more = loads.nearCount - near.length;
  const names = near.map(({ label, sent, cap }) => `${label} (${number(sent)} of ${number(cap)})`);
  const caps =
    near.length === 0
      ? []
      : [`Near their daily cap: ${names.join(", ")}${more > 0 ? ` and ${number(more)} more` : ""}.`];
  return [headline, ...causes, ...caps].join("\n");
}

const wordsOf = (code: string): string => (sentenceOf(code) === undefined ? code : factOf(code as ErrorCode));
