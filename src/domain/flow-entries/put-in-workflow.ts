import type { Pool, PoolClient } from "pg";
import { recordChange } from "#domain/audit/record-change.js";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { inTransaction } from "#platform/db/transaction.js";
import type { EntryContact } from "./flow-entry.js";

export interface EntryRequest {
  /** A form or call that arrives twice has the same key, and puts nobody in twice. */
  readonly requestId: string;
  readonly flowId: string;
  /** At most MOST_ENTRIES; one that is named twice is put in once. */
  readonly contacts: readonly EntryContact[];
}

export type PutInOutcome =
  /** Their ids, in the order given; a contact that is named twice has the same id twice. */
  | { readonly kind: "accepted"; readonly ids: readonly bigint[]; readonly isLegacy: boolean }
  /** The account has no such workflow, as far as we have read. */
  | { readonly kind: "unknown-flow" }
  | { readonly kind: "not-connected" };

interface FlowRow {
  name: string | null;
  is_connected: boolean;
  has_stamp: boolean;
}

const READ_FLOW = `
  SELECT f.name, p.status = 'CONNECTED' AS is_connected,
         EXISTS (SELECT FROM made_flows m WHERE m.portal_id = f.portal_id AND m.flow_id = f.flow_id AND m.stamp IS NOT NULL) AS has_stamp
    FROM flows f JOIN portals p USING (portal_id) WHERE f.portal_id = $1 AND f.flow_id = $2 AND f.is_listed`;

const INSERT = `
  INSERT INTO flow_entries (portal_id, request_id, flow_id, contact_id, email)
  SELECT $1, $2, $3, contact_id, email FROM unnest($4::text[], $5::text[]) WITH ORDINALITY AS row (contact_id, email, place)
   ORDER BY place RETURNING id`;

/** Has the workers put contacts in a workflow of the account. The caller wakes the portal then. */
export function putInWorkflow(pool: Pool, actor: Actor, request: EntryRequest): Promise<PutInOutcome> {
  requireRight(actor, "putInWorkflow");
  return inTransaction(pool, (client) => store(client, actor, request));
}

async function store(
  client: PoolClient,
  actor: Actor,
  { requestId, flowId, contacts }: EntryRequest,
): Promise<PutInOutcome> {
  const { portalId } = actor;
  const flow = (await client.query<FlowRow>(READ_FLOW, [portalId, flowId])).rows[0];
  if (flow === undefined) return { kind: "unknown-flow" };
  if (!flow.is_connected) return { kind: "not-connected" };
  const isLegacy = !flow.has_stamp;
  const keys = contacts.map(keyOf);
  const named = [...new Map(contacts.map((contact) => [keyOf(contact), contact])).entries()];
  // One after the other: two of the same request must not both find nothing.
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `flow-entries ${portalId} ${requestId}`,
  ]);
  const before = await client.query<{ id: string }>(
    "SELECT id FROM flow_entries WHERE portal_id = $1 AND request_id = $2 ORDER BY id",
    [portalId, requestId],
  );
  let rows: readonly { id: string }[] = before.rows;
  if (rows.length === 0) {
    const column = (of: (contact: EntryContact) => string | null) => named.map(([, contact]) => of(contact));
    const values = [column(idOf), column(emailOf)];
    ({ rows } = await client.query<{ id: string }>(INSERT, [portalId, requestId, flowId, ...values]));
    await recordChange(client, actor, {
      subject: "workflow",
      subjectName: flow.name ?? flowId,
      action: "PUT_IN",
      after: { contacts: named.length },
    });
  }
  const ids = new Map(named.map(([key], index) => [key, BigInt(rows[index]?.id ?? 0)]));
  return { kind: "accepted", ids: keys.map((key) => ids.get(key) ?? 0n), isLegacy };
}

const idOf = (contact: EntryContact): string | null => ("id" in contact ? contact.id : null);
const emailOf = (contact: EntryContact): string | null =>
  "id" in contact ? null : contact.email.toLowerCase();
const keyOf = (contact: EntryContact): string => idOf(contact) ?? emailOf(contact) ?? "";
