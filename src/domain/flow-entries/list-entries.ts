import type { Pool } from "pg";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { FLOW_ENTRY_OUTCOMES, type FlowEntryOutcome, type FlowEntryState } from "./flow-entry.js";

/** A contact that was, or is to be, put in a workflow, as the page shows it. */
export interface ListedEntry {
  readonly id: bigint;
  readonly flowId: string;
  /** Null: HubSpot no longer says, or never did. */
  readonly flowName: string | null;
  /** Its id or its address; null: erased. */
  readonly contact: string | null;
  readonly contactId: string | null;
  readonly state: FlowEntryState;
  readonly outcome: FlowEntryOutcome | undefined;
  /** HubSpot's words, or why the last try failed. */
  readonly message: string | null;
  readonly createdAt: Date;
}

/** How many the page shows. */
export const MOST_ENTRIES_LISTED = 100;

interface EntryRow {
  id: string;
  flow_id: string;
  name: string | null;
  contact_id: string | null;
  email: string | null;
  state: FlowEntryState;
  outcome: string | null;
  message: string | null;
  created_at: Date;
}

/** The newest of the account. */
export async function listEntries(pool: Pool, portalId: PortalId): Promise<ListedEntry[]> {
  const { rows } = await pool.query<EntryRow>({
    name: "list-flow-entries",
    text: `SELECT w.id, w.flow_id, f.name, w.contact_id, w.email, w.state, w.outcome, w.message, w.created_at
             FROM flow_entries w LEFT JOIN flows f ON f.portal_id = w.portal_id AND f.flow_id = w.flow_id
            WHERE w.portal_id = $1 ORDER BY w.id DESC LIMIT ${MOST_ENTRIES_LISTED}`,
    values: [portalId],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    flowId: row.flow_id,
    flowName: row.name,
    contact: row.email ?? row.contact_id,
    contactId: row.contact_id,
    state: row.state,
    outcome: FLOW_ENTRY_OUTCOMES.find((outcome) => outcome === row.outcome),
    message: row.message,
    createdAt: row.created_at,
  }));
}
