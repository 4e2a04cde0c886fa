import type { FlowCreate } from "./flow-requests.js";

/** HubSpot's own steps, by their ids in the flows API (docs/hubspot.md §10). */
export const NATIVE_STEPS = {
  enroll: "0-46510720",
  unenroll: "0-4702372",
  delay: "0-1",
  setProperty: "0-5",
} as const;

/** Two workflows of every portal: one with the app's enroll action, one with HubSpot's own. */
export function seededFlows(actionDefinitionId: number): FlowCreate[] {
  return [
    oneStepFlow("New leads: first outreach", `1-${actionDefinitionId}`),
    oneStepFlow("Renewal reminders", NATIVE_STEPS.enroll),
  ];
}

function oneStepFlow(name: string, actionTypeId: string): FlowCreate {
  return {
    type: "CONTACT_FLOW",
    flowType: "WORKFLOW",
    objectTypeId: "0-1",
    name,
    isEnabled: true,
    startActionId: "1",
    actions: [
      {
        type: "SINGLE_CONNECTION",
        actionId: "1",
        actionTypeId,
        actionTypeVersion: 1,
        fields:
          actionTypeId === NATIVE_STEPS.enroll
            ? { sequenceId: "300000001", senderType: "CONTACT_OWNER", shouldUseContactTimeZone: true }
            : { sequence_id: "300000001", sender_mode: "contact_owner" },
      },
    ],
    enrollmentCriteria: { type: "MANUAL", shouldReEnroll: false },
    timeWindows: [],
    blockedDates: [],
    customProperties: {},
    dataSources: [],
    suppressionListIds: [],
    canEnrollFromSalesforce: false,
  };
}
