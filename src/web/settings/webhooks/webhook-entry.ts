import type { Webhook } from "#domain/subscriptions/webhook.js";
import type { WebhookDraft } from "#domain/subscriptions/webhook-draft.js";
import { WEBHOOK_EVENTS } from "#domain/subscriptions/events.js";
import type { FormFields } from "#web/kit/form-fields.js";

/** The form as it was filled in; what it may hold is judged when it is saved. */
export type WebhookEntry = WebhookDraft;

/** A subscription as its form is filled in; an address that cannot be read has to be typed again. */
export const entryOf = ({ url, events, description }: Webhook): WebhookEntry => ({
  url: url ?? "",
  events,
  description,
});

export const EMPTY_WEBHOOK: WebhookEntry = { url: "", events: [], description: "" };

export function readWebhookEntry(form: FormFields): WebhookEntry {
  const ticked = form.texts("events");
  return {
    url: form.text("url"),
    events: WEBHOOK_EVENTS.filter((event) => ticked.includes(event)),
    description: form.text("description"),
  };
}
