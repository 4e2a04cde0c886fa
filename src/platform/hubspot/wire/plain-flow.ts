/** What a workflow of contacts has in the flows API that has nothing special (docs/hubspot.md §10). */
export const PLAIN_CONTACT_FLOW = {
  type: "CONTACT_FLOW",
  flowType: "WORKFLOW",
  objectTypeId: "0-1",
  timeWindows: [],
  blockedDates: [],
  customProperties: {},
  dataSources: [],
  suppressionListIds: [],
  canEnrollFromSalesforce: false,
} as const;
