import { undoChange, type NotUndone } from "#domain/policy/undo-change.js";
import { undoAccess } from "../access/access-handlers.js";
import type { FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { lookAgain } from "../frame/look-again.js";
import { SITE_PAGES } from "../frame/navigation.js";
import type { NoticeName } from "../frame/notices.js";
import { actorOf } from "../session/visit.js";

const NOTICES: Readonly<Record<NotUndone | "undone", NoticeName>> = {
  undone: "undone",
  "changed-meanwhile": "undo-changed",
  "name-taken": "undo-name-taken",
  "rotation-gone": "undo-rotation-gone",
  "too-late": "undo-too-late",
  unknown: "undo-unknown",
};

/** `POST /settings/undo`: takes back the change of field `key`, and goes on where the button was. */
export async function undo(exchange: FormExchange): Promise<void> {
  const { options, visit, form } = exchange;
  const back = SITE_PAGES.find(({ path }) => path === form.text("back"));
  const isAccessBack = await undoAccess(exchange, form.text("key"));
  if (isAccessBack !== undefined)
    return finishForm(exchange, isAccessBack ? "undone" : "undo-changed", back?.path);
  const outcome = await undoChange(options.database, actorOf(visit), form.text("key"));
  if (outcome.kind === "undone") await lookAgain(options, visit.session.portalId);
  finishForm(exchange, NOTICES[outcome.kind], back?.path);
}
