import type { Snapshot } from "#domain/audit/record-change.js";
import { destinationProblem } from "#platform/outbound/destination.js";
import { WEBHOOK_EVENTS, type WebhookEvent } from "./events.js";
import type { Webhook } from "./webhook.js";

export const LONGEST_DESCRIPTION = 200;

/** What an admin or a program decides of a subscription. */
export interface WebhookDraft {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly description: string;
}

/** A sentence for each field that cannot be saved. */
export type WebhookProblems = Readonly<Partial<Record<keyof WebhookDraft, string>>>;

export function webhookProblems(
  draft: WebhookDraft,
  privateDestinations: ReadonlySet<string>,
): WebhookProblems {
  const url = destinationProblem(draft.url, privateDestinations);
  const isKnown = draft.events.every((event) => WEBHOOK_EVENTS.includes(event));
  return {
    ...(url === undefined ? {} : { url }),
    ...(draft.events.length > 0 && isKnown ? {} : { events: "Choose at least one event." }),
    ...(draft.description.length <= LONGEST_DESCRIPTION
      ? {}
      : { description: `Use at most ${LONGEST_DESCRIPTION} characters.` }),
  };
}

/** Events as the list of all has them, each once. */
export const inOrder = (events: readonly WebhookEvent[]): WebhookEvent[] =>
  WEBHOOK_EVENTS.filter((event) => events.includes(event));

/** What a form and what is stored are compared by; the address is the admin's own, and shown in full. */
export function draftSnapshot({ url, events, description }: WebhookDraft | Webhook): Snapshot {
  return { webhookUrl: url ?? "", events: inOrder(events).join(", "), description };
}
