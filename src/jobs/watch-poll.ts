import type { Ownership } from "../executions/claim.js";
import { nextLookAt } from "../executions/look-times.js";
import { failed } from "../executions/outcome.js";
import { refusalCode } from "../executions/refusal.js";
import { readSequenceFacts } from "../executions/sequence-facts.js";
import {
  readOwnEnrollments,
  readWatched,
  writeLooks,
  type Look,
  type WatchBatch,
  type WatchedExecution,
} from "../executions/watch.js";
import { SEQUENCE_PROPERTIES } from "../executions/wait-contract.js";
import { HubSpotError, HubSpotRejected, HubSpotUnavailable } from "../hubspot/errors.js";
import type { PortalGateway } from "../hubspot/gateway.js";
import { isOutage } from "./attempt-faults.js";
import { judgeLook } from "./judge-look.js";

/** Contacts HubSpot reads for one request (dossier §6). */
const BATCH = 100;
/** What is due this soon comes along where a request is sent anyway. */
const GATHER_MS = 30_000;
/** Enrollments by us that can matter to a look: those of the last day. */
const OWN_HISTORY_MS = 24 * 3_600_000;

type Properties = Readonly<Record<string, string | null>>;

/** What HubSpot said of a contact. `values` undefined: it is gone. `id` where it goes by another one since a merge. */
type Reading =
  | { readonly values: Properties | undefined; readonly id?: string | undefined }
  | { readonly refusal: HubSpotRejected };

async function readSingly(contactId: string, gateway: PortalGateway): Promise<Reading> {
  try {
    const values = await gateway.readContact(contactId, [...SEQUENCE_PROPERTIES, "hs_object_id"]);
    const id = values?.["hs_object_id"] ?? contactId;
    return { values, id: id === contactId ? undefined : id };
  } catch (fault) {
    if (fault instanceof HubSpotRejected && fault.httpStatus !== 401) return { refusal: fault };
    throw fault;
  }
}

/**
 * One request for all; a further one for each that is not in its answer, because HubSpot finds a merged contact by its
 * old id and answers with the new one. Where HubSpot refuses the whole batch, each is read by itself.
 */
async function readAll(
  contactIds: readonly string[],
  gateway: PortalGateway,
): Promise<ReadonlyMap<string, Reading>> {
  let found: Map<string, Properties> = new Map();
  try {
    found = await gateway.readContacts(contactIds, SEQUENCE_PROPERTIES);
  } catch (fault) {
    if (!(fault instanceof HubSpotRejected) || fault.httpStatus === 401) throw fault;
  }
  const readings = new Map<string, Reading>();
  for (const contactId of contactIds) {
    const values = found.get(contactId);
    readings.set(contactId, values === undefined ? await readSingly(contactId, gateway) : { values });
  }
  return readings;
}

function afterFault({ now, executions }: WatchBatch, fault: HubSpotError, portalId: bigint): Look[] {
  const askedMs = fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
  return executions.map((execution) => {
    if (isOutage(fault) && execution.deadlineAt <= now)
      return { execution, result: { to: "DECIDED", outcome: failed("HUBSPOT_UNAVAILABLE") } };
    const regular = nextLookAt(now, execution.acceptedAt, portalId);
    const nextMs = Math.max(regular.getTime(), now.getTime() + askedMs);
    const isOver = execution.deadlineAt <= now;
    const dueAt = new Date(isOver ? regular.getTime() : Math.min(nextMs, execution.deadlineAt.getTime()));
    return { execution, result: { to: "WATCHING", dueAt, seen: execution.seen } };
  });
}

/**
 * Looks at up to 100 of the portal's contacts whose executions wait for a sequence to end, for one request.
 *
 * @returns how many executions were looked at, and how many of them are owed a completion now. Fewer than were due at
 *   once means that there are no more.
 * @throws what is no fault of HubSpot's.
 */
export async function pollWatched(
  owner: Ownership,
  gateway: PortalGateway,
): Promise<{ looked: number; isMoreLeft: boolean; decided: number }> {
  const batch = await readWatched(owner, { limit: BATCH, gatherMs: GATHER_MS });
  if (batch.executions.length === 0) return { looked: 0, isMoreLeft: false, decided: 0 };
  const looks = await look(owner, batch, gateway);
  await writeLooks(owner, looks);
  return {
    looked: looks.length,
    isMoreLeft: looks.length === BATCH,
    decided: looks.filter(({ result }) => result.to === "DECIDED").length,
  };
}

async function look(owner: Ownership, batch: WatchBatch, gateway: PortalGateway): Promise<Look[]> {
  const contactIds = [...new Set(batch.executions.map(({ contactId }) => contactId))];
  let readings: ReadonlyMap<string, Reading>;
  try {
    readings = await readAll(contactIds, gateway);
  } catch (fault) {
    if (fault instanceof HubSpotError) return afterFault(batch, fault, owner.portalId);
    throw fault;
  }
  const since = new Date(batch.now.getTime() - OWN_HISTORY_MS);
  const own = await readOwnEnrollments(owner, contactIds, since);
  return batch.executions.map((execution) => {
    const reading = readings.get(execution.contactId) ?? { values: undefined };
    if ("refusal" in reading) return refused(execution, reading.refusal);
    const result = judgeLook(execution, {
      facts: reading.values && readSequenceFacts(reading.values),
      own: own.get(execution.contactId),
      now: batch.now,
      portalId: owner.portalId,
    });
    return { execution, result, contactId: reading.id };
  });
}

function refused(execution: WatchedExecution, refusal: HubSpotRejected): Look {
  const code = refusalCode({ ...refusal, message: refusal.hubspotMessage }) ?? "CONTACT_NOT_FOUND";
  const outcome = failed(code, { detail: `HubSpot said: ${refusal.hubspotMessage}` });
  return { execution, result: { to: "DECIDED", outcome } };
}
