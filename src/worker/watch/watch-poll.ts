import type { Ownership } from "#domain/executions/claim.js";
import { nextLookAt } from "#domain/contract/look-times.js";
import { failed } from "#domain/contract/outcome.js";
import { readSequenceFacts } from "#domain/contract/sequence-facts.js";
import {
  readOwnEnrollments,
  readUnwrittenLooks,
  readWatched,
  writeLooks,
  type Look,
  type WatchBatch,
  type WatchedExecution,
} from "#domain/executions/watch.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import {
  HubSpotAnsweredOddly,
  HubSpotError,
  HubSpotRejected,
  HubSpotUnavailable,
  PortalSpared,
} from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { isOutage } from "#worker/attempt/attempt-faults.js";
import { refusedRead } from "#worker/attempt/refusals.js";
import { judgeLook } from "./judge-look.js";
import type { RetryingWriter, Writing } from "#worker/writes/retrying-writer.js";

/** Contacts that HubSpot reads in one request (docs/hubspot.md §6). */
const BATCH = 100;
/** Maximum of contacts read individually in a poll, and how soon such polls follow each other if there are more. */
const SINGLES = 10;
const SINGLES_EVERY_MS = 10_000;
/** Executions due this soon are included if a request is sent anyway. */
const GATHER_MS = 30_000;
/** Our own enrollments that can matter: those of the last day. */
const OWN_HISTORY_MS = 24 * 3_600_000;

type Properties = Readonly<Record<string, string | null>>;

/** HubSpot's data of a contact. `values` undefined: it is gone. `id` is set if it has another one since a merge. */
type Reading =
  | { readonly values: Properties | undefined; readonly id?: string | undefined }
  | { readonly refusal: HubSpotRejected }
  /** Only this contact cannot be read. */
  | { readonly odd: HubSpotAnsweredOddly };

async function readSingly(contactId: string, gateway: PortalGateway): Promise<Reading> {
  try {
    const values = await gateway.readContact(contactId, [...SEQUENCE_PROPERTIES, "hs_object_id"]);
    const id = values?.["hs_object_id"] ?? contactId;
    return { values, id: id === contactId ? undefined : id };
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 401) return { refusal: error };
    if (error instanceof HubSpotAnsweredOddly) return { odd: error };
    throw error;
  }
}

/** HubSpot's data of a poll's contacts, and what remains to be read. */
interface Answers {
  readonly readings: ReadonlyMap<string, Reading>;
  /** Contacts that have to be read individually, later. */
  readonly putOff: readonly string[];
  readonly requests: number;
  /** What kept the remaining contacts from being read. */
  readonly fault?: HubSpotError;
}

/**
 * One request for all; another one for each that is missing from its answer, because HubSpot finds a merged contact by
 * its old id and answers with the new one. If HubSpot refuses the whole batch, each is read individually.
 *
 * Few are read individually per poll: a cleanup in HubSpot deletes or merges thousands at once, and enrolling comes
 * first.
 */
async function readAll(contactIds: readonly string[], { gateway, mayGoOn }: PollOptions): Promise<Answers> {
  const readings = new Map<string, Reading>();
  let requests = 1;
  let putOff: string[] = [];
  try {
    for (const [contactId, values] of await readTogether(contactIds, gateway))
      readings.set(contactId, { values });
    const missing = contactIds.filter((contactId) => !readings.has(contactId));
    putOff = missing.splice(SINGLES);
    for (const contactId of missing) {
      if (!mayGoOn()) break;
      requests += 1;
      readings.set(contactId, await readSingly(contactId, gateway));
    }
    return { readings, putOff, requests };
  } catch (error) {
    if (error instanceof HubSpotError) return { readings, putOff, requests, fault: error };
    throw error;
  }
}

/** Empty if HubSpot refuses the batch: one contact in it may be the reason. */
async function readTogether(
  contactIds: readonly string[],
  gateway: PortalGateway,
): Promise<ReadonlyMap<string, Properties>> {
  try {
    return await gateway.readContacts(contactIds, SEQUENCE_PROPERTIES);
  } catch (error) {
    if (error instanceof HubSpotRejected && error.httpStatus !== 401) return new Map();
    throw error;
  }
}

/** HubSpot could not be read: the next check is at its usual time, or when HubSpot said. */
function afterFault(execution: WatchedExecution, fault: HubSpotError, { now, portalId }: Moment): Look {
  const askedMs = fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
  if (isOutage(fault) && execution.deadlineAt <= now)
    return { execution, result: { to: "DECIDED", outcome: failed("HUBSPOT_UNAVAILABLE") } };
  const regular = nextLookAt(now, execution.acceptedAt, portalId);
  const nextMs = Math.max(regular.getTime(), now.getTime() + askedMs);
  const isOver = execution.deadlineAt <= now;
  const dueAt = new Date(isOver ? regular.getTime() : Math.min(nextMs, execution.deadlineAt.getTime()));
  return { execution, result: { to: "WATCHING", dueAt, seen: execution.seen } };
}

