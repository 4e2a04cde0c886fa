import { sendPage } from "#web/kit/page.js";
import { ERROR_CODES } from "#domain/contract/error-codes.js";
import type { Exchange } from "../frame/exchange.js";
import { sendMissing } from "../frame/form-answers.js";
import { frameOf } from "../frame/shell.js";
import { HELP_PATH, hubspotUrlOf } from "../words/paths.js";
import { HelpPage, ReasonPage } from "./help-page.js";

/** `GET /settings/help` */
export function showHelp(exchange: Exchange): Promise<void> {
  const { supportContact } = exchange.options;
  sendPage(exchange.response, 200, <HelpPage frame={frameOf(exchange)} supportContact={supportContact} />);
  return Promise.resolve();
}

/** `GET /settings/help/:code` */
export function showReason(exchange: Exchange): Promise<void> {
  const { options, visit, request, response } = exchange;
  const code = ERROR_CODES.find((one) => one === request.params["code"]);
  if (code === undefined) {
    sendMissing(exchange, { what: "reason", back: { href: HELP_PATH, label: "Help" } });
    return Promise.resolve();
  }
  const { portalId } = visit.portal;
  const places = { portalId, hubspotUrl: hubspotUrlOf(visit.portal, options.appUrl) };
  sendPage(response, 200, <ReasonPage frame={frameOf(exchange)} code={code} places={places} />);
  return Promise.resolve();
}
