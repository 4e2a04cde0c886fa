import { fileURLToPath } from "node:url";
import { CHECK_ENROLLMENT_ROUTE } from "#domain/contract/actions/check-contract.js";
import {
  ENROLL_ROUTE,
  NAME_PROPERTIES,
  REQUESTED_PROPERTIES,
} from "#domain/contract/actions/enroll-contract.js";
import { SEQUENCE_PROPERTIES, WAIT_FOR_SEQUENCE_END_ROUTE } from "#domain/contract/wait-contract.js";
import type { EnrollmentEnd } from "../simulator/portal/model.js";
import type { Simulator } from "../simulator/simulator.js";
import { loadActionDefinition } from "../simulator/workflow/history.js";
import type { WorkflowRun } from "../simulator/workflow/run.js";
import { addDemoFlow, workflowIdOf, type DemoFlowName } from "./demo-flows.js";
import type { DemoAccount } from "./demo-account.js";
import type { DemoPolicy } from "./demo-policy.js";

/** HubSpot delivers some calls twice; here one in twenty. */
const DUPLICATE_PROBABILITY = 0.05;
/** What the actions' definitions in `app-config/` ask HubSpot to send along with a contact. */
const SEQUENCE_PROPERTIES_ASKED: readonly string[] = ["email", ...NAME_PROPERTIES, ...SEQUENCE_PROPERTIES];
const ENDINGS: readonly EnrollmentEnd[] = ["finished", "finished", "replied", "unenrolled"];

export interface DemoStage {
  readonly simulator: Simulator;
  readonly account: DemoAccount;
  readonly publicUrl: string;
}

const definitionOf = (action: string) =>
  loadActionDefinition(
    fileURLToPath(
      new URL(`../../app-config/src/app/workflow-actions/${action}-hsmeta.json`, import.meta.url),
    ),
  );

interface EnrollStep {
  readonly flow: DemoFlowName;
  readonly contactIds: readonly string[];
  readonly presetId: string;
}

/** Sends contacts through “Enroll in sequence”; the preset decides what the step leaves open. */
export function runEnroll(
  { account, publicUrl }: DemoStage,
  { flow, contactIds, presetId }: EnrollStep,
): WorkflowRun {
  const { portal, sequenceId } = account;
  return portal.runAction({
    actionUrl: publicUrl + ENROLL_ROUTE,
    contactIds,
    ...workflowIdOf(portal, flow),
    inputs: { sequence_id: sequenceId, sender_mode: "contact_owner", preset_id: presetId },
    objectProperties: [...REQUESTED_PROPERTIES, ...NAME_PROPERTIES],
    duplicateProbability: DUPLICATE_PROBABILITY,
    definition: definitionOf("enroll"),
  });
}

/** Both workflows as their makers left them, of which the second goes on after the enrollment. */
export function addFlows({ portal, sequenceId }: DemoAccount, policy: DemoPolicy): void {
  addDemoFlow(portal, { name: "Outbound", sequenceId, presetId: policy.outboundPresetId, goesOn: false });
  addDemoFlow(portal, { name: "Inbound", sequenceId, presetId: policy.inboundPresetId, goesOn: true });
}

/**
 * Both workflows. The inbound one starts once HubSpot has refused the rep without an inbox in the other, so that it
 * shows how a known bad sender is passed over without a call.
 */
export async function runBoth(
  stage: DemoStage,
  policy: DemoPolicy,
): Promise<Record<"outbound" | "inbound", WorkflowRun>> {
  const { outbound: contactIds, inbound, portal } = stage.account;
  const outbound = runEnroll(stage, { flow: "Outbound", contactIds, presetId: policy.outboundPresetId });
  const [withoutInbox = ""] = contactIds;
  await stage.simulator.waitFor(() => portal.enrollments.factsOf(withoutInbox).posts > 0);
  const step = { flow: "Inbound", contactIds: inbound, presetId: policy.inboundPresetId } as const;
  return { outbound, inbound: runEnroll(stage, step) };
}

/** The next step of the inbound workflow: is the contact in a sequence? */
export async function runCheck(
  { account, publicUrl }: DemoStage,
  contactIds: readonly string[],
): Promise<WorkflowRun> {
  const run = account.portal.runAction({
    actionUrl: publicUrl + CHECK_ENROLLMENT_ROUTE,
    contactIds,
    ...workflowIdOf(account.portal, "Inbound"),
    inputs: {},
    objectProperties: SEQUENCE_PROPERTIES_ASKED,
    definition: definitionOf("check-enrollment"),
  });
  await run.finished;
  return run;
}

/** Its last step, for enrolled contacts: wait for the end, which comes in different ways, reported by webhooks. */
export async function runWait(
  { account, publicUrl }: DemoStage,
  contactIds: readonly string[],
): Promise<WorkflowRun> {
  const run = account.portal.runAction({
    actionUrl: publicUrl + WAIT_FOR_SEQUENCE_END_ROUTE,
    contactIds,
    ...workflowIdOf(account.portal, "Inbound"),
    inputs: { max_wait_days: "14" },
    objectProperties: SEQUENCE_PROPERTIES_ASKED,
    definition: definitionOf("wait-for-sequence-end"),
  });
  await run.answered;
  contactIds.forEach((contactId, index) => {
    account.portal.endEnrollment(contactId, ENDINGS[index % ENDINGS.length] ?? "finished");
  });
  await run.finished;
  return run;
}
