import { readSetup } from "#domain/unenroll/setup.js";
import {
  readDue,
  writeMoves,
  type DueUnenrollment,
  type UnenrollmentMove,
} from "#domain/unenroll/unenrollments.js";
import type { Polled } from "#worker/watch/watch-poll.js";
import { keepHelper, noteProblem } from "./keep-helper.js";
import { lookAtContacts, toStamping } from "./look-at-contacts.js";
import { tellExecutions } from "./tell-executions.js";
import { currentId, isWaitedFor, step, type UnenrollTools } from "./unenroll-tools.js";
import { writeStamps, type Stamping } from "./write-stamps.js";

/** Contacts that HubSpot reads or writes in one request (docs/hubspot.md §6). */
const BATCH = 100;
/** The execution itself is being moved by its attempt. */
const BEING_ATTEMPTED_MS = 1_000;

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

function isToBeLookedAt(due: DueUnenrollment): boolean {
  return due.state === "REQUESTED" || due.state === "STAMPED" || isLastLook(due);
}

/**
 * The helper workflow may have acted after all: between the look that found it late and the emptying of the stamp, or
 * by a stamp that HubSpot refused when it was sent again after a crash.
 */
function isLastLook({ state, outcome, stamps }: DueUnenrollment): boolean {
  return state === "CLEARED" && (outcome === "TIMED_OUT" || outcome === "NOT_SUPPORTED") && stamps > 0;
}

/** What is reported about one is what was seen last; nothing yet if that look failed. */
function afterLastLook(one: DueUnenrollment, moves: readonly UnenrollmentMove[]): DueUnenrollment[] {
  if (!isWaitedFor(one) || !isLastLook(one)) return [one];
  const move = moves.find(({ of }) => of.executionId === one.executionId);
  if (move === undefined || move.dueInMs > 0) return [];
  return [{ ...one, outcome: move.outcome ?? one.outcome }];
}

/**
 * Those whose execution still waits, and what happens to the others: an admin canceled it, it was erased, or its time
 * is over. If a contact may be stamped, its property is cleared.
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

/** Found in STAMPING: its request may have been sent before a crash, and is sent again. */
function stampingOf(one: DueUnenrollment): Stamping[] {
  if (one.state !== "STAMPING" || one.stamp === undefined) return [];
  return [toStamping(one, { contactId: one.contactId, value: one.stamp })];
}

function clearingOf(one: DueUnenrollment): Stamping[] {
  if (one.state !== "CLEARING") return [];
  const { executionId, tries } = one;
  return [{ executionId, state: "CLEARING", contactId: currentId(one), value: "", tries, mayBeSet: true }];
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
