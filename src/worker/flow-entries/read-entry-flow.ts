import { z } from "zod";
import { stampOfTrigger } from "#domain/flow-entries/entry-property.js";
import type { FlowEntryOutcome } from "#domain/flow-entries/flow-entry.js";
import type { PortalGateway } from "#platform/hubspot/gateway.js";

/** How contacts are put in a workflow, as it is now. */
export type EntryFlow =
  | { readonly route: "stamp"; readonly stamp: string }
  /** `mayReturn`: a contact that has been in it can enter again. */
  | { readonly route: "legacy"; readonly workflowId: string; readonly mayReturn: boolean }
  | { readonly route: "none"; readonly outcome: FlowEntryOutcome };

const reEnrolling = z.object({ shouldReEnroll: z.boolean() });

/** Two requests at most. @throws HubSpot's faults. */
export async function readEntryFlow(
  gateway: Pick<PortalGateway, "readOwnFlow" | "readWorkflowIds">,
  flowId: string,
): Promise<EntryFlow> {
  const flow = await gateway.readOwnFlow(flowId);
  if (flow === undefined) return { route: "none", outcome: "WORKFLOW_NOT_FOUND" };
  if (!flow.isEnabled) return { route: "none", outcome: "WORKFLOW_OFF" };
  const stamp = stampOfTrigger(flow.enrollmentCriteria);
  if (stamp !== undefined) return { route: "stamp", stamp };
  const workflowId = (await gateway.readWorkflowIds([flowId])).get(flowId);
  if (workflowId === undefined) return { route: "none", outcome: "NOT_SUPPORTED" };
  // In a form that we do not know: treated as if it could.
  const mayReturn = reEnrolling.safeParse(flow.enrollmentCriteria).data?.shouldReEnroll ?? true;
  return { route: "legacy", workflowId, mayReturn };
}
