import { randomUUID } from "node:crypto";
import type { ClientBase } from "pg";
import type { Actor } from "#domain/contract/actor.js";
import { requireRight } from "#domain/contract/actor-rights.js";
import { UNKNOWN_CONTACT, type EnrollRequest, type Lane, type Source } from "#domain/contract/execution.js";
import { HOLD_DAYS, INITIAL_MAX_HOLD_DAYS } from "#domain/contract/hold.js";
import type { ExecutionId } from "#platform/ids/branded-ids.js";
import {
  storeAndRead,
  storeEnrollments,
  type StoredEnrollment,
  type StoredOrigin,
  type StoredRow,
} from "./store-enrollments.js";

/** Whom to enroll: HubSpot's id of the contact, or the address alone, which the worker looks up. */
export type EnrollmentContact = { readonly id: string } | { readonly email: string };

/** An enrollment that no workflow called for: HubSpot expects no completion of it. */
export interface AskedEnrollment {
  readonly contact: EnrollmentContact;
  readonly sequenceId: string;
  readonly request: EnrollRequest;
  /** Not to be tried before. */
  readonly notBefore: Date | undefined;
  /** The caller's own name for it. */
  readonly reference: string | undefined;
  /** Unique in the account: what comes again with it is stored once. By default a new one. */
  readonly callbackId?: string;
  /** The span that accepts it, if traces are kept. */
  readonly traceparent?: string | undefined;
}

/** For rows of a batch: nobody is held meanwhile, and a sender's cap may make many of them wait for weeks. */
export const BATCH_DEADLINE_HOURS = 60 * 24;

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

/** An enrollment that someone requests in their account. */
export interface Asked {
  readonly actor: Actor;
  readonly enrollment: AskedEnrollment;
}

/**
 * Accepts enrollments, however many, each for its actor's account, in one statement. They share pipeline, policy, caps and
 * budget with those of workflows; `lane` says whom they wait for. The caller checks what can be seen wrong at once, and
 * wakes the portals after the commit.
 *
 * @returns their ids, in the given order; undefined for those whose account is not connected: they were not stored.
 */
export async function acceptEnrollments(
  client: Pick<ClientBase, "query">,
  asked: readonly Asked[],
  origin: EnrollmentOrigin,
): Promise<(ExecutionId | undefined)[]> {
  return storeEnrollments(client, storedOrigin(origin), toStored(asked, origin));
}

/**
 * The same, but only if the account lists the sequence, and with what was stored. For enrollments without a callback
 * id.
 *
 * @param columns SQL: what is to be known of it, from `executions e`; `id` is among it
 */
export async function acceptListed<Row extends { readonly id: string }>(
  client: Pick<ClientBase, "query">,
  asked: readonly Asked[],
  { columns, ...origin }: EnrollmentOrigin & { readonly columns: string },
): Promise<StoredRow<Row>[]> {
  return storeAndRead(client, storedOrigin(origin), { enrollments: toStored(asked, origin), columns });
}

const storedOrigin = ({ source, lane, importId }: EnrollmentOrigin): StoredOrigin => ({
  source,
  lane,
  importId,
});

function toStored(asked: readonly Asked[], { source, deadlineHours }: EnrollmentOrigin): StoredEnrollment[] {
  for (const { actor } of asked) requireRight(actor, "acceptEnrollments");
  return asked.map(
    ({
      actor,
      enrollment: { contact, sequenceId, request, notBefore, reference, callbackId, traceparent },
    }) => ({
      portalId: actor.portalId,
      callbackId: callbackId ?? `${source}:${randomUUID()}`,
      contactId: "id" in contact ? contact.id : UNKNOWN_CONTACT,
      contactEmail: "email" in contact ? contact.email : null,
      sequenceId,
      request: traceparent === undefined ? request : { ...request, traceparent },
      reference: reference ?? null,
      notBefore: notBefore ?? null,
      deadlineHours: deadlineHours + (request.ifAlreadyEnrolled === "wait" ? WAIT_HOURS : 0),
    }),
  );
}
