import type { ClaimedExecution } from "#domain/contract/execution.js";
import { alreadyEnrolled, answered, failed, type Sender } from "#domain/contract/outcome.js";
import { hasEnded, readSequenceFacts } from "#domain/contract/sequence-facts.js";
import type { EnrollmentToEnd, UnenrollOutcome } from "#domain/contract/actions/unenroll-contract.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { Result } from "#domain/executions/write-back.js";
import { timeLeftMs } from "#domain/executions/time-left.js";
import { judgeReplacement, MOST_ROUNDS } from "#domain/unenroll/judge-replacement.js";
import { isUsable, readSetup } from "#domain/unenroll/setup.js";
import { readRounds, storeRequest } from "#domain/unenroll/unenrollments.js";
import { backoffMs } from "#platform/queue/backoff.js";
import type { CurrentEnrollment } from "#platform/hubspot/gateway.js";
import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import { DAY_MS } from "#platform/time/units.js";
import { recoverable } from "./attempt-faults.js";
import type { CheckContext } from "./check-enrollment.js";
import { endAtDeadline } from "./deadline.js";

export interface UnenrollContext extends CheckContext {
  readonly owner: Ownership;
}

/** Until the helper workflow has done its work: worker/unenroll moves the execution on. At most until its deadline. */
const UNTIL_UNENROLLED: Result = { to: "WATCHING", delayMs: 365 * DAY_MS };

const decided = (outcome: UnenrollOutcome): Result => ({ to: "DECIDED", outcome: answered({ outcome }) });

/**
 * Checks with two requests whether a contact is in a sequence and, if it is, stores that it is to be taken out of it:
 * the portal's owner does that for many contacts together (worker/unenroll). Writes nothing in HubSpot, so after a
 * crash it is simply repeated.
 *
 * @throws only what is our own fault; HubSpot's are part of the result.
 */
export async function unenrollContact(
  execution: ClaimedExecution,
  context: UnenrollContext,
): Promise<Result> {
  try {
    return await begin(execution, context);
  } catch (error) {
    return endAtDeadline(execution, recoverable(error, execution, "QUEUED"));
  }
}

async function begin(execution: ClaimedExecution, context: UnenrollContext): Promise<Result> {
  const { owner, gateway, portalId } = context;
  if (!isUsable(await readSetup(owner, portalId))) return decided("NOT_SUPPORTED");
  const { contactId } = execution;
  const enrollment = await gateway.readEnrollment(contactId);
  const properties = await gateway.readContact(contactId, SEQUENCE_PROPERTIES);
  if (properties === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  const facts = readSequenceFacts(properties, context.doubts.clock.at());
  if (enrollment === undefined || hasEnded(enrollment, facts)) return decided("NOT_ENROLLED");
  await storeRequest(owner, {
    executionId: execution.id,
    contactId,
    enrollment: await describe(enrollment, context),
  });
  return UNTIL_UNENROLLED;
}

/** The enrollment as the outputs will name it: afterward HubSpot may show another one, or none. */
async function describe(
  { sequenceId, sequenceName, enrolledAt }: CurrentEnrollment,
  { directory, portalId, doubts }: Pick<CheckContext, "directory" | "portalId" | "doubts">,
): Promise<EnrollmentToEnd> {
  const name = sequenceName ?? (await directory.sequenceName(portalId, sequenceId));
  return {
    sequenceId,
    sequenceName: name ?? "",
    enrolledAt: readHubSpotDate(enrolledAt?.getTime(), doubts.clock.at()),
  };
}

const NOT_SHOWN = "HubSpot says that the contact is in a sequence, and does not show in which.";
/** HubSpot shows an enrollment, and the end of one, some tens of seconds late. */
const ASK_AGAIN = { baseMs: 10_000, capMs: 15 * 60_000 };
const ALWAYS_IN_ANOTHER = `It was taken out of its sequence ${MOST_ROUNDS} times, and each time it was in another one before it could be enrolled.`;

const stays = (detail: string, sender: Sender | undefined): Result => ({
  to: "DECIDED",
  outcome: { ...failed("ALREADY_ENROLLED", { detail, sender }), enrollmentStatus: "ALREADY_ENROLLED" },
});

/**
 * Begins to replace the sequence that a contact is in with the execution's own: stores that the contact is to be taken
 * out of it, which the portal's owner then does (worker/unenroll) before it has the execution attempted again. Two
 * requests. Called only when all that can be checked before an enrollment was checked, since the contact may be in no
 * sequence if that fails afterward. Writes nothing in HubSpot, so after a crash it is simply repeated.
 *
 * @throws HubSpot's and the database's faults.
 */
export async function beginReplacement(
  execution: ClaimedExecution,
  context: UnenrollContext,
  sender: Sender | undefined,
): Promise<Result> {
  const { owner, gateway, portalId, doubts } = context;
  const { id: executionId, contactId, sequenceId } = execution;
  const current = await gateway.readEnrollment(contactId);
  const properties = await gateway.readContact(contactId, SEQUENCE_PROPERTIES);
  if (properties === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  if (current === undefined || hasEnded(current, readSequenceFacts(properties, doubts.clock.at())))
    return { to: "QUEUED", delayMs: backoffMs(execution.retries + 1, ASK_AGAIN), problem: NOT_SHOWN };
  const setup = await readSetup(owner, portalId);
  const leftMs = timeLeftMs(execution.deadlineMs);
  const verdict = judgeReplacement({ sequenceId, current, setup, leftMs });
  if (verdict.kind === "keep") return { to: "DECIDED", outcome: alreadyEnrolled("skip", sender) };
  if (verdict.kind === "refuse") return stays(verdict.detail, sender);
  const { rounds, isOpen } = await readRounds(owner, executionId);
  if (!isOpen && rounds >= MOST_ROUNDS) return stays(ALWAYS_IN_ANOTHER, sender);
  const enrollment = await describe(current, context);
  await storeRequest(owner, { executionId, contactId, enrollment });
  return UNTIL_UNENROLLED;
}
