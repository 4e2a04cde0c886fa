import { sendPage } from "#web/kit/page.js";
import { withDeadline } from "#platform/time/request-deadline.js";
import { createFormat } from "../words/format.js";
import { readPauseTerms } from "./pause-entry.js";
import { DangerPage } from "./danger-page.js";
import { readDangerState, requestErasure, setPaused } from "#domain/accounts/portal-pause.js";
import { readFlowUses } from "#domain/flows/flow-uses.js";
import { switchOffUnenroll } from "#domain/unenroll/change-setup.js";
import { frameOf } from "../frame/shell.js";
import { readBacklog } from "#domain/accounts/backlog.js";
import { actorOf, type MemberVisit } from "../session/visit.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { SITE_PAGES } from "../frame/navigation.js";
import { finishForm } from "../frame/form-answers.js";

/** GET /settings/danger */
export async function showDanger(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId, timeZone } = visit.portal;
  const [state, backlog, uses] = await Promise.all([
    readDangerState(options.database.pool, portalId),
    readBacklog(options.database, portalId),
    readFlowUses(options.database.pool, portalId),
  ]);
  const frame = frameOf(exchange);
  const format = createFormat(timeZone, options.now());
  sendPage(
    response,
    200,
    <DangerPage frame={frame} state={state} backlog={backlog} format={format} uses={uses} />,
  );
}

/** POST /settings/danger/pause */
export async function pause(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const { timeZone } = visit.portal;
  const terms = readPauseTerms(form, { now: options.now(), timeZone });
  await setPaused(options.database.pool, actorOf(visit), terms);
  const { until } = terms;
  const about = until === null ? "" : createFormat(timeZone, undefined).dateTime(until);
  finishForm(
    exchange,
    until === null ? "portal-paused" : { name: "portal-paused-until", about },
    backTo(exchange),
  );
}

/** POST /settings/danger/resume */
export async function resume(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  await setPaused(options.database.pool, actorOf(visit), false);
  finishForm(exchange, "portal-resumed", backTo(exchange));
}

/** Every page has both buttons: one goes on where one was. */
function backTo({ form }: FormExchange): string | undefined {
  return SITE_PAGES.find(({ path }) => path === form.text("back"))?.path;
}

/** POST /settings/danger/erase */
export async function erase(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  if (!isConfirmed(exchange)) return finishForm(exchange, "danger-not-confirmed");
  await requestErasure(options.database.pool, actorOf(visit));
  finishForm(exchange, "history-erased");
}

/**
 * POST /settings/danger/disconnect. Our access is erased whatever HubSpot says, or whether it says anything; but not the
 * access that a new install gave while HubSpot was being told.
 */
export async function disconnect(exchange: FormExchange): Promise<void> {
  const { options, visit, response } = exchange;
  if (!isConfirmed(exchange)) return finishForm(exchange, "danger-not-confirmed");
  const { session } = visit;
  const { portalId } = session;
  const grant = await options.vault.currentGrant(portalId);
  if (grant === undefined) return response.redirect(303, "/settings");
  // Before HubSpot takes the access away: what the app made there could not be deleted afterward.
  await switchOffUnenroll(options.database.pool, actorOf(visit));
  await options.removeHelper(portalId);
  const isUninstalled = (await options.uninstall(portalId)) === "uninstalled";
  // HubSpot has been told: it is forgotten here, too, even if whoever asked is not waiting anymore.
  const isErased = await withDeadline(undefined, () =>
    options.vault.disconnect(
      {
        actor: actorOf(visit),
        reason: reasonOf(session, isUninstalled),
        uninstalledInHubSpot: isUninstalled,
      },
      // What HubSpot removed with the app is dead already.
      { grant, revokes: !isUninstalled },
    ),
  );
  if (!isErased) return finishForm(exchange, "connected-meanwhile");
  response.redirect(303, "/settings");
}

function reasonOf({ userEmail }: MemberVisit["session"], isUninstalled: boolean): string {
  const reason = `${userEmail ?? "An admin"} disconnected this account.`;
  if (isUninstalled) return reason;
  return `${reason} We couldn't reach HubSpot to uninstall the app, so also remove it in HubSpot under Settings > Integrations > Connected Apps.`;
}

function isConfirmed({ form, visit }: FormExchange): boolean {
  return form.text("confirmation") === visit.portal.portalId.toString();
}
