import type { Directory } from "#domain/directory/directory.js";
import type { ClaimedExecution } from "#domain/contract/execution.js";
import { answered, failed } from "#domain/contract/outcome.js";
import { wholeDays } from "#domain/contract/sequence-facts.js";
import { findRunningEnrollment, type RunningEnrollment } from "#domain/enrollments/current-enrollment.js";
import type { Result } from "#domain/executions/write-back.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import { recoverable } from "./attempt-faults.js";
import { endAtDeadline } from "./deadline.js";
import type { DoubtTools } from "./doubt.js";

export interface CheckContext {
  readonly portalId: PortalId;
  readonly gateway: PortalGateway;
  readonly directory: Directory;
  readonly doubts: Pick<DoubtTools, "clock">;
}

function describe(
  { sequence, enrolledAt, enrolledBy }: RunningEnrollment,
  now: Date | undefined,
): Record<string, string> {
  return {
    is_enrolled: "true",
    sequence_id: sequence.id,
    sequence_name: sequence.name ?? "",
    enrolled_at: enrolledAt?.toISOString() ?? "",
    enrolled_by: enrolledBy ?? "",
    days_enrolled: enrolledAt === undefined ? "" : String(wholeDays(enrolledAt, now ?? new Date())),
  };
}

async function look(execution: ClaimedExecution, context: CheckContext): Promise<Result> {
  const now = () => context.doubts.clock.at();
  const running = await findRunningEnrollment({ ...context, now }, context.portalId, execution.contactId);
  if (running === "unknown-contact") return { to: "DECIDED", outcome: failed("CONTACT_NOT_FOUND") };
  const outputs = running === undefined ? { is_enrolled: "false" } : describe(running, now());
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
