import { sendPage } from "#web/kit/page.js";
import { frameOf } from "../frame/shell.js";
import { TryPage, type TryModel } from "./try-page.js";
import { statusOf } from "../frame/form-answers.js";
import { readFields } from "#web/kit/form-fields.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { readStepOffers, type StepOffers } from "../step/step-entry.js";
import { EMPTY_TRY, linkedTryEntry, parseTryEntry, readTryEntry } from "./try-entry.js";

/** `GET /settings/try` */
export async function showTry(exchange: Exchange): Promise<void> {
  const choices = await readChoices(exchange);
  send(exchange, { entry: linkedTryEntry(readFields(exchange.request.query)), choices, problems: {} });
}

/**
 * `POST /settings/try`, or from a story with `contact` and `sequence`: a form, so that no contact's address stands in an
 * address bar, and no other site can ask.
 */
export async function answerTry(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const choices = await readChoices(exchange);
  if (form.has("sequence")) {
    // From a contact's story: the form is filled in, and nothing asked yet.
    const named = { contact: form.text("contact"), sequence_id: form.text("sequence") };
    return send(exchange, { entry: { ...EMPTY_TRY, ...named }, choices, problems: {} });
  }
  const entry = readTryEntry(form);
  const parsed = parseTryEntry(entry, choices);
  if ("problems" in parsed) return send(exchange, { entry, choices, ...parsed });
  const explanation = await options.explain(visit.session.portalId, parsed.question);
  send(exchange, { entry, choices, problems: {}, explanation });
}

function send(exchange: Exchange, model: Omit<TryModel, "frame">): void {
  const { request, response } = exchange;
  // htmx puts answers of the 400s nowhere; without script the status says that nothing was asked.
  const isPart = request.get("HX-Request") === "true";
  const status = isPart ? 200 : statusOf(model);
  sendPage(response, status, <TryPage frame={frameOf(exchange)} {...model} />);
}

function readChoices({ options: { database }, visit }: Exchange): Promise<StepOffers> {
  return readStepOffers(database, visit.session.portalId);
}
