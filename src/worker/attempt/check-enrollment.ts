import type { Directory } from "#domain/directory/directory.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { answered, failed } from "#domain/contract/outcome.js";
import { hasEnded, readSequenceFacts, wholeDays } from "#domain/contract/sequence-facts.js";
import { SEQUENCE_PROPERTIES } from "#domain/contract/wait-contract.js";
import type { Result } from "#domain/executions/write-back.js";
import { readHubSpotDate } from "#platform/hubspot/wire/hubspot-date.js";
import type { CurrentEnrollment, PortalGateway } from "#platform/hubspot/gateway.js";
import { recoverable } from "./attempt-faults.js";
import { endAtDeadline } from "./deadline.js";
import type { DoubtTools } from "./doubt.js";

export interface CheckContext {
  readonly portalId: bigint;
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  readonly doubts: Pick<DoubtTools, "clock">;
}

async function enrolledBy(
  { enrolledBy: userId, enrolledByEmail }: CurrentEnrollment,
  { directory, portalId }: CheckContext,
): Promise<string> {
  if (enrolledByEmail !== null) return enrolledByEmail;
  if (userId == null || !/^\d{1,18}$/.test(userId)) return userId ?? "";
  return (await directory.activeUserEmails(portalId, [BigInt(userId)])).get(BigInt(userId)) ?? userId;
}

async function describe(
  enrollment: CurrentEnrollment,
  context: CheckContext,
): Promise<Record<string, string>> {
  const { sequenceId } = enrollment;
  const now = context.doubts.clock.at();
  const enrolledAt = readHubSpotDate(enrollment.enrolledAt?.getTime(), now);
  const name =
    enrollment.sequenceName ?? (await context.directory.sequenceName(context.portalId, sequenceId));
  return {
    is_enrolled: "true",
    sequence_id: sequenceId,
    sequence_name: name ?? "",
    enrolled_at: enrolledAt?.toISOString() ?? "",
    enrolled_by: await enrolledBy(enrollment, context),
    days_enrolled: enrolledAt === undefined ? "" : String(wholeDays(enrolledAt, now ?? new Date())),
  };
}

async function look(execution: ClaimedExecution, context: CheckContext): Promise<Result> {
  const enrollment = await context.gateway.readEnrollment(execution.contactId);
  const properties = await context.gateway.readContact(execution.contactId, SEQUENCE_PROPERTIES);
  if (properties === undefined) return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  const isRunning =
    enrollment !== undefined &&
    !hasEnded(enrollment, readSequenceFacts(properties, context.doubts.clock.at()));
  const outputs = isRunning ? await describe(enrollment, context) : { is_enrolled: "false" };
  return { to: "DECIDED", outcome: answered(outputs) };
}

/**
 * Finds whether and where a contact is enrolled, with two requests. It only reads, so after a crash it is simply
 * repeated: an UNCERTAIN one is handled the same way.
 *
 * @throws only what is our own fault; HubSpot's are part of the result.
 */
export async function checkEnrollment(execution: ClaimedExecution, context: CheckContext): Promise<Result> {
  try {
    return await look(execution, context);
  } catch (error) {
    return endAtDeadline(execution, recoverable(error, execution, "QUEUED"));
  }
}
