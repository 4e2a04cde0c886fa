import { randomUUID } from "node:crypto";
import type { ClientBase } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { LONGEST_ADDRESS } from "#domain/contract/enroll-contract.js";
import { UNKNOWN_CONTACT, type EnrollRequest, type Lane, type Source } from "#domain/contract/execution.js";
import { HOLD_DAYS, INITIAL_MAX_HOLD_DAYS } from "#domain/contract/hold.js";
import { cutText } from "#platform/text/storable-text.js";

/** Whom to enroll: HubSpot's id of the contact, or the address alone, which the worker looks up. */
export type EnrollmentContact = { readonly id: string } | { readonly email: string };

/** An enrollment that no workflow called for. HubSpot is owed nothing for it. */
export interface AskedEnrollment {
  readonly contact: EnrollmentContact;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  /** Not to be tried before. */
  readonly notBefore: Date | undefined;
  /** The caller's own name for it. */
  readonly reference: string | undefined;
}

/** Where a group of enrollments comes from. */
export interface EnrollmentOrigin {
  readonly source: Source;
  readonly lane: Lane;
  readonly importId?: bigint | undefined;
  /** Hours after which an unfinished one is given up, from when it may first be tried. */
  readonly deadlineHours: number;
}

/** What waits for the end of the contact's sequence may wait as long as one that a workflow holds. */
const WAIT_HOURS = (INITIAL_MAX_HOLD_DAYS - HOLD_DAYS) * 24;

/** Nothing is stored of an account that is not connected. */
const INSERT = `
  INSERT INTO executions (
    portal_id, callback_id, kind, is_held, state, source, lane, import_id, contact_id, contact_email, sequence_id, request,
    reference, due_at, has_waited, deadline_at, hold_ends_at)
  SELECT $1, row.callback_id, 'ENROLL', false, 'QUEUED', $2, $3, $4::bigint, row.contact_id, row.contact_email, row.sequence_id,
         row.request, row.reference, greatest(row.not_before, now()), coalesce(row.not_before > now(), false),
         greatest(row.not_before, now()) + row.hours * interval '1 hour',
         greatest(row.not_before, now()) + (row.hours + 24) * interval '1 hour'
    FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::text[], $11::timestamptz[], $12::float8[])
         WITH ORDINALITY AS row (callback_id, contact_id, contact_email, sequence_id, request, reference, not_before, hours, position)
   WHERE EXISTS (SELECT FROM portals WHERE portal_id = $1 AND status = 'CONNECTED')
   ORDER BY row.position
  RETURNING id, callback_id`;

/**
 * Accepts enrollments for the actor's account, however many, in one statement. They share pipeline, policy, caps and
 * budget with those of workflows; `lane` says whom they wait for. The caller checks what can be seen wrong at once, and
 * wakes the portal after the commit.
 *
 * @returns their ids, in the given order; undefined: the account is not connected, and nothing was stored.
 */
export async function acceptEnrollments(
  client: Pick<ClientBase, "query">,
  actor: Actor,
  { origin, rows }: { origin: EnrollmentOrigin; rows: readonly AskedEnrollment[] },
): Promise<bigint[] | undefined> {
  requireRight(actor, "acceptEnrollments");
  if (rows.length === 0) return [];
  const callbackIds = rows.map(() => `${origin.source}:${randomUUID()}`);
  const { rows: stored } = await client.query<{ id: string; callback_id: string }>({
    name: "accept-enrollments",
    text: INSERT,
    values: [
      ...[actor.portalId, origin.source, origin.lane, origin.importId ?? null, callbackIds],
      rows.map(({ contact }) => ("id" in contact ? contact.id : UNKNOWN_CONTACT)),
      rows.map(({ contact }) => ("email" in contact ? cutText(contact.email, LONGEST_ADDRESS) : null)),
      rows.map(({ sequenceId }) => sequenceId),
      rows.map(({ request }) => JSON.stringify(request)),
      rows.map(({ reference }) => reference ?? null),
      rows.map(({ notBefore }) => notBefore ?? null),
      rows.map(
        ({ request }) => origin.deadlineHours + (request.ifAlreadyEnrolled === "wait" ? WAIT_HOURS : 0),
      ),
    ],
  });
  if (stored.length === 0) return undefined;
  const ids = new Map(stored.map(({ id, callback_id }) => [callback_id, BigInt(id)]));
  return callbackIds.map((callbackId) => ids.get(callbackId) as bigint);
}
