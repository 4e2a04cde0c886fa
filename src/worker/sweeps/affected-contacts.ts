import type { Pool } from "pg";
import type { DueAlert } from "#domain/alerts/outbox/due-alerts.js";
import { readSenderImpact } from "#domain/history/attention/sender-impact.js";

/** An alert that names more is about the account, not about single senders. */
const MOST_SENDERS = 20;

/** Refusal and alert are written by one statement; times are kept to the millisecond. */
const SAME_MOMENT = "1 second";

/** The alert with how many contacts it has concerned by now, if it tells of senders who can't send. */
export async function withAffected(pool: Pool, alert: DueAlert): Promise<DueAlert> {
  if (alert.kind !== "SENDER_REFUSED") return alert;
  const { portalId, createdAt } = alert;
  const { rows } = await pool.query<{ user_id: string; since: Date }>(
    `SELECT user_id, refused_at - $3::interval AS since FROM senders
      WHERE portal_id = $1 AND refused_code IS NOT NULL AND refused_at >= $2::timestamptz - $3::interval
      ORDER BY refused_at LIMIT ${MOST_SENDERS}`,
    [portalId, createdAt, SAME_MOMENT],
  );
  const total = { notEnrolled: 0, movedOn: 0 };
  for (const { user_id, since } of rows) {
    const impact = await readSenderImpact(pool, portalId, { userId: BigInt(user_id), since });
    total.notEnrolled += impact.notEnrolled;
    total.movedOn += impact.movedOn;
  }
  const line = affectedLine(total);
  return line === undefined ? alert : { ...alert, message: `${alert.message}\n${line}` };
}

/** Undefined if nobody was. */
function affectedLine({
  notEnrolled,
  movedOn,
}: {
  notEnrolled: number;
  movedOn: number;
}): string | undefined {
  const contacts = (count: number) =>
    `${count.toLocaleString("en-US")} ${count === 1 ? "contact" : "contacts"}`;
  const parts = [
    notEnrolled === 0 ? "" : `${contacts(notEnrolled)} not enrolled`,
    movedOn === 0 ? "" : `${contacts(movedOn)} sent by someone else`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : `Affected so far: ${parts.join(", ")}.`;
}
