import type { Pool } from "pg";
import { factOf, sentenceOf, type ErrorCode } from "#domain/contract/error-codes.js";
import { countRefusedSenders } from "#domain/senders/refused-senders.js";
import { countDecided } from "#domain/history/attention/digest-counts.js";
import type { PortalId } from "#platform/ids/branded-ids.js";

/** Something an admin may want to do something about, in a sentence, and the page of the settings site to do it on. */
export interface AttentionItem {
  text: string;
  url: string;
}

const MOST_REASONS = 3;

/** Why contacts were not enrolled today, most frequent first, and senders whom HubSpot refused. */
export async function readAttention(
  pool: Pool,
  portalId: PortalId,
  { since, now, siteUrl }: { since: Date; now: Date; siteUrl: string },
): Promise<AttentionItem[]> {
  const { reasons } = await countDecided(pool, portalId, { from: since, to: now });
  const refused = await countRefusedSenders(pool, portalId);
  const senders = {
    text: refused === 1 ? "1 sender can't send." : `${refused} senders can't send.`,
    url: `${siteUrl}/senders?show=troubled`,
  };
  const missed = reasons.slice(0, MOST_REASONS).map(({ code, count }) => ({
    text: `${count === 1 ? "1 contact" : `${count.toLocaleString("en-US")} contacts`} not enrolled today: ${wordsOf(code)}`,
    url: `${siteUrl}/activity?code=${encodeURIComponent(code)}`,
  }));
  return refused === 0 ? missed : [senders, ...missed];
}

const wordsOf = (code: string): string => (sentenceOf(code) === undefined ? code : factOf(code as ErrorCode));
