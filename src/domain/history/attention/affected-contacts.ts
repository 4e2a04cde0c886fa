import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { readSenderImpact, type SenderImpact } from "./sender-impact.js";

/** More are the account's trouble, not that of single senders. */
const MOST_SENDERS = 20;

/** Refusal and alert are written by one statement; times are kept to the millisecond. */
const SAME_MOMENT = "1 second";

/** What HubSpot's refusals of senders from a moment on have done to contacts by now. */
export async function readAffected(pool: Pool, portalId: PortalId, since: Date): Promise<SenderImpact> {
  const { rows } = await pool.query<{ user_id: string; since: Date }>({
    name: "affected-contacts",
    text: `
      SELECT user_id, refused_at - $3::interval AS since FROM senders
       WHERE portal_id = $1 AND refused_code IS NOT NULL AND refused_at >= $2::timestamptz - $3::interval
       ORDER BY refused_at LIMIT ${MOST_SENDERS}`,
    values: [portalId, since, SAME_MOMENT],
  });
  let [notEnrolled, movedOn] = [0, 0];
  for (const row of rows) {
    const impact = await readSenderImpact(pool, portalId, { userId: BigInt(row.user_id), since: row.since });
    notEnrolled += impact.notEnrolled;
    movedOn += impact.movedOn;
  }
  return { notEnrolled, movedOn };
}

/** "Affected so far: 2 contacts not enrolled."; undefined if no contact was. */
export function affectedLine({ notEnrolled, movedOn }: SenderImpact): string | undefined {
  const contacts = (count: number) =>
    `${count.toLocaleString("en-US")} ${count === 1 ? "contact" : "contacts"}`;
  const parts = [
    notEnrolled === 0 ? "" : `${contacts(notEnrolled)} not enrolled`,
    movedOn === 0 ? "" : `${contacts(movedOn)} sent by someone else`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : `Affected so far: ${parts.join(", ")}.`;
}
