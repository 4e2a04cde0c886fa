/**
 * How far a contact is on its way into a workflow. Before each request its state is stored, so whoever finds it there
 * knows that the request may have been sent.
 *
 *   QUEUED    nothing was sent
 *   STAMPING  the contact's property is to be set, which starts the workflow; it may be set already, and is set again
 *   STAMPED   HubSpot took the value: the workflow takes the contact in meanwhile
 *   CLEARING  the property is to be emptied
 *   SENDING   the legacy request is under way; found so by the next step, it may have been taken: HubSpot is read first
 *   DONE
 */
export type FlowEntryState = "QUEUED" | "STAMPING" | "STAMPED" | "CLEARING" | "SENDING" | "DONE";

/**
 * How it ended. `PUT_IN`: HubSpot took it, and the workflow's own settings decide whether the contact enters;
 * `ANSWER_LOST`: it may have been taken, and asking again could put the contact in twice; `NOT_SUPPORTED`: HubSpot has no
 * way for this workflow; the others say why it was not put in.
 */
export const FLOW_ENTRY_OUTCOMES = [
  "PUT_IN",
  "CONTACT_NOT_FOUND",
  "CONTACT_HAS_NO_EMAIL",
  "WORKFLOW_NOT_FOUND",
  "WORKFLOW_OFF",
  "NOT_SUPPORTED",
  "MISSING_SCOPES",
  "REFUSED",
  "ANSWER_LOST",
  "TOO_LATE",
] as const;
export type FlowEntryOutcome = (typeof FLOW_ENTRY_OUTCOMES)[number];

/** A contact as it was named. */
export type EntryContact = { readonly id: string } | { readonly email: string };

/** One that is to be worked on. */
export interface DueEntry {
  readonly id: bigint;
  readonly flowId: string;
  readonly contactId: string | undefined;
  readonly email: string | undefined;
  readonly state: Exclude<FlowEntryState, "DONE">;
  readonly stamp: string | undefined;
  readonly tries: number;
  readonly isTooLate: boolean;
}

/** Contacts of one request. More are an import's work. */
export const MOST_ENTRIES = 1_000;
/** An entry that could not be sent for this long is given up: nobody expects it anymore. */
export const ENTRY_DEADLINE_HOURS = 24;

/** SQL: when the next step is due; null: there is none. `p` is the portal. */
export const NEXT_FLOW_ENTRY = `(SELECT min(w.due_at) FROM flow_entries w WHERE w.portal_id = p.portal_id AND w.state <> 'DONE')`;
