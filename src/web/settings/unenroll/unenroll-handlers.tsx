import { sendPage } from "#web/kit/page.js";
import { checkUnenrollNow, switchOffUnenroll, switchOnUnenroll } from "#domain/unenroll/change-setup.js";
import { readSetup } from "#domain/unenroll/setup.js";
import { UNENROLL_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { hubspotUrlOf } from "../words/paths.js";
import { createFormat } from "../words/format.js";
import { UnenrollPage } from "./unenroll-page.js";

/** The permissions that the account has not given yet. */
function missingScopes({ visit }: Pick<Exchange, "visit">): string[] {
  return UNENROLL_SCOPES.filter((scope) => !visit.portal.scopes.includes(scope));
}

/** GET /settings/unenroll */
export async function showUnenroll(exchange: Exchange): Promise<void> {
  const { options, visit, response } = exchange;
  const { portalId, timeZone } = visit.portal;
  const setup = await readSetup(options.database, portalId);
  const model = {
    frame: frameOf(exchange),
    setup,
    missingScopes: missingScopes(exchange),
    portalId,
    hubspotUrl: hubspotUrlOf(visit.portal, options.appUrl),
  };
  sendPage(response, 200, <UnenrollPage {...model} format={createFormat(timeZone, options.now())} />);
}

/** POST /settings/unenroll/on. Without the permissions nothing could be made. */
export async function switchOn(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  if (missingScopes(exchange).length > 0) return finishForm(exchange, "unenroll-not-permitted");
  await switchOnUnenroll(options.database.pool, actorOf(visit));
  options.wake(visit.portal.portalId);
  finishForm(exchange, "unenroll-on");
}

/** POST /settings/unenroll/off */
export async function endUnenroll(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  await switchOffUnenroll(options.database.pool, actorOf(visit));
  options.wake(visit.portal.portalId);
  finishForm(exchange, "unenroll-off");
}

/** POST /settings/unenroll/check */
export async function check(exchange: FormExchange): Promise<void> {
  const { options, visit } = exchange;
  await checkUnenrollNow(options.database.pool, visit.portal.portalId);
  options.wake(visit.portal.portalId);
  finishForm(exchange, "unenroll-checked");
}
