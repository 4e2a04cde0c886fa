/**
 * How long HubSpot holds a contact for us unless the action's own wait needs longer; also HubSpot's default. After that
 * the contact moves on without outputs (docs/hubspot.md §3.5). An hour of it is kept for the last completion to arrive.
 */
export const HOLD_DAYS = 7;

/** A hold as our BLOCK answer asks for it, an ISO-8601 duration. */
export function holdDuration(days: number): string {
  return `P${days}D`;
}
