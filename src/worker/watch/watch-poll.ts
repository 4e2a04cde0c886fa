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
import { PortalSpared, type HubSpotError, askedWaitMs } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { Logger } from "#platform/observability/logger.js";
import { isOutage } from "#worker/attempt/attempt-faults.js";
import { refusedRead } from "#worker/attempt/refusals.js";
import { lookAtEnrollments, readDueEnrollments } from "./enrollment-looks.js";
import { judgeLook } from "./judge-look.js";
import { BATCH, readContactsForLook, SINGLES, type Answers } from "./read-contacts.js";
import type { RetryingWriter, Writing } from "#worker/writes/retrying-writer.js";

/** How soon polls follow each other if more contacts have to be read individually than one poll does. */
const SINGLES_EVERY_MS = 10_000;
/** Executions that are due this soon are included if a request is sent anyway. */
const GATHER_MS = 30_000;
/** Our own enrollments that can matter: those of the last day. */
const OWN_HISTORY_MS = 24 * 3_600_000;

/** HubSpot could not be read: the next check is at its usual time, or when HubSpot said. */
function afterFault(execution: WatchedExecution, fault: HubSpotError, { now, portalId }: Moment): Look {
  const askedMs = askedWaitMs(fault);
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
  readonly portalId: PortalId;
}

export interface PollOptions {
  gateway: PortalGateway;
  writer: RetryingWriter;
  /** False as soon as the turn has to end: unread contacts stay due. */
  mayGoOn: () => boolean;
  /**
   * Set if enrollments whose end is awaited by nobody may be looked at too: for how long each request has to be earned
   * back.
   */
  followed?: { readonly restMsPerRequest: number } | undefined;
  logger: Logger;
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
 * Checks up to 100 of the portal's contacts with one request, and at most ten more for contacts that HubSpot does not
 * return together: first those whose executions wait for a sequence to end, then, if they may be looked at now, those of
 * enrollments that are followed. One answer serves both: whoever waits, its contact's enrollments learn from it too.
 *
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function pollWatched(owner: Ownership, options: PollOptions): Promise<Polled> {
  const batch = await readWatched(owner, { limit: BATCH, gatherMs: GATHER_MS });
  // Nearest deadline first: repeatedly postponed ones are still in time.
  const executions = batch.executions.toSorted(
    (one, other) => one.deadlineAt.getTime() - other.deadlineAt.getTime(),
  );
  const waiting = [...new Set(executions.map(({ contactId }) => contactId))];
  const isDue = options.followed !== undefined;
  const followed = await readDueEnrollments(
    owner,
    { waiting, limit: isDue ? BATCH - waiting.length : 0 },
    options,
  );
  const contactIds = [...new Set([...waiting, ...followed.contactIds])].slice(0, BATCH);
  if (contactIds.length === 0 && followed.enrollments.length === 0)
    return { isMoreLeft: false, decided: 0, requests: 0 };
  const answers = contactIds.length === 0 ? NOTHING_ASKED : await readContactsForLook(contactIds, options);
  const looks = await judgeAll(owner, { now: batch.now, executions }, answers);
  if (looks.length > 0) await options.writer.write(looks, writingOf(owner, batch.now));
  const restMs = waiting.length > 0 ? 0 : answers.requests * (options.followed?.restMsPerRequest ?? 0);
  await lookAtEnrollments(owner, followed, { answers, restMs, logger: options.logger });
  return {
    isMoreLeft: executions.length === BATCH,
    decided: looks.filter(({ result }) => result.to === "DECIDED").length,
    requests: answers.requests,
  };
}

const NOTHING_ASKED: Answers = { readings: new Map(), putOff: [], requests: 0 };

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
  if (executions.length === 0) return [];
  const since = new Date(now.getTime() - OWN_HISTORY_MS);
  const contactIds = executions.map(({ contactId }) => contactId);
  const own = await readOwnEnrollments(owner, contactIds, since);
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
