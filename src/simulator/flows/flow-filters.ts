import { z } from "zod";
import { propertyOperation, timePointOperation, timeRangeOperation } from "./property-operations.js";

/* The conditions of a workflow, by HubSpot's OpenAPI file for v4: what its schema refuses is refused here. */

const text = z.string();

const timeOffset = z.looseObject({ amount: z.int(), offsetDirection: text, timeUnit: text });

const refinement = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({ type: z.literal(type), ...shape });

/** Which of several events count. */
const refineBy = z.union([
  z.discriminatedUnion("type", [
    refinement("NUM_OCCURRENCES", {
      minOccurrences: z.int32().optional(),
      maxOccurrences: z.int32().optional(),
    }),
    refinement("SET_OCCURRENCES", { setType: text }),
    refinement("RELATIVE_COMPARATIVE", { comparison: text, timeOffset }),
    refinement("RELATIVE_RANGED", {
      rangeType: text,
      lowerBoundOffset: timeOffset,
      upperBoundOffset: timeOffset,
    }),
    refinement("ABSOLUTE_COMPARATIVE", { comparison: text, timestamp: z.int() }),
    refinement("ABSOLUTE_RANGED", { rangeType: text, lowerTimestamp: z.int(), upperTimestamp: z.int() }),
    refinement("ALL_HISTORY", {}),
  ]),
  timePointOperation,
  timeRangeOperation,
]);

const REFINED = { coalescingRefineBy: refineBy.optional(), pruningRefineBy: refineBy.optional() };

const filterOf = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({ filterType: z.literal(type), ...shape });

const filterLines = z.array(z.looseObject({ property: text, operation: propertyOperation }));
const formOperator = z.enum(["FILLED_OUT", "NOT_FILLED_OUT"]);

const EMAIL_EVENTS = [
  ...(["SENT", "SENT_BUT_NOT_RECEIVED", "SENT_BUT_LINK_NOT_CLICKED", "RECEIVED", "BOUNCED"] as const),
  ...(["RECEIVED_BUT_NOT_OPENED", "OPENED", "OPENED_BUT_LINK_NOT_CLICKED", "MARKED_SPAM"] as const),
  ...(["OPENED_BUT_NOT_REPLIED", "LINK_CLICKED", "REPLIED", "UNSUBSCRIBED"] as const),
] as const;

const filter = z.discriminatedUnion("filterType", [
  filterOf("PROPERTY", { property: text, operation: propertyOperation }),
  filterOf("ASSOCIATION", {
    associationCategory: text,
    associationTypeId: z.int32(),
    coalescingRefineBy: refineBy,
    listId: text,
    operator: text,
    toObjectType: text.optional(),
    toObjectTypeId: text.optional(),
  }),
  filterOf("PAGE_VIEW", {
    ...REFINED,
    operator: text,
    pageUrl: text,
    enableTracking: z.boolean().optional(),
  }),
  filterOf("CTA", { ...REFINED, operator: text, ctaName: text }),
  filterOf("EVENT", { ...REFINED, operator: text, eventId: text }),
  filterOf("FORM_SUBMISSION", { ...REFINED, operator: formOperator, formId: text.optional() }),
  filterOf("FORM_SUBMISSION_ON_PAGE", {
    ...REFINED,
    operator: formOperator,
    formId: text.optional(),
    pageId: text,
  }),
  filterOf("INTEGRATION_EVENT", { eventTypeId: z.int32(), filterLines }),
  filterOf("EMAIL_SUBSCRIPTION", {
    acceptedStatuses: z.array(text),
    subscriptionIds: z.array(text),
    subscriptionType: text.optional(),
  }),
  filterOf("COMMUNICATION_SUBSCRIPTION", {
    acceptedOptStates: z.array(text),
    businessUnitId: text.optional(),
    channel: text,
    subscriptionIds: z.array(text),
    subscriptionType: text,
  }),
  filterOf("SURVEY_MONKEY", { operator: text, surveyId: text }),
  filterOf("SURVEY_MONKEY_VALUE", {
    operator: text,
    surveyId: text,
    surveyQuestion: text,
    surveyAnswerColId: text.optional(),
    surveyAnswerRowId: text.optional(),
    valueComparison: propertyOperation,
  }),
  filterOf("WEBINAR", { operator: text, webinarId: text.optional() }),
  filterOf("EMAIL_EVENT", {
    operator: z.enum(EMAIL_EVENTS),
    appId: text,
    emailId: text,
    level: text,
    clickUrl: text.optional(),
    pruningRefineBy: refineBy.optional(),
  }),
  filterOf("PRIVACY", { operator: text, privacyName: text }),
  filterOf("ADS_SEARCH", {
    operator: text,
    adNetwork: text,
    entityType: text,
    searchTermType: text,
    searchTerms: z.array(text),
  }),
  filterOf("ADS_TIME", { pruningRefineBy: refineBy }),
  filterOf("IN_LIST", {
    operator: text,
    listId: text,
    metadata: z.looseObject({ id: text, inListType: text }).optional(),
  }),
  filterOf("UNIFIED_EVENTS", { ...REFINED, filterLines, eventTypeId: text.optional() }),
  filterOf("CONSTANT", { shouldAccept: z.boolean(), source: text.optional() }),
]);
export type Filter = z.infer<typeof filter>;

/** A condition on a record. Branches nest. */
export interface FilterBranch {
  readonly filterBranchType: string;
  readonly filterBranchOperator: string;
  readonly filterBranches: readonly FilterBranch[];
  readonly filters: readonly Filter[];
}

const branchOf = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.looseObject({
    filterBranchType: z.literal(type),
    filterBranchOperator: text,
    filterBranches: z.array(z.lazy(() => filterBranch)),
    filters: z.array(filter),
    ...shape,
  });

/** Events, and how often. Also what starts a workflow by events. */
export const eventBranch = branchOf("UNIFIED_EVENTS", {
  ...REFINED,
  eventTypeId: text,
  operator: z.enum(["HAS_COMPLETED", "HAS_NOT_COMPLETED"]),
});

export const filterBranch: z.ZodType<FilterBranch> = z.discriminatedUnion("filterBranchType", [
  eventBranch,
  ...(["OR", "AND", "NOT_ALL", "NOT_ANY", "RESTRICTED"] as const).map((type) => branchOf(type, {})),
  branchOf("ASSOCIATION", {
    associationCategory: text,
    associationTypeId: z.int32(),
    objectTypeId: text,
    operator: text,
  }),
]);
