import { FAILING_DAYS } from "#domain/subscriptions/switch-off.js";
import type { DeliveryState } from "#domain/subscriptions/deliveries.js";
import type { WebhookEvent } from "#domain/subscriptions/events.js";
import type { DisabledReason, Webhook } from "#domain/subscriptions/webhook.js";

/** When each event is sent. */
export const EVENT_NOTES: Readonly<Record<WebhookEvent, string>> = {
  "enrollment.enrolled": "A contact was enrolled in a sequence.",
  "enrollment.refused": "A contact wasn't enrolled: already in a sequence, skipped, failed, or canceled.",
  "enrollment.ended": "A contact left a sequence: finished, replied, or unenrolled.",
  "portal.disconnected": "The account is no longer connected.",
  "portal.reconnected": "The account is connected again.",
  "sender.refused": "A sender can't send (no inbox, seat, or permission).",
};

export const OFF_REASONS: Readonly<Record<DisabledReason, string>> = {
  BY_REQUEST: "An admin or a program turned it off.",
  FAILING: `We turned it off because every delivery failed for ${FAILING_DAYS} days.`,
  GONE: "We turned it off because the URL returned 410 Gone.",
};

interface Badge {
  readonly label: string;
  readonly tone: string;
}

export function stateOf({ status, failingSince, url }: Webhook): Badge {
  if (status === "DISABLED") return { label: "Off", tone: "failed" };
  if (url === null) return { label: "URL unreadable", tone: "failed" };
  if (failingSince !== null) return { label: "Failing", tone: "waiting" };
  return { label: "On", tone: "enrolled" };
}

export const DELIVERY_BADGES: Readonly<Record<DeliveryState, Badge>> = {
  PENDING: { label: "Waiting", tone: "waiting" },
  DELIVERED: { label: "Delivered", tone: "enrolled" },
  GIVEN_UP: { label: "Failed", tone: "failed" },
};

/** The states of deliveries as the choice above the list names them, by the word in its address. */
export const DELIVERY_FILTERS = [
  { word: "", state: undefined, label: "All" },
  { word: "waiting", state: "PENDING", label: "Waiting" },
  { word: "delivered", state: "DELIVERED", label: "Delivered" },
  { word: "given-up", state: "GIVEN_UP", label: "Failed" },
] as const satisfies readonly { word: string; state: DeliveryState | undefined; label: string }[];

export type DeliveryFilter = (typeof DELIVERY_FILTERS)[number];
