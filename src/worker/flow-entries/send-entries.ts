import type { Ownership } from "#domain/executions/claim.js";
import { writeEntries, type EntryMove } from "#domain/flow-entries/entry-store.js";
import type { DueEntry } from "#domain/flow-entries/flow-entry.js";
import { HubSpotError, HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { afterFault, ended, stillInDoubt } from "./entry-moves.js";
import type { FoundEntry } from "./find-contacts.js";
import type { EntryFlow } from "./read-entry-flow.js";
import type { EntryTimes } from "./stamp-entries.js";

type LegacyFlow = Extract<EntryFlow, { route: "legacy" }>;

export interface SendTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly times: EntryTimes;
}

/** After this many readings that do not show it, nobody can still tell whether the contact was put in. */
const MOST_READINGS = 3;

/**
 * Puts one contact in a workflow by the legacy route. The intent is stored before the request: whoever finds it reads
 * HubSpot first.
 */
export async function sendEntry(
  { entry, contactId, email }: FoundEntry,
  flow: LegacyFlow,
  { owner, gateway, times }: SendTools,
): Promise<void> {
  if (email === "") {
    await writeEntries(owner, [{ ...ended(entry, "CONTACT_HAS_NO_EMAIL"), contactId }]);
    return;
  }
  const intent: EntryMove = { of: entry, to: "SENDING", contactId, email, tries: 0, dueInMs: times.doubtMs };
  if (!(await writeEntries(owner, [intent])).has(entry.id)) return;
  const sending = { ...entry, state: "SENDING", tries: 0 } as const;
  await writeEntries(owner, [await sent(sending, { email, flow, gateway, times })]);
}

async function sent(
  entry: DueEntry,
  { email, flow, gateway, times }: { email: string; flow: LegacyFlow } & Omit<SendTools, "owner">,
): Promise<EntryMove> {
  try {
    await gateway.putInWorkflow({ workflowId: flow.workflowId, email });
    return ended(entry, "PUT_IN");
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    if (error instanceof HubSpotRejected) return afterFault(entry, error);
    if (error instanceof HubSpotUnavailable && error.wasNotSent)
      return { ...afterFault(entry, error), to: "QUEUED" };
    return { of: entry, to: "SENDING", dueInMs: times.doubtMs, message: error.message };
  }
}

/** What happens to an entry whose request may have been taken, by what HubSpot shows of its contact. */
export async function settleEntry(
  entry: DueEntry,
  flow: LegacyFlow,
  { gateway, times }: Omit<SendTools, "owner">,
): Promise<EntryMove> {
  try {
    const current = await gateway.readWorkflowsOfContact(entry.contactId ?? "");
    if (current.includes(flow.workflowId)) return ended(entry, "PUT_IN");
  } catch (error) {
    if (!(error instanceof HubSpotError)) throw error;
    // A refusal may be HubSpot's way of saying that the contact is in none.
    if (!(error instanceof HubSpotRejected)) return stillInDoubt(entry, error, times.doubtMs);
  }
  // A contact enters such a workflow once, however often it is put in.
  if (!flow.mayReturn) return { of: entry, to: "QUEUED", tries: entry.tries };
  const tries = entry.tries + 1;
  if (tries >= MOST_READINGS) return ended(entry, "ANSWER_LOST");
  return { of: entry, to: "SENDING", dueInMs: times.doubtMs, tries };
}
