import { ENTRY_PROPERTY } from "#domain/flow-entries/entry-property.js";
import type { DueEntry } from "#domain/flow-entries/flow-entry.js";
import type { EntryMove } from "#domain/flow-entries/entry-store.js";
import { HubSpotError, HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { afterFault, ended } from "./entry-moves.js";

/** How long the stages of an entry take, in ms; shorter ones are for tests. */
export interface EntryTimes {
  /**
   * A contact's property stays set for this long: HubSpot looks at its triggers within moments, and minutes when it is
   * busy.
   */
  readonly stampedMs: number;
  /** After a lost answer HubSpot may show an entry late: it is read after this time, and again. */
  readonly doubtMs: number;
}

export const ENTRY_TIMES: EntryTimes = { stampedMs: 3 * 60_000, doubtMs: 30_000 };

/** One contact whose property is written; an empty value clears it. */
export interface EntryStamp {
  readonly entry: DueEntry & { readonly state: "STAMPING" | "CLEARING" };
  readonly contactId: string;
  readonly value: string;
}

interface Stamped {
  readonly moves: readonly EntryMove[];
  readonly requests: number;
}

/**
 * Writes the property of up to 100 contacts in one request; if HubSpot refuses that for a reason that may be one contact's,
 * in halves. Writing a value again that is there already starts no workflow.
 */
export async function writeEntryStamps(
  stamps: readonly EntryStamp[],
  tools: { readonly gateway: PortalGateway; readonly times: EntryTimes },
): Promise<Stamped> {
  if (stamps.length === 0) return { moves: [], requests: 0 };
  try {
    const values = new Map(stamps.map(({ contactId, value }) => [contactId, value]));
    await tools.gateway.writeContactProperty(ENTRY_PROPERTY, values);
    return { moves: stamps.map(({ entry }) => taken(entry, tools.times)), requests: 1 };
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    const isOfOne = error instanceof HubSpotRejected && error.httpStatus !== 403 && stamps.length > 1;
    if (!isOfOne) return { moves: stamps.map(({ entry }) => refused(entry, error)), requests: 1 };
    const middle = Math.ceil(stamps.length / 2);
    const first = await writeEntryStamps(stamps.slice(0, middle), tools);
    const second = await writeEntryStamps(stamps.slice(middle), tools);
    return { moves: [...first.moves, ...second.moves], requests: 1 + first.requests + second.requests };
  }
}

function taken(of: EntryStamp["entry"], { stampedMs }: EntryTimes): EntryMove {
  return of.state === "STAMPING" ? { of, to: "STAMPED", dueInMs: stampedMs } : ended(of, "PUT_IN");
}

/**
 * If a property cannot be cleared because it or its contact is gone, that does not mean that the contact was not put
 * in.
 */
function refused(of: EntryStamp["entry"], fault: HubSpotError): EntryMove {
  if (of.state === "CLEARING" && fault instanceof HubSpotRejected) return ended(of, "PUT_IN");
  return afterFault(of, fault);
}
