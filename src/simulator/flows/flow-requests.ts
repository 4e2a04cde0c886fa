import { z } from "zod";
import { eventBranch, filterBranch } from "./flow-filters.js";

/*
 * What the flows API takes, by HubSpot's OpenAPI file for v4 (docs/hubspot.md §10): a request that its schema refuses is
 * refused here. Parts that none of our callers sends are checked for their type name alone.
 */

const connection = z.looseObject({ edgeType: z.enum(["STANDARD", "GOTO"]), nextActionId: z.string() });

const inputValue = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("FIELD_DATA"), actionId: z.string(), dataKey: z.string() }),
  z.looseObject({ type: z.literal("OBJECT_PROPERTY"), propertyName: z.string() }),
  z.looseObject({ type: z.literal("STATIC_VALUE"), staticValue: z.string() }),
  z.looseObject({ type: z.literal("TIMESTAMP"), timestampType: z.literal("EXECUTION_TIME") }),
]);

const action = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("SINGLE_CONNECTION"),
    actionId: z.string(),
    actionTypeId: z.string().regex(/^\d+-\d+$/u),
    actionTypeVersion: z.int(),
    fields: z.record(z.string(), z.unknown()),
    connection: connection.optional(),
  }),
  z.looseObject({
    type: z.literal("STATIC_BRANCH"),
    actionId: z.string(),
    inputValue,
    staticBranches: z.array(z.looseObject({ branchValue: z.string(), connection: connection.optional() })),
    defaultBranch: connection.optional(),
    defaultBranchName: z.string().optional(),
  }),
  z.looseObject({
    type: z.literal("LIST_BRANCH"),
    actionId: z.string(),
    listBranches: z.array(
      z.looseObject({
        branchName: z.string().optional(),
        filterBranch: filterBranch.optional(),
        connection: connection.optional(),
      }),
    ),
    defaultBranch: connection.optional(),
    defaultBranchName: z.string().optional(),
  }),
  ...(["AB_TEST_BRANCH", "CUSTOM_CODE", "WEBHOOK"] as const).map((type) =>
    z.looseObject({ type: z.literal(type), actionId: z.string() }),
  ),
]);
export type FlowAction = z.infer<typeof action>;

const enrollmentCriteria = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("LIST_BASED"),
    shouldReEnroll: z.boolean(),
    unEnrollObjectsNotMeetingCriteria: z.boolean(),
    listFilterBranch: filterBranch,
    reEnrollmentTriggersFilterBranches: z.array(filterBranch),
  }),
  z.looseObject({
    type: z.literal("EVENT_BASED"),
    shouldReEnroll: z.boolean(),
    eventFilterBranches: z.array(eventBranch),
    listMembershipFilterBranches: z.array(filterBranch),
    refinementCriteria: filterBranch.optional(),
  }),
  z.looseObject({ type: z.literal("MANUAL"), shouldReEnroll: z.boolean() }),
  z.looseObject({
    type: z.literal("DATASET"),
    shouldReEnroll: z.boolean(),
    datasetId: z.int(),
    subviewId: z.string().optional(),
  }),
]);
export type EnrollmentCriteria = z.infer<typeof enrollmentCriteria>;

const FLOW_FIELDS = {
  type: z.literal("CONTACT_FLOW"),
  name: z.string().optional(),
  description: z.string().optional(),
  isEnabled: z.boolean(),
  startActionId: z.string().optional(),
  actions: z.array(action),
  enrollmentCriteria: enrollmentCriteria.optional(),
  goalFilterBranch: filterBranch.optional(),
  timeWindows: z.array(z.unknown()),
  blockedDates: z.array(z.unknown()),
  customProperties: z.record(z.string(), z.string()),
  suppressionListIds: z.array(z.int()),
  canEnrollFromSalesforce: z.boolean(),
};

/** The body of a create. */
export const flowCreateSchema = z.looseObject({
  ...FLOW_FIELDS,
  flowType: z.enum(["WORKFLOW", "ACTION_SET", "UNKNOWN"]),
  objectTypeId: z.literal("0-1"),
  dataSources: z.array(z.unknown()),
});
export type FlowCreate = z.infer<typeof flowCreateSchema>;

/** The body of a replace: everything again, and the revision that it replaces. */
export const flowPutSchema = z.looseObject({ ...FLOW_FIELDS, revisionId: z.string() });
export type FlowPut = z.infer<typeof flowPutSchema>;
