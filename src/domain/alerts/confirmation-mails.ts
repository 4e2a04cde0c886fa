import type { Pool } from "pg";
import { z } from "zod";
import { cutText } from "#platform/text/storable-text.js";
import { mailLink, readMailLink, type LinkMaker } from "./mail-links.js";
import type { Subscription } from "./opt-outs.js";
import type { TextCipher } from "./webhook-seals.js";
import { DAY_MS } from "#platform/time/units.js";

export const CONFIRM_PATH = "/alerts/confirm";
const KIND = { path: CONFIRM_PATH, field: "alert_confirmation" };

/** Using an older link does not show that the reader still wants the mails. */
export const LINK_DAYS = 7;

const content = z.object({ address: z.string(), untilMs: z.number() });

/** The link lets its holder confirm that address for that account, for some days, and nothing else. */
export function confirmUrl({ portalId, address }: Subscription, maker: LinkMaker, now: Date): string {
  const text = JSON.stringify({ address, untilMs: now.getTime() + LINK_DAYS * DAY_MS });
  return mailLink(KIND, { portalId, text }, maker);
}

/** Undefined if the link is not one of ours, or too old. */
export function readConfirmLink(
  cipher: TextCipher,
  query: { account?: unknown; token?: unknown },
  now: Date,
): Subscription | undefined {
  const link = readMailLink(KIND, cipher, query);
  if (link === undefined) return undefined;
  const { address, untilMs } = content.parse(JSON.parse(link.text));
  return now.getTime() < untilMs ? { portalId: link.portalId, address } : undefined;
}

/** A mail with the link, due now. */
export interface DueConfirmation extends Subscription {
  /** Number of this try. */
  readonly tries: number;
  /** When an admin requested it: identifies the mail across all tries. */
  readonly askedAt: Date;
}

interface DueRow {
  portal_id: string;
  address: string;
  mail_tries: number;
  asked_at: Date;
}

/** Claims up to `limit` of them for `claimSeconds`: if this process dies, another one tries again after that. */
export async function claimDueConfirmations(
  pool: Pool,
  { limit, claimSeconds }: { limit: number; claimSeconds: number },
): Promise<DueConfirmation[]> {
  const { rows } = await pool.query<DueRow>({
    name: "claim-due-confirmations",
    text: `
      WITH due AS (
        SELECT portal_id, address FROM alert_addresses WHERE mail_due_at <= now()
         ORDER BY mail_due_at LIMIT $1 FOR UPDATE SKIP LOCKED
      )
      UPDATE alert_addresses a SET mail_tries = a.mail_tries + 1, mail_due_at = now() + $2 * interval '1 second'
        FROM due WHERE a.portal_id = due.portal_id AND a.address = due.address
      RETURNING a.portal_id, a.address, a.mail_tries, coalesce(a.asked_at[cardinality(a.asked_at)], now()) AS asked_at`,
    values: [limit, claimSeconds],
  });
  return rows.map((row) => ({
    portalId: BigInt(row.portal_id),
    address: row.address,
    tries: row.mail_tries,
    askedAt: row.asked_at,
  }));
}

const LONGEST_PROBLEM = 600;

/** How a try ended: `retryInMs` is undefined if it was the last one. */
export interface MailTryEnd {
  readonly problem?: string | undefined;
  readonly retryInMs?: number | undefined;
}

/**
 * Does nothing if the mail belongs to another process by now, or nobody waits for it: the address was confirmed or
 * removed from the list.
 */
export async function endConfirmationTry(
  pool: Pool,
  { portalId, address, tries }: DueConfirmation,
  { problem, retryInMs }: MailTryEnd,
): Promise<void> {
  await pool.query(
    `UPDATE alert_addresses SET mail_problem = $4, mailed_at = CASE WHEN $4::text IS NULL THEN now() ELSE mailed_at END,
       mail_due_at = CASE WHEN $5::float8 IS NOT NULL THEN now() + $5::float8 * interval '1 millisecond' END
     WHERE portal_id = $1 AND address = $2 AND mail_tries = $3 AND mail_due_at IS NOT NULL`,
    [
      portalId,
      address,
      tries,
      problem === undefined ? null : cutText(problem, LONGEST_PROBLEM),
      retryInMs ?? null,
    ],
  );
}
