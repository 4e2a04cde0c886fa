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

/** Contacts HubSpot reads for one request (docs/hubspot.md §6). */
const BATCH = 100;
/** Contacts read one by one in a look at most, and how soon such looks follow each other when there are more. */
const SINGLES = 10;
const SINGLES_EVERY_MS = 10_000;
/** What is due this soon comes along where a request is sent anyway. */
const GATHER_MS = 30_000;
/** Enrollments by us that can matter to a look: those of the last day. */
const OWN_HISTORY_MS = 24 * 3_600_000;

type Properties = Readonly<Record<string, string | null>>;

/** What HubSpot said of a contact. `values` undefined: it is gone. `id` where it goes by another one since a merge. */
type Reading =
  | { readonly values: Properties | undefined; readonly id?: string | undefined }
  | { readonly refusal: HubSpotRejected }
  /** Of this contact alone it cannot be read. */
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

/** What HubSpot said of a look's contacts, and what it takes to look further. */
interface Answers {
  readonly readings: ReadonlyMap<string, Reading>;
  /** Contacts that have to be read one by one, later. */
  readonly putOff: readonly string[];
  readonly requests: number;
  /** What kept the contacts that are in neither from being read. */
  readonly fault?: HubSpotError;
}

/**
 * One request for all; a further one for each that is not in its answer, because HubSpot finds a merged contact by its
 * old id and answers with the new one. If HubSpot refuses the whole batch, each is read by itself.
 *
 * Those read singly are few a look: a clean-up in HubSpot deletes or merges thousands at once, and enrolling comes first.
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

/** Nobody, if HubSpot refuses the batch: one contact in it may be why. */
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

/** HubSpot could not be read: the next look comes in time, or when HubSpot said. */
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

/** To be read singly: as many at a time as a look does, in the order of the batch. */
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
  /** False as soon as the turn has to end: what was not read by then stays due. */
  mayGoOn: () => boolean;
}

/** What a poll came to. */
export interface Polled {
  /** Whether more is due than was looked at. */
  readonly isMoreLeft: boolean;
  /** Executions that are owed a completion now. */
  readonly decided: number;
  /** Requests it took. */
  readonly requests: number;
}

/**
 * Looks at up to 100 of the portal's contacts whose executions wait for a sequence to end, for one request and at most
 * ten more for those that HubSpot does not give back together.
 *
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function pollWatched(owner: Ownership, options: PollOptions): Promise<Polled> {
  const batch = await readWatched(owner, { limit: BATCH, gatherMs: GATHER_MS });
  if (batch.executions.length === 0) return { isMoreLeft: false, decided: 0, requests: 0 };
  // Nearest deadline first: what is put off again and again is in time all the same.
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

/** One whose look cannot be stored is looked at again in time, knowing what it knew, until its deadline. */
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

/** Without a fault the turn ended first, and a portal that is spared was not asked: what was not read then stays due. */
function wasAsked(fault: HubSpotError | undefined): fault is HubSpotError {
  return fault !== undefined && !(fault instanceof PortalSpared);
}

/** Looks at all that was read or failed to be; nothing of what a turn had no time for. */
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
