import { sendPart } from "../session/view-only.js";
import { sendPage } from "#web/kit/page.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import { readHealth } from "#domain/accounts/connection-health.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { listActivePeople } from "#domain/directory/people.js";
import { readDirectoryReport } from "#domain/directory/report.js";
import { createFormat, knownZone } from "../words/format.js";
import { findTrouble } from "#domain/accounts/hubspot-trouble.js";
import { isRange, readHistory, type OutcomeHistory, type Range } from "#domain/history/outcome-history.js";
import { listWithDefaultSender, listWithoutDefaultSender } from "#domain/policy/fallback-presets.js";
import { readCauses, type Cause } from "#domain/history/attention/causes.js";
import { hideSetup, readSetupProgress } from "./setup.js";
import { SetupCard } from "./setup-card.js";
import { SettingsPage } from "./overview-page.js";
import { Trouble, type TroubleModel } from "./trouble.js";
import type { PortalOverview } from "#domain/accounts/portal-overview.js";
import { listSenderLoads } from "#domain/accounts/sender-load.js";
import { countTroubledSenders } from "#domain/policy/sender-list.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
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
  const timeZone = knownZone(portal.timeZone);
  const { policy, version } = await findPortalPolicy(database, portalId);
  const { defaultSenderUserId } = policy;
  const named = defaultSenderUserId === null ? [] : [defaultSenderUserId];
  const [senders, trouble, health, told, loads, troubledCount, report, uses, within, without] =
    await Promise.all([
      listActivePeople(database.pool, portalId, named),
      readLive(options, portal),
      readHealth(database, portalId),
      readResults(exchange, { range, timeZone }),
      listSenderLoads(database, portalId, options.now()),
      countTroubledSenders(database.pool, portalId),
      readDirectoryReport(database.pool, portalId),
      readFlowUses(database.pool, portalId),
      listWithDefaultSender(database, portalId),
      listWithoutDefaultSender(database, portalId),
    ]);
  const frame = frameOf(exchange);
  const { formToken } = frame;
  const hasDefaultSender = defaultSenderUserId !== null;
  const model = {
    frame,
    scopes,
    health,
    report,
    ...told,
    setup: await readSetupProgress(exchange, { troubled: troubledCount, hasDefaultSender }),
    loads,
    troubledCount,
    trouble,
    hubspotUrl: hubspotUrlOf(portal, options.appUrl),
    sender: { current: { userId: defaultSenderUserId, version }, senders, formToken, uses, within, without },
  };
  sendPage(response, 200, <SettingsPage {...model} />);
}

/** What was decided in the period, and why contacts were not enrolled in it. */
async function readResults(
  { options, visit }: Exchange,
  period: { range: Range; timeZone: string },
): Promise<{ history: OutcomeHistory; causes: readonly Cause[] }> {
  const { portalId } = visit.portal;
  const history = await readHistory(options.database, portalId, period);
  const bounds = { since: history.since, until: options.now() };
  return { history, causes: await readCauses(options.database.pool, portalId, bounds) };
}

/** `GET /settings/setup`: the list of what is left to do, while HubSpot's lists are being read. */
export async function showSetup(exchange: Exchange): Promise<void> {
  const { options, visit } = exchange;
  const { database } = options;
  const { portal } = visit;
  const { portalId } = portal;
  const { policy, version } = await findPortalPolicy(database, portalId);
  const userId = policy.defaultSenderUserId;
  const [senders, troubled, uses] = await Promise.all([
    listActivePeople(database.pool, portalId, userId === null ? [] : [userId]),
    countTroubledSenders(database.pool, portalId),
    readFlowUses(database.pool, portalId),
  ]);
  const setup = await readSetupProgress(exchange, { troubled, hasDefaultSender: userId !== null });
  if (setup === undefined) return sendPart(exchange, <></>);
  const formToken = options.sessions.formToken(visit.session);
  const sender = { current: { userId, version }, senders, formToken, uses, within: [], without: [] };
  const places = { portalId, hubspotUrl: hubspotUrlOf(portal, options.appUrl) };
  sendPart(exchange, <SetupCard setup={setup} sender={sender} places={places} formToken={formToken} />);
}

/** `POST /settings/setup/hide` */
export function hideSetupList(exchange: FormExchange): Promise<void> {
  hideSetup(exchange);
  exchange.response.redirect(303, "/settings");
  return Promise.resolve();
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
