import { sendPart } from "../session/view-only.js";
import { sendPage } from "#web/kit/page.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import { readHealth } from "#domain/accounts/connection-health.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { listActivePeople } from "#domain/directory/people.js";
import { readDirectoryReport } from "#domain/directory/report.js";
import { createFormat } from "../words/format.js";
import { findTrouble } from "#domain/accounts/hubspot-trouble.js";
import { isRange, readHistory } from "#domain/history/outcome-history.js";
import { SettingsPage } from "./overview-page.js";
import { Trouble, type TroubleModel } from "./trouble.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { listSenderLoads } from "#domain/accounts/sender-load.js";
import { countTroubledSenders } from "../senders/sender-list.js";
import type { Exchange } from "../frame/exchange.js";
import { frameOf } from "../frame/shell.js";
import { findPortalPolicy } from "#domain/policy/portal-policy-store.js";
import type { SettingsOptions } from "../session/site-options.js";
import { WaitingCard } from "./waiting-card.js";
import { hubspotUrlOf } from "../words/paths.js";

/** `GET /settings` */
export async function showOverview(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const { database, scopes } = options;
  const { portal } = visit;
  const { portalId } = portal;
  const range = isRange(request.query["range"]) ? request.query["range"] : "24h";
  const timeZone = createFormat(portal.timeZone).zoneName;
  const { policy, version } = await findPortalPolicy(database, portalId);
  const { defaultSenderUserId } = policy;
  const named = defaultSenderUserId === null ? [] : [defaultSenderUserId];
  const [senders, trouble, health, history, loads, troubledCount, report, uses] = await Promise.all([
    listActivePeople(database.pool, portalId, named),
    readLive(options, portal),
    readHealth(database, portalId),
    readHistory(database, portalId, { range, timeZone }),
    listSenderLoads(database, portalId, options.now()),
    countTroubledSenders(database.pool, portalId),
    readDirectoryReport(database.pool, portalId),
    readFlowUses(database.pool, portalId),
  ]);
  const frame = frameOf(exchange);
  const { formToken } = frame;
  const model = {
    frame,
    scopes,
    health,
    report,
    history,
    loads,
    troubledCount,
    trouble,
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    sender: { current: { userId: defaultSenderUserId, version }, senders, formToken, uses },
  };
  sendPage(response, 200, <SettingsPage {...model} />);
}

/** `GET /settings/waiting`: the parts of the page that renew themselves. */
export async function showWaiting(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const live = await readLive(options, visit.portal);
  sendPart(
    exchange,
    <>
      <WaitingCard {...live} isPaused={visit.portal.pausedAt !== null} />
      <Trouble {...live} isUpdate />
    </>,
  );
}

async function readLive({ database, now }: SettingsOptions, portal: PortalOverview): Promise<TroubleModel> {
  const { portalId } = portal;
  const [backlog, trouble] = await Promise.all([
    readBacklog(database, portalId),
    findTrouble(database, portalId),
  ]);
  const at = now();
  return { now: at, format: createFormat(portal.timeZone, at), backlog, trouble };
}
