import { deleteView, saveView } from "#domain/history/search/saved-views.js";
import { addressWith } from "#domain/history/activity-query.js";
import { readId } from "#web/kit/form-fields.js";
import type { FormExchange } from "../../frame/exchange.js";
import { finishForm } from "../../frame/form-answers.js";
import { actorOf } from "../../session/visit.js";
import { ACTIVITY_PATH } from "../../words/paths.js";
import { readQuery } from "../activity-entry.js";

const NOTICES = {
  "not-savable": "view-not-savable",
  "too-many": "view-too-many",
  "name-taken": "view-name-taken",
} as const;

/** `POST /settings/activity/views`: the list's filter, and a name for it. */
export async function addView(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const query = readQuery(exchange, form.given);
  const name = form.text("name");
  const refusal = await saveView(options.database.pool, actorOf(visit), { name, query });
  const notice = refusal === undefined ? "view-saved" : NOTICES[refusal];
  finishForm(exchange, { name: notice, about: name }, addressWith(ACTIVITY_PATH, query.given));
}

/** `POST /settings/activity/views/:id/delete` */
export async function removeView(exchange: FormExchange): Promise<void> {
  const { options, visit, request } = exchange;
  const id = readId(request.params["id"]);
  const name = id === undefined ? undefined : await deleteView(options.database.pool, actorOf(visit), id);
  finishForm(exchange, name === undefined ? "view-gone" : { name: "view-deleted", about: name });
}
