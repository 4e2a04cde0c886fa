import type { DueEntry, FlowEntryOutcome } from "#domain/flow-entries/flow-entry.js";
import type { EntryMove } from "#domain/flow-entries/entry-store.js";
import { HubSpotRejected, type HubSpotError, askedWaitMs } from "#platform/hubspot/errors.js";
import { waitAfterMs } from "#platform/hubspot/pace/wait-after.js";

const RETRY = { baseMs: 2_000, capMs: 15 * 60_000 };

/** The end of an entry. */
export function ended(of: DueEntry, outcome: FlowEntryOutcome, message?: string): EntryMove {
  return { of, to: "DONE", outcome, message };
}

/** It stays where it is. */
export function putOff(of: DueEntry, dueInMs: number): EntryMove {
  return { of, to: of.state, dueInMs, tries: of.tries };
}

/**
 * Nothing could be found out about an entry that may have been sent. Only readings that HubSpot answered are counted.
 */
export function stillInDoubt(of: DueEntry, fault: HubSpotError, doubtMs: number): EntryMove {
  if (fault instanceof HubSpotRejected) return ended(of, "ANSWER_LOST", fault.hubspotMessage);
  const dueInMs = Math.max(askedWaitMs(fault), doubtMs);
  return { of, to: of.state, dueInMs, tries: of.tries, message: fault.message };
}

/** What a failed request means if it certainly changed nothing, or may be repeated. */
export function afterFault(of: DueEntry, fault: HubSpotError): EntryMove {
  if (fault instanceof HubSpotRejected) {
    const outcome = fault.httpStatus === 403 ? "MISSING_SCOPES" : "REFUSED";
    return ended(of, outcome, [...new Set([fault.hubspotMessage, ...fault.details])].join(" "));
  }
  const tries = of.tries + 1;
  return { of, to: of.state, dueInMs: waitAfterMs(fault, tries, RETRY), tries, message: fault.message };
}
