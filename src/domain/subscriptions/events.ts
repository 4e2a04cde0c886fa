/** What a customer's programs can be told, by the names that they subscribe to. */
export const WEBHOOK_EVENTS = [
  "enrollment.enrolled",
  "enrollment.refused",
  "enrollment.ended",
  "portal.disconnected",
  "portal.reconnected",
  "sender.refused",
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** Sent on request, to try an endpoint: nobody subscribes to it. */
export const TEST_EVENT = "webhook.test";

/** SQL: the event of a decided enrollment, by its `enrollment_status`. */
export const OUTCOME_EVENT = `CASE enrollment_status WHEN 'ENROLLED' THEN 'enrollment.enrolled' ELSE 'enrollment.refused' END`;
