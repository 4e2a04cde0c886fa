import { readCauseKey, SNOOZE_DAYS, snoozeCause, wakeCause } from "#domain/history/attention/snooze.js";
import type { FormExchange } from "../frame/exchange.js";
import { finishForm } from "../frame/form-answers.js";
import { actorOf } from "../session/visit.js";

/** `POST /settings/attention/snooze` */
export async function snooze(exchange: FormExchange): Promise<void> {
  const { options, visit, form, response } = exchange;
  const key = readCauseKey(form.text("code"), form.text("subject"));
  const days = SNOOZE_DAYS.find((one) => String(one) === form.text("days"));
  if (key === undefined || days === undefined) return response.redirect(303, "/settings");
  await snoozeCause(options.database.pool, actorOf(visit), { key, days });
  finishForm(exchange, "cause-snoozed");
}

/** `POST /settings/attention/wake` */
export async function wake(exchange: FormExchange): Promise<void> {
  const { options, visit, form, response } = exchange;
  const key = readCauseKey(form.text("code"), form.text("subject"));
  const isAwake = key !== undefined && (await wakeCause(options.database.pool, actorOf(visit), key));
  if (!isAwake) return response.redirect(303, "/settings");
  finishForm(exchange, "cause-awake");
}