/** To be read individually: as many at a time as a poll allows, in the order of the batch. */
function later(execution: WatchedExecution, { now }: Moment, place: number): Look {
  const dueAt = new Date(now.getTime() + Math.ceil((place + 1) / SINGLES) * SINGLES_EVERY_MS);
  return { execution, result: { to: "WATCHING", dueAt, seen: execution.seen } };
}

interface Moment {
  readonly now: Date;
  readonly portalId: bigint;
}

export interface PollOptions {
  gateway: PortalGateway;
  writer: RetryingWriter;
  /** False as soon as the turn has to end: unread contacts stay due. */
  mayGoOn: () => boolean;
}

/** The result of a poll. */
export interface Polled {
  /** Whether more is due than was checked. */
  readonly isMoreLeft: boolean;
  /** Executions whose completion is due now. */
  readonly decided: number;
  /** Number of requests. */
  readonly requests: number;
}

/**
 * Checks up to 100 of the portal's contacts whose executions wait for a sequence to end, with one request and at most
 * ten more for contacts that HubSpot does not return together.
 *
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function pollWatched(owner: Ownership, options: PollOptions): Promise<Polled> {
  const batch = await readWatched(owner, { limit: BATCH, gatherMs: GATHER_MS });
  if (batch.executions.length === 0) return { isMoreLeft: false, decided: 0, requests: 0 };
  // Nearest deadline first: repeatedly postponed ones are still in time.
  const executions = batch.executions.toSorted(
    (one, other) => one.deadlineAt.getTime() - other.deadlineAt.getTime(),
  );
  const contactIds = [...new Set(executions.map(({ contactId }) => contactId))];
  const answers = await readAll(contactIds, options);
  const looks = await judgeAll(owner, { now: batch.now, executions }, answers);
  await options.writer.write(looks, writingOf(owner, batch.now));
  return {
    isMoreLeft: executions.length === BATCH,
    decided: looks.filter(({ result }) => result.to === "DECIDED").length,
    requests: answers.requests,
  };
}

/** An execution whose result cannot be stored is checked again later, with what it knew, until its deadline. */
function writingOf(owner: Ownership, now: Date): Writing<Look> {
  const { portalId } = owner;
  return {
    what: "what was seen of a contact that waits",
    idOf: ({ execution }) => execution.id,
    write: (looks, isAgain) => writeLooks(owner, looks, { isAgain }),
    readUnwritten: (looks) => readUnwrittenLooks(owner, looks),
    inStead: ({ execution }) => {
      const { acceptedAt, deadlineAt, seen } = execution;
      if (deadlineAt <= now)
        return { execution, result: { to: "DECIDED", outcome: failed("DEADLINE_EXCEEDED") } };
      return { execution, result: { to: "WATCHING", dueAt: nextLookAt(now, acceptedAt, portalId), seen } };
    },
  };
}

/**
 * Without a fault, the turn ended first; while the circuit is open, HubSpot was not asked: unread contacts stay due.
 */
function wasAsked(fault: HubSpotError | undefined): fault is HubSpotError {
  return fault !== undefined && !(fault instanceof PortalSpared);
}

/** Judges every contact that was read or failed to be; none for which the turn had no time. */
async function judgeAll(
  owner: Ownership,
  { now, executions }: WatchBatch,
  { readings, putOff, fault }: Answers,
): Promise<Look[]> {
  const since = new Date(now.getTime() - OWN_HISTORY_MS);
  const own = await readOwnEnrollments(owner, [...readings.keys()], since);
  const { portalId } = owner;
  return executions.flatMap((execution) => {
    const { contactId } = execution;
    const reading = readings.get(contactId);
    const place = putOff.indexOf(contactId);
    if (place >= 0) return later(execution, { now, portalId }, place);
    if (reading === undefined) return wasAsked(fault) ? afterFault(execution, fault, { now, portalId }) : [];
    if ("refusal" in reading)
      return { execution, result: { to: "DECIDED", outcome: refusedRead(reading.refusal) } };
    if ("odd" in reading) return afterFault(execution, reading.odd, { now, portalId });
    const facts = reading.values && readSequenceFacts(reading.values, now);
    const result = judgeLook(execution, { facts, own: own.get(contactId), now, portalId });
    return { execution, result, contactId: reading.id };
  });
}
