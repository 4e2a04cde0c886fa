import { ERASED_CONTACT } from "#domain/contract/execution.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import type { Ownership } from "#domain/executions/claim.js";
import { writeLooks } from "#domain/executions/watch.js";
import { REPLACING_TAKES_MS } from "#domain/unenroll/judge-replacement.js";
import { STAMP_PROPERTY } from "#domain/unenroll/helper-flow.js";
import { readSetup } from "#domain/unenroll/setup.js";
import {
  readDue,
  writeMoves,
  type DueUnenrollment,
  type UnenrollmentMove,
} from "#domain/unenroll/unenrollments.js";
import { HubSpotError, HubSpotRejected, HubSpotUnavailable } from "#platform/hubspot/errors.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import { backoffMs } from "#platform/queue/backoff.js";
import type { Polled } from "#worker/watch/watch-poll.js";
import { judgeStamped, stampOf, type UnenrollTimes } from "./judge-contact.js";
import { keepHelper, noteProblem, problemBeforeStamping } from "./keep-helper.js";
import { lookOf } from "./tell-execution.js";
import { writeStamps, type Stamping } from "./write-stamps.js";

export interface UnenrollTools {
  readonly owner: Ownership;
  readonly gateway: PortalGateway;
  readonly times: UnenrollTimes;
  /** False while an admin has paused the account: nothing new begins. */
  readonly mayBegin: () => Promise<boolean>;
  /** For tests: called before each step that has something to do. */
  readonly onStep?: ((step: UnenrollStep) => void) | undefined;
}

/**
 * What is done in turn, each in one statement or one request. A process can end between any two of them: what comes
 * next finds its way by what is stored.
 */
export const UNENROLL_STEPS = [
  "withdraw",
  "look",
  "note look",
  "stamp",
  "note stamp",
  "clear",
  "note clear",
  "tell",
  "forget",
] as const;
type UnenrollStep = (typeof UNENROLL_STEPS)[number];

/** What a process decides about it. */
export type Unenrolling = Pick<UnenrollTools, "times" | "onStep">;

/** Contacts that HubSpot reads or writes in one request (docs/hubspot.md §6). */
const BATCH = 100;
/** Contacts missing from a batch are read one by one, so many a poll. */
const SINGLES = 10;
const PUT_OFF_MS = 5_000;
const PAUSED_MS = 30_000;
/** The execution itself is being moved by its attempt. */
const BEING_ATTEMPTED_MS = 1_000;
const RETRY = { baseMs: 2_000, capMs: 5 * 60_000 };
/** After so many failures to empty a property, the workflow is not held up by it any longer. */
const CLEARINGS_WAITED_FOR = 3;

type Properties = Readonly<Record<string, string | null>>;
interface Read {
  readonly properties: Properties | undefined;
  /** Set if the contact has another id since a merge. */
  readonly id?: string | undefined;
}

/**
 * One step for up to 100 of the portal's unenrollments that are due, and for its helper workflow: looks at the contacts,
 * stamps and empties with a request each, and tells the executions. Before each request its intent is stored, and every
 * request can be repeated, so a crash at any point only repeats the last one.
 *
 * @throws LeaseLost, and what is not HubSpot's fault.
 */
export async function pollUnenrollments(tools: UnenrollTools): Promise<Polled> {
  const { owner } = tools;
  const setup = await readSetup(owner, owner.portalId);
  const { now, due } = await readDue(owner, BATCH);
  let requests = 0;
  if (setup !== undefined && setup.dueAt <= (due.length > 0 ? now : new Date())) {
    await keepHelper(tools, setup);
    requests += 2;
  }
  if (due.length === 0) return { isMoreLeft: false, decided: 0, requests };
  const { waiting, others } = partByExecution(due);
  await step(tools, { name: "withdraw", items: others }, (moves) => writeMoves(owner, moves));
  const looked = await lookAtContacts(tools, waiting.filter(isToBeLookedAt), now);
  requests += looked.requests;
  const toStamp = [...waiting.flatMap(stampingOf), ...looked.stampings];
  requests += await write(tools, "stamp", toStamp.slice(0, BATCH));
  requests += await write(tools, "clear", due.flatMap(clearingOf));
  const seen = due.flatMap((one) => afterLastLook(one, looked.moves));
  const decided = await tellExecutions(tools, seen, now);
  return { isMoreLeft: due.length === BATCH || decided.isMoreLeft, decided: decided.count, requests };
}

/** Does one step, unless there is nothing to do in it. */
async function step<Item, Done>(
  { onStep }: UnenrollTools,
  { name, items }: { readonly name: UnenrollStep; readonly items: readonly Item[] },
  work: (items: readonly Item[]) => Promise<Done>,
): Promise<Done | undefined> {
  if (items.length === 0) return undefined;
  onStep?.(name);
  return work(items);
}

function isToBeLookedAt(due: DueUnenrollment): boolean {
  return due.state === "REQUESTED" || due.state === "STAMPED" || isLastLook(due);
}

/** The helper workflow may have come by after all, between the look that found it late and the emptying of the stamp. */
function isLastLook({ state, outcome, stampedAt }: DueUnenrollment): boolean {
  return state === "CLEARED" && outcome === "TIMED_OUT" && stampedAt !== undefined;
}

/** What is told of one is what was seen last. Nothing yet if that look failed. */
function afterLastLook(one: DueUnenrollment, moves: readonly UnenrollmentMove[]): DueUnenrollment[] {
  if (!isWaitedFor(one) || !isLastLook(one)) return [one];
  const move = moves.find(({ of }) => of.executionId === one.executionId);
  if (move === undefined || move.dueInMs > 0) return [];
  return [{ ...one, outcome: move.outcome ?? one.outcome }];
}

