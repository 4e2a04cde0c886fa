/** A workflow as the flows API shows it (docs/hubspot.md §10). */
export interface Flow {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly flowType: "WORKFLOW";
  readonly objectTypeId: "0-1";
  readonly revisionId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly [detail: string]: unknown;
}

const NATIVE_ENROLL = "0-46510720";

/** Two workflows of every portal: one with the app's enroll action, one with HubSpot's own. */
export function flowsOf(portalId: number, actionDefinitionId: number, nowMs: number): Flow[] {
  const idOf = (n: number): string => String(portalId * 10 + n);
  return [
    contactFlow({
      id: idOf(1),
      name: "New leads: first outreach",
      actionTypeId: `1-${actionDefinitionId}`,
      nowMs,
    }),
    contactFlow({ id: idOf(2), name: "Renewal reminders", actionTypeId: NATIVE_ENROLL, nowMs }),
  ];
}

function contactFlow({
  id,
  name,
  actionTypeId,
  nowMs,
}: {
  id: string;
  name: string;
  actionTypeId: string;
  nowMs: number;
}): Flow {
  const at = new Date(nowMs).toISOString();
  return {
    id,
    name,
    isEnabled: true,
    flowType: "WORKFLOW",
    type: "CONTACT_FLOW",
    objectTypeId: "0-1",
    revisionId: "3",
    createdAt: at,
    updatedAt: at,
    startActionId: "1",
    nextAvailableActionId: "2",
    crmObjectCreationStatus: "COMPLETE",
    canEnrollFromSalesforce: false,
    actions: [
      {
        type: "SINGLE_CONNECTION",
        actionId: "1",
        actionTypeId,
        actionTypeVersion: 1,
        fields: { sequence_id: "300000001" },
      },
    ],
    enrollmentCriteria: { type: "MANUAL", shouldReEnroll: false },
    timeWindows: [],
    blockedDates: [],
    customProperties: {},
    dataSources: [],
    suppressionListIds: [],
  };
}
