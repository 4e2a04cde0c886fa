import type { Request, Response } from "express";
import { sendPage } from "../http/page.js";
import { readBacklog } from "./backlog.js";
import { readHealth } from "./connection-health.js";
import { listSenderOptions } from "./default-sender.js";
import { searchExecutions } from "./activity/execution-search.js";
import { countLastDay } from "./day-counts.js";
import { createFormat } from "./format.js";
import { findTrouble } from "./hubspot-trouble.js";
import { isRange, readHistory } from "./outcome-history.js";
import { isOutcome } from "./outcome.js";
import type { ActivityModel, RecentFilter } from "./pages/activity.js";
import { SettingsPage } from "./pages/settings-page.js";
import type { TroubleModel } from "./pages/trouble.js";
import type { PortalOverview } from "./portal-overview.js";
import { listSenderLoads } from "./sender-load.js";
import { frameOf } from "./shell.js";
import { findChoices } from "./settings-row.js";
import type { SettingsOptions } from "./site-options.js";
import type { AdminVisit } from "./visit.js";

interface Exchange {
  request: Request;
  response: Response;
}

/** Reads everything the settings page shows and sends it. */
export async function sendSettings(
  options: SettingsOptions,
  visit: AdminVisit,
  { request, response }: Exchange,
): Promise<void> {
  const { database, scopes } = options;
  const { portal } = visit;
  const { portalId } = portal;
  const range = isRange(request.query["range"]) ? request.query["range"] : "24h";
  const timeZone = createFormat(portal.timeZone).zoneName;
  const [choices, senders, live, health, history, loads] = await Promise.all([
    findChoices(database, portalId),
    listSenderOptions(database, portalId),
    readLiveParts(options, portal, request),
    readHealth(database, portalId),
    readHistory(database, portalId, { range, timeZone }),
    listSenderLoads(database, portalId),
  ]);
  const frame = frameOf(options, visit, { request, response });
  const { formToken } = frame;
  const { version } = choices;
  const model = {
    ...{ frame, scopes, health, history, loads },
    ...live,
    sender: { current: { userId: choices.defaultSenderUserId, version }, options: senders, formToken },
  };
  sendPage(response, 200, <SettingsPage {...model} />);
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
