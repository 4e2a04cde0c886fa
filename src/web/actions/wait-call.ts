import { HOLD_DAYS } from "#domain/contract/hold.js";
import { DEFAULT_MAX_WAIT_DAYS, WAIT_INPUTS } from "#domain/contract/wait-contract.js";
import type { HoldSettings } from "#domain/contract/hold.js";
import { firstLookAt } from "#domain/contract/look-times.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { readCall, readInput, toIncoming, toInvalid, type Call, type ParsedCall } from "./call-envelope.js";

/** How much longer than its wait a contact is held: for a HubSpot outage at its end, and for the completion. */
const MARGIN_DAYS = 2;

const [MAX_WAIT_DAYS] = WAIT_INPUTS;

function readDays(given: string | undefined): number | undefined {
  if (given === undefined) return DEFAULT_MAX_WAIT_DAYS;
  // A comma is what half of Europe types.
  const text = given.replace(",", ".");
  const days = /^\d{1,6}(?:\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  return days > 0 ? days : undefined;
}

export interface WaitCallOptions {
  readonly readHoldSettings: (portalId: PortalId) => Promise<HoldSettings>;
}

/** Reads the bytes of a verified call of the wait action. */
export function parseWaitCall(body: Buffer, options: WaitCallOptions): ParsedCall | Promise<ParsedCall> {
  return readCall<ParsedCall | Promise<ParsedCall>>(body, (call) => parseInputs(call, options));
}

async function parseInputs(call: Call, options: WaitCallOptions): Promise<ParsedCall> {
  const incoming = toIncoming(call, "WAIT_FOR_SEQUENCE_END");
  const days = readDays(readInput(call, MAX_WAIT_DAYS));
  if (days === undefined) {
    return toInvalid(incoming, "“Maximum wait” is not a number of days above 0, such as 14 or 0.5.");
  }
  const { maxHoldDays: most, now } = await options.readHoldSettings(incoming.portalId);
  if (days > most) {
    const refused = toInvalid(
      incoming,
      `“Maximum wait” is ${days} days, but “Longest hold” on the app's settings page allows ${most}. Enter fewer days, or ask an admin to raise that setting.`,
    );
    return { ...refused, dependsOnTime: true };
  }
  const holdDays = Math.max(HOLD_DAYS, Math.ceil(days) + MARGIN_DAYS);
  return {
    kind: "valid",
    execution: {
      ...incoming,
      request: { ...incoming.request, maxWaitDays: days },
      holdDays,
      // All of it: an outage at the wait's end must not turn TIMED_OUT into a failure (docs/decisions/007-waiting-for-sequences-to-end.md).
      waitHours: holdDays * 24,
      dueAt: firstLookAt(now, incoming.portalId),
    },
    dependsOnTime: true,
  };
}
