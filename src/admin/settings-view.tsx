import type { Request, Response } from "express";
import { findLastAlert } from "../alerts/last-alert.js";
import { sendPage } from "../http/page.js";
import { readBacklog } from "./backlog.js";
import { listSenderOptions } from "./default-sender.js";
import { searchExecutions } from "./activity/execution-search.js";
import { countLastDay } from "./day-counts.js";
import { takeNotice } from "./flash.js";
import { createFormat } from "./format.js";
import { findTrouble } from "./hubspot-trouble.js";
import { isOutcome } from "./outcome.js";
import type { ActivityModel, RecentFilter } from "./pages/activity.js";
import type { AlertEntry } from "./pages/alerts-form.js";
import { SettingsPage } from "./pages/settings-page.js";
import type { TroubleModel } from "./pages/trouble.js";
import type { PortalOverview } from "./portal-overview.js";
import { findChoices } from "./settings-row.js";
import type { SettingsOptions } from "./site-options.js";
import type { AdminVisit } from "./visit.js";

interface Exchange {
  request: Request;
  response: Response;
  /** What was typed into the alerts form and cannot be saved. */
  alertEntry?: AlertEntry;
}

/** Reads everything the settings page shows and sends it. */
export async function sendSettings(
  options: SettingsOptions,
  { session, portal }: AdminVisit,
  { request, response, alertEntry }: Exchange,
): Promise<void> {
  const { database, scopes } = options;
  const { portalId } = portal;
  const [choices, senders, live, lastAlert] = await Promise.all([
    findChoices(database, portalId),
    listSenderOptions(database, portalId),
    readLiveParts(options, portal, request),
    findLastAlert(database.pool, portalId),
  ]);
  const formToken = options.sessions.formToken(session);
  const { version } = choices;
  const { format } = live.activity;
  const model = {
    ...{ session, portal, scopes, format, formToken },
    ...live,
    notice: takeNotice(options.cookies, request, response),
    sender: { current: { userId: choices.defaultSenderUserId, version }, options: senders, formToken },
    alerts: {
      ...{ version, formToken },
      savedUrl: choices.alertWebhookUrl,
      entry: alertEntry,
      last: { alert: lastAlert, format },
    },
  };
  sendPage(response, alertEntry === undefined ? 200 : 422, <SettingsPage {...model} />);
}

/** The parts of the page that renew themselves. */
export interface LiveParts {
  activity: ActivityModel;
  trouble: TroubleModel;
}

export async function readLiveParts(
  { database, appUrl, now }: SettingsOptions,
  portal: PortalOverview,
  request: Request,
): Promise<LiveParts> {
  const { portalId } = portal;
  const filter = readFilter(request);
  const [page, counts, backlog, trouble] = await Promise.all([
    readPage(database, portalId, filter),
    countLastDay(database, portalId, now()),
    readBacklog(database, portalId),
    findTrouble(database, portalId),
  ]);
  const format = createFormat(portal.timeZone);
  const at = { now: now(), format, backlog };
  return {
    activity: { ...at, portalId, hubspotUrl: hubspotUrlOf(portal, appUrl), filter, counts, page },
    trouble: { ...at, trouble },
  };
}

export function hubspotUrlOf({ uiDomain }: PortalOverview, appUrl: string): string {
  return uiDomain !== null && /^[\w.-]+$/.test(uiDomain) ? `https://${uiDomain}` : appUrl;
}

const PAGE_SIZE = 25;

async function readPage(
  { pool }: Pick<SettingsOptions["database"], "pool">,
  portalId: bigint,
  { outcome, before }: RecentFilter,
) {
  const search = await searchExecutions(pool, portalId, outcome === undefined ? {} : { outcome });
  return search.read(before === undefined ? {} : { before }, PAGE_SIZE);
}

/** Values that make no sense are taken as not given. */
function readFilter({ query }: Request): RecentFilter {
  const { status, before } = query;
  return {
    outcome: isOutcome(status) ? status : undefined,
    before: typeof before === "string" && /^\d{1,18}$/.test(before) ? BigInt(before) : undefined,
  };
}
