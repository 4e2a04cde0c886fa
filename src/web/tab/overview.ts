import { z } from "zod";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { startOfToday } from "#platform/time/zoned-day.js";
import type { Database } from "#platform/db/client.js";
import { findTrouble } from "#domain/accounts/hubspot-trouble.js";
import { ownFaultWords } from "#web/settings/words/own-fault-words.js";
import { findPortal } from "#domain/accounts/portal-overview.js";
import { knownZone } from "#platform/time/local-time.js";
import type { AccountRole } from "#domain/accounts/rights.js";
import { readAttention } from "./attention.js";
import { readToday } from "#domain/history/attention/today.js";

const instant = z.date().transform((date) => date.toISOString());

/** What the tab shows first. Fields are added, never renamed: tabs of older builds stay open in browsers. */
export const overviewAnswer = z.object({
  connection: z.object({
    isConnected: z.boolean(),
    disconnectedReason: z.string().nullable(),
    missingScopes: z.array(z.string()),
  }),
  /** Set while an admin keeps the app from enrolling. */
  pausedSince: instant.nullable(),
  /** Set while this account's calls keep failing, and the app rests. */
  trouble: z
    .object({
      since: instant,
      restsUntil: instant,
      lastFailure: z.string().nullable(),
      /** Set if it is a fault of the app itself: what it does and who can mend it, in sentences. */
      ownFault: z.string().nullable(),
    })
    .nullable(),
  today: z.object({
    since: instant,
    enrolled: z.number().int(),
    alreadyEnrolled: z.number().int(),
    skipped: z.number().int(),
    failed: z.number().int(),
    waiting: z.number().int(),
    isPartial: z.boolean(),
  }),
  /** What to do something about; the most pressing first. */
  attention: z.array(z.object({ text: z.string(), url: z.string() })),
  /** False for a viewer, who may only look. */
  mayChange: z.boolean(),
  /** IANA name of the zone in which today began. */
  timeZone: z.string(),
  /** The settings site, where everything else is. */
  siteUrl: z.string(),
});

export type OverviewAnswer = z.output<typeof overviewAnswer>;

export interface OverviewOptions {
  readonly database: Database;
  readonly requiredScopes: readonly string[];
  readonly siteUrl: string;
  readonly now: () => Date;
}

/** Undefined if the app was never installed in this portal. */
export async function readOverview(
  { database, requiredScopes, siteUrl, now }: OverviewOptions,
  { portalId, role }: { portalId: PortalId; role: AccountRole },
): Promise<OverviewAnswer | undefined> {
  const portal = await findPortal(database, portalId);
  if (portal === undefined) return undefined;
  const timeZone = knownZone(portal.timeZone);
  const since = startOfToday(now(), timeZone);
  const [trouble, today, attention] = await Promise.all([
    findTrouble(database, portalId),
    readToday(database.pool, portalId, since),
    readAttention(database.pool, portalId, { since, now: now(), siteUrl }),
  ]);
  return overviewAnswer.parse({
    connection: {
      isConnected: portal.isConnected,
      disconnectedReason: portal.disconnectedReason,
      missingScopes: requiredScopes.filter((scope) => !portal.scopes.includes(scope)),
    },
    pausedSince: portal.pausedAt,
    trouble:
      trouble === undefined
        ? null
        : {
            since: trouble.since,
            restsUntil: trouble.pausedUntil,
            lastFailure: trouble.lastFailure,
            ownFault: trouble.ownCause === null ? null : ownFaultWords(trouble.ownCause),
          },
    today,
    attention,
    mayChange: role === "admin",
    timeZone,
    siteUrl,
  });
}