/**
 * Those whose execution still waits, and what becomes of the others: an admin canceled it, it was erased, or its time is
 * over. Whatever may be stamped is emptied.
 */
function partByExecution(due: readonly DueUnenrollment[]): {
  waiting: DueUnenrollment[];
  others: UnenrollmentMove[];
} {
  const waiting: DueUnenrollment[] = [];
  const others: UnenrollmentMove[] = [];
  for (const one of due) {
    const state = one.execution?.state;
    if (state === "WATCHING") waiting.push(one);
    else if (one.state === "STAMPING" || one.state === "STAMPED")
      others.push({ of: one, to: "CLEARING", dueInMs: 0 });
    else if (one.state === "REQUESTED") others.push(withdrawn(one, state));
  }
  return { waiting, others };
}

function withdrawn(of: DueUnenrollment, state: string | undefined): UnenrollmentMove {
  const isBeingAttempted = state === "QUEUED" || state === "ATTEMPTING" || state === "UNCERTAIN";
  return isBeingAttempted
    ? { of, to: "REQUESTED", dueInMs: BEING_ATTEMPTED_MS }
    : { of, to: "DONE", dueInMs: 0 };
}

/** The contact's id now: HubSpot may have told of a merge. */
function currentId({ contactId, execution }: DueUnenrollment): string {
  const told = execution?.contactId ?? contactId;
  return told === ERASED_CONTACT ? contactId : told;
}

interface LookedAt {
  readonly moves: readonly UnenrollmentMove[];
  readonly stampings: readonly Stamping[];
  readonly requests: number;
}

async function lookAtContacts(
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

/** A contact that was merged goes on under its new id, and is stamped there. */
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

const toStamping = (
  { executionId, tries }: DueUnenrollment,
  { contactId, value }: Pick<Stamping, "contactId" | "value">,
): Stamping => ({ executionId, state: "STAMPING", contactId, value, tries });

function putOff(of: DueUnenrollment, fault: HubSpotError | undefined): UnenrollmentMove {
  if (fault === undefined) return { of, to: of.state, dueInMs: PUT_OFF_MS };
  const askedMs = fault instanceof HubSpotUnavailable ? (fault.retryAfterMs ?? 0) : 0;
  const tries = of.tries + 1;
  return {
    of,
    to: of.state,
    dueInMs: Math.max(askedMs, backoffMs(tries, RETRY)),
    tries,
    problem: fault.message,
  };
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

/** Found in STAMPING: its request may have been sent before a crash, and is sent again. */
function stampingOf(one: DueUnenrollment): Stamping[] {
  if (one.state !== "STAMPING" || one.stamp === undefined) return [];
  return [toStamping(one, { contactId: one.contactId, value: one.stamp })];
}

function clearingOf(one: DueUnenrollment): Stamping[] {
  if (one.state !== "CLEARING") return [];
  const { executionId, tries } = one;
  return [{ executionId, state: "CLEARING", contactId: currentId(one), value: "", tries }];
}

async function write(
  tools: UnenrollTools,
  what: "stamp" | "clear",
  batch: readonly Stamping[],
): Promise<number> {
  const written = await step(tools, { name: what, items: batch }, (contacts) => writeStamps(contacts, tools));
  if (written === undefined) return 0;
  const { moves, requests, problem } = written;
  await step(tools, { name: `note ${what}`, items: moves }, (stored) => writeMoves(tools.owner, stored));
  if (problem !== undefined) await noteProblem(tools.owner, problem);
  return requests;
}

/** An enrollment in the next sequence waits until no late run of the helper workflow can end it. */
function msToSettle({ execution, stampedAt }: DueUnenrollment, now: Date, times: UnenrollTimes): number {
  if (execution?.kind !== "ENROLL" || stampedAt === undefined) return 0;
  return Math.max(0, stampedAt.getTime() + times.settleMs - now.getTime());
}

/** Moves the executions on whose contact's property is empty again; or cannot be emptied for now. */
async function tellExecutions(
  tools: UnenrollTools,
  due: readonly DueUnenrollment[],
  now: Date,
): Promise<{ count: number; isMoreLeft: boolean }> {
  const { owner, times } = tools;
  const cleared = due.filter(({ state }) => state === "CLEARED");
  const settling = cleared.filter((one) => isWaitedFor(one) && msToSettle(one, now, times) > 0);
  const toTell = due.filter((one) => isWaitedFor(one) && isToBeTold(one) && !settling.includes(one));
  const looks = toTell.flatMap((one) => (one.execution === undefined ? [] : lookOf(one, one.execution)));
  const count = await step(tools, { name: "tell", items: looks }, (told) => writeLooks(owner, told));
  const moves: UnenrollmentMove[] = [
    ...settling.map((of) => ({ of, to: of.state, dueInMs: msToSettle(of, now, times) })),
    // What was just told is found again as no longer waited for: a row that somebody else moved meanwhile is told again.
    ...cleared.filter((one) => !isWaitedFor(one)).map((of) => ({ of, to: "DONE", dueInMs: 0 }) as const),
  ];
  await step(tools, { name: "forget", items: moves }, (stored) => writeMoves(owner, stored));
  return { count: count ?? 0, isMoreLeft: toTell.length > 0 };
}

const isWaitedFor = ({ execution }: DueUnenrollment): boolean => execution?.state === "WATCHING";

function isToBeTold({ state, tries, execution }: DueUnenrollment): boolean {
  if (state === "CLEARED") return true;
  // An enrollment must not follow a stamp that is still there: the helper workflow may end it.
  return state === "CLEARING" && tries >= CLEARINGS_WAITED_FOR && execution?.kind === "UNENROLL";
}
