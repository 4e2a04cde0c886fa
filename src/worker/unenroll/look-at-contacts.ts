import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import { REPLACING_TAKES_MS } from "#domain/unenroll/judge-replacement.js";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { writeMoves, type DueUnenrollment, type UnenrollmentMove } from "#domain/unenroll/unenrollments.js";
import { HubSpotError, HubSpotRejected } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { waitAfterMs } from "#platform/hubspot/pace/wait-after.js";
import { judgeStamped, stampOf } from "./judge-contact.js";
import { problemBeforeStamping } from "./keep-helper.js";
import { currentId, type UnenrollTools } from "./unenroll-tools.js";
import type { Stamping } from "./write-stamps.js";

/** Contacts missing from a batch are read one by one, up to this many per poll. */
const SINGLES = 10;
const PUT_OFF_MS = 5_000;
const PAUSED_MS = 30_000;
const RETRY = { baseMs: 2_000, capMs: 5 * 60_000 };

type Properties = Readonly<Record<string, string | null>>;
interface Read {
  readonly properties: Properties | undefined;
  /** Set if the contact has another id since a merge. */
  readonly id?: string | undefined;
}

export interface LookedAt {
  readonly moves: readonly UnenrollmentMove[];
  readonly stampings: readonly Stamping[];
  readonly requests: number;
}

/** Reads the contacts, stores what they show, and names those that are to be stamped next. */
export async function lookAtContacts(
  tools: UnenrollTools,
  due: readonly DueUnenrollment[],
  now: Date,
): Promise<LookedAt> {
  if (due.length === 0) return { moves: [], stampings: [], requests: 0 };
  const { owner, times, onStep } = tools;
  onStep?.("look");
  const { reads, requests, fault } = await readContacts(tools, [...new Set(due.map(currentId))]);
  const judged = due.map((one): UnenrollmentMove => {
    const read = reads.get(currentId(one));
    if (read === undefined) return putOff(one, fault);
    return withId(judgeStamped(one, { properties: read.properties, now, times }), one, { id: read.id, now });
  });
  const moves = await withoutUnusable(tools, judged, now);
  onStep?.("note look");
  const written = await writeMoves(owner, moves);
  const blocked = moves.filter(({ of, stamp }) => stamp !== undefined && !written.has(of.executionId));
  await writeMoves(
    owner,
    blocked.map(({ of }) => ({ of, to: of.state, dueInMs: PUT_OFF_MS })),
  );
  const byId = new Map(due.map((one) => [one.executionId, one]));
  const stampings = moves.flatMap(({ of, stamp, contactId }) => {
    const one = byId.get(of.executionId);
    if (one === undefined || stamp === undefined || !written.has(of.executionId)) return [];
    return toStamping(one, { contactId: contactId ?? one.contactId, value: stamp });
  });
  return { moves, stampings, requests };
}

/** A contact that was merged is stamped under its new id. */
function withId(
  move: UnenrollmentMove,
  one: DueUnenrollment,
  { id, now }: Pick<Read, "id"> & { now: Date },
): UnenrollmentMove {
  const contactId = id ?? currentId(one);
  if (contactId === one.contactId) return move;
  return move.to === "STAMPED"
    ? { ...move, contactId, to: "STAMPING", dueInMs: 0, stamp: stampOf(now) }
    : { ...move, contactId };
}

export const toStamping = (
  { executionId, tries, state, stamps }: DueUnenrollment,
  { contactId, value }: Pick<Stamping, "contactId" | "value">,
): Stamping => {
  const mayBeSet = state === "STAMPING" || stamps > 0;
  return { executionId, state: "STAMPING", contactId, value, tries, mayBeSet };
};

function putOff(of: DueUnenrollment, fault: HubSpotError | undefined): UnenrollmentMove {
  if (fault === undefined) return { of, to: of.state, dueInMs: PUT_OFF_MS };
  const tries = of.tries + 1;
  return { of, to: of.state, dueInMs: waitAfterMs(fault, tries, RETRY), tries, problem: fault.message };
}

/**
 * Before contacts are stamped: of two requests for the same contact only one is, and none while the account is paused or
 * its helper workflow cannot be used.
 */
async function withoutUnusable(
  tools: UnenrollTools,
  moves: readonly UnenrollmentMove[],
  now: Date,
): Promise<readonly UnenrollmentMove[]> {
  const isBeginning = ({ of, stamp }: UnenrollmentMove): boolean =>
    stamp !== undefined && of.state === "REQUESTED";
  if (!moves.some(({ stamp }) => stamp !== undefined)) return moves;
  const isPaused = moves.some(isBeginning) && !(await tools.mayBegin());
  const problem = await helperProblem(tools, now);
  const stamped = new Set<string>();
  return moves.map((move): UnenrollmentMove => {
    const { of, stamp } = move;
    if (stamp === undefined) return move;
    if (problem instanceof HubSpotError)
      return { of, to: of.state, dueInMs: PUT_OFF_MS, problem: problem.message };
    if (problem !== undefined) {
      const to = of.state === "REQUESTED" ? "CLEARED" : "CLEARING";
      return { of, to, dueInMs: 0, outcome: "NOT_SUPPORTED" };
    }
    if (isBeginning(move) && isTooLate(of as DueUnenrollment, now))
      return { of, to: "CLEARED", dueInMs: 0, outcome: "TIMED_OUT" };
    if (isPaused && isBeginning(move)) return { of, to: of.state, dueInMs: PAUSED_MS };
    const { contactId = (of as DueUnenrollment).contactId } = move;
    if (stamped.has(contactId)) return { of, to: of.state, dueInMs: PUT_OFF_MS };
    stamped.add(contactId);
    return move;
  });
}

/** A contact is not taken out of its sequence for an enrollment whose time would be over by then. */
function isTooLate({ execution }: DueUnenrollment, now: Date): boolean {
  if (execution?.kind !== "ENROLL") return false;
  return execution.deadlineAt.getTime() - now.getTime() < REPLACING_TAKES_MS;
}

async function helperProblem(tools: UnenrollTools, now: Date): Promise<string | HubSpotError | undefined> {
  try {
    return await problemBeforeStamping(tools, now);
  } catch (error) {
    if (error instanceof HubSpotError) return error;
    throw error;
  }
}

async function readContacts(
  { gateway }: UnenrollTools,
  contactIds: readonly string[],
): Promise<{ reads: ReadonlyMap<string, Read>; requests: number; fault?: HubSpotError }> {
  const reads = new Map<string, Read>();
  let requests = 1;
  try {
    for (const [id, properties] of await readTogether(gateway, contactIds)) reads.set(id, { properties });
    for (const contactId of contactIds.filter((id) => !reads.has(id)).slice(0, SINGLES)) {
      requests += 1;
      const found = await gateway.findContact(contactId, PROPERTIES);
      reads.set(contactId, { properties: found?.properties, id: found?.id });
    }
    return { reads, requests };
  } catch (error) {
    if (error instanceof HubSpotError) return { reads, requests, fault: error };
    throw error;
  }
}

const PROPERTIES = [...SEQUENCE_PROPERTIES, STAMP_PROPERTY];

/** Empty if HubSpot refuses the batch: one contact in it may be the reason. */
async function readTogether(
  gateway: PortalGateway,
  contactIds: readonly string[],
): Promise<ReadonlyMap<string, Properties>> {
  try {
    return await gateway.readContacts(contactIds, PROPERTIES);
  } catch (error) {
    if (error instanceof HubSpotRejected && contactIds.length > 1) return new Map();
    throw error;
  }
}
