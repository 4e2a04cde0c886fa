import { randomUUID } from "node:crypto";
import type { ClientBase } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { UNKNOWN_CONTACT, type EnrollRequest, type Lane, type Source } from "#domain/contract/execution.js";
import { HOLD_DAYS, INITIAL_MAX_HOLD_DAYS } from "#domain/contract/hold.js";
import { storeEnrollments } from "./store-enrollments.js";

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
  const { source, lane, importId, deadlineHours } = origin;
  return storeEnrollments(
    client,
    { portalId: actor.portalId, source, lane, importId },
    rows.map(({ contact, sequenceId, request, notBefore, reference }) => ({
      callbackId: `${source}:${randomUUID()}`,
      contactId: "id" in contact ? contact.id : UNKNOWN_CONTACT,
      contactEmail: "email" in contact ? contact.email : null,
      sequenceId,
      request,
      reference: reference ?? null,
      notBefore: notBefore ?? null,
      deadlineHours: deadlineHours + (request.ifAlreadyEnrolled === "wait" ? WAIT_HOURS : 0),
    })),
  );
}
