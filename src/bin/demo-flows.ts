import type { FlowAction } from "../simulator/flows/flow-requests.js";
import type { SimulatedPortal } from "../simulator/portal.js";

/** The account's two workflows, by the names that HubSpot shows. */
export type DemoFlowName = "Outbound" | "Inbound";

interface DemoFlow {
  readonly name: DemoFlowName;
  readonly sequenceId: string;
  readonly presetId: string;
  /** Whether it goes on with “Check sequence enrollment” and “Wait for sequence end”. */
  readonly goesOn: boolean;
}

/** HubSpot's numbers of the app's three actions follow each other; the seeded workflow has the first. */
function actionTypesOf(portal: SimulatedPortal): string[] {
  const [seeded] = portal.flows.all().flatMap(({ actions }) => actions);
  const first = seeded?.type === "SINGLE_CONNECTION" ? Number(seeded.actionTypeId.split("-")[1]) : 0;
  return [0, 1, 2].map((index) => `1-${first + index}`);
}

function step(actionId: number, actionTypeId: string, fields: Record<string, string>): FlowAction {
  return {
    type: "SINGLE_CONNECTION",
    actionId: String(actionId),
    actionTypeId,
    actionTypeVersion: 1,
    fields,
    connection: { edgeType: "STANDARD", nextActionId: String(actionId + 1) },
  };
}

/** Adds a workflow as a person would have built it. The demo sends its contacts through each step by itself. */
export function addDemoFlow(portal: SimulatedPortal, { name, sequenceId, presetId, goesOn }: DemoFlow): void {
  const [enroll = "", check = "", wait = ""] = actionTypesOf(portal);
  const fields = { sequence_id: sequenceId, sender_mode: "contact_owner", preset_id: presetId };
  const further = [step(2, check, {}), step(3, wait, { max_wait_days: "14" })];
  portal.flows.create(
    {
      type: "CONTACT_FLOW",
      flowType: "WORKFLOW",
      objectTypeId: "0-1",
      name,
      isEnabled: true,
      startActionId: "1",
      actions: [step(1, enroll, fields), ...(goesOn ? further : [])],
      enrollmentCriteria: { type: "MANUAL", shouldReEnroll: false },
      timeWindows: [],
      blockedDates: [],
      customProperties: {},
      dataSources: [],
      suppressionListIds: [],
      canEnrollFromSalesforce: false,
    },
    Date.now(),
  );
}

/** The number by which HubSpot's calls name the workflow. */
export function workflowIdOf({ flows }: SimulatedPortal, name: DemoFlowName): { workflowId?: number } {
  const flow = flows.all().find((one) => one.name === name);
  return flow === undefined ? {} : { workflowId: flows.legacyIdOf(flow.id) };
}
