import type { ClaimedExecution } from "#domain/contract/execution.js";
import { answered, failed } from "#domain/contract/outcome.js";
import { hasEnded, readSequenceFacts } from "#domain/contract/sequence-facts.js";
import type { EnrollmentToEnd, UnenrollOutcome } from "#domain/contract/actions/unenroll-contract.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import type { Ownership } from "#domain/executions/claim.js";
import type { Result } from "#domain/executions/write-back.js";
import { isUsable, readSetup } from "#domain/unenroll/setup.js";
import { storeRequest } from "#domain/unenroll/unenrollments.js";
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
export const UNTIL_UNENROLLED: Result = { to: "WATCHING", delayMs: 365 * DAY_MS };

const decided = (outcome: UnenrollOutcome): Result => ({ to: "DECIDED", outcome: answered({ outcome }) });

/**
 * Looks whether a contact is in a sequence, with two requests, and if it is, stores that it is to be taken out of it: the
 * portal's owner does that for many contacts together (worker/unenroll). Writes nothing in HubSpot, so after a crash it is
 * simply repeated.
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

/** The enrollment as the outputs will name it: afterwards HubSpot may show another one, or none. */
export async function describe(
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
