import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { inTransaction } from "#platform/db/transaction.js";
import type { ExecutionId, PortalId } from "#platform/ids/branded-ids.js";
import { recordChange } from "#domain/audit/record-change.js";
import { authorOf, type Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { LANES } from "#domain/contract/execution.js";
import { whyUnusable } from "./problem-sentences.js";
import { readSetup } from "./setup.js";

/** What came of asking for a contact to be taken out of its sequence. */
export type AskedUnenrollment =
  /** The execution that does it: a new one, or the one that is under way for the same contact. */
  | { readonly kind: "asked"; readonly id: ExecutionId }
  /** The account has not set it up, or its helper workflow cannot be used; `reason` says which, and what to do. */
  | { readonly kind: "not-supported"; readonly reason: string }
  | { readonly kind: "not-connected" };

/**
 * Hours after which an unfinished one is given up. Shorter than for an enrollment: nobody expects that a contact leaves
 * its sequence days after it was asked for.
 */
const DEADLINE_HOURS = 24;

/**
 * Asks for a contact to be taken out of the sequence it is in. The request is an execution like that of the workflow
 * action, but nobody in HubSpot waits for it. A contact has one open request at a time: asking again finds it.
 *
 * The caller wakes the portal after the commit.
 */
export async function requestUnenrollment(
  pool: Pool,
  actor: Actor,
  contactId: string,
): Promise<AskedUnenrollment> {
  requireRight(actor, "requestUnenrollment");
  const { portalId } = actor;
  return inTransaction(pool, async (client) => {
    // Two who ask at the same moment get the same request.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `unenroll:${portalId}:${contactId}`,
    ]);
    const reason = whyUnusable(await readSetup({ pool: client }, portalId));
    if (reason !== undefined) return { kind: "not-supported", reason };
    const open = await findOpenRequest(client, portalId, contactId);
    if (open !== undefined) return { kind: "asked", id: open };
    const id = await store(client, actor, contactId);
    if (id === undefined) return { kind: "not-connected" };
    await recordChange(client, actor, {
      subject: "executions",
      subjectName: `execution ${id}`,
      action: "ASKED_TO_UNENROLL",
    });
    return { kind: "asked", id };
  });
}

/** The contact's unenrollment that is under way, whoever asked for it; undefined: there is none. */
export async function findOpenRequest(
  client: Pick<PoolClient, "query">,
  portalId: PortalId,
  contactId: string,
): Promise<ExecutionId | undefined> {
  const { rows } = await client.query<{ id: string }>({
    name: "find-open-unenrollment",
    text: `SELECT id FROM executions
            WHERE portal_id = $1 AND contact_id = $2 AND kind = 'UNENROLL' AND decided_at IS NULL ORDER BY id LIMIT 1`,
    values: [portalId, contactId],
  });
  const [row] = rows;
  return row && BigInt(row.id);
}

/** Undefined: the account is not connected, and nothing was stored. */
async function store(client: PoolClient, actor: Actor, contactId: string): Promise<ExecutionId | undefined> {
  const source = actor.kind === "apiKey" ? "api" : "site";
  const { userId, userEmail } = authorOf(actor);
  const askedBy = userEmail ?? (userId === null ? undefined : `user ${userId}`);
  const { rows } = await client.query<{ id: string }>({
    name: "store-unenroll-request",
    text: `
      INSERT INTO executions (portal_id, callback_id, kind, is_held, state, source, lane, contact_id, request, deadline_at, hold_ends_at)
      SELECT portal_id, $2, 'UNENROLL', false, 'QUEUED', $3, $4, $5, $6, now() + $7 * interval '1 hour',
             now() + ($7 + 24) * interval '1 hour'
        FROM portals WHERE portal_id = $1 AND status = 'CONNECTED'
      RETURNING id`,
    values: [
      actor.portalId,
      `${source}:${randomUUID()}`,
      source,
      LANES.call,
      contactId,
      JSON.stringify({ askedBy: { name: askedBy } }),
      DEADLINE_HOURS,
    ],
  });
  const [row] = rows;
  return row && BigInt(row.id);
}
