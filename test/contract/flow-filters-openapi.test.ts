import { describe, expect, test } from "@jest/globals";
import { flowCreateSchema } from "../../src/simulator/flows/flow-requests.js";
import { requestValidator, specDirectory } from "../support/openapi.js";
import { flowWith } from "../support/flows-stage.js";

const directory = specDirectory();
if (directory === undefined)
  console.warn("Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check the simulator.");

type Part = Readonly<Record<string, unknown>>;

const compared = (operationType: string, more: Part): Part => ({
  operationType,
  operator: "IS_EQUAL_TO",
  includeObjectsWithNoValueSet: false,
  ...more,
});
const property = (operation: unknown): Part => ({ filterType: "PROPERTY", property: "city", operation });
const branch = (filterBranchType: unknown, filters: readonly unknown[], more: Part = {}): Part => ({
  filterBranchType,
  filterBranchOperator: "AND",
  filterBranches: [],
  filters,
  ...more,
});
const known = property(compared("ALL_PROPERTY", { operator: "IS_KNOWN" }));

/** A workflow that is started by this filter. */
const startedBy = (filter: unknown): Part => listed(branch("AND", [filter]));
const listed = (listFilterBranch: unknown): Part => ({
  ...flowWith("Filters", []),
  enrollmentCriteria: {
    type: "LIST_BASED",
    shouldReEnroll: true,
    unEnrollObjectsNotMeetingCriteria: false,
    listFilterBranch,
    reEnrollmentTriggersFilterBranches: [],
  },
});
const happened = (more: Part): Part => ({
  ...flowWith("Events", []),
  enrollmentCriteria: {
    type: "EVENT_BASED",
    shouldReEnroll: true,
    eventFilterBranches: [
      branch("UNIFIED_EVENTS", [known], {
        eventTypeId: "4-1639801",
        operator: "HAS_COMPLETED",
        ...more,
      }),
    ],
    listMembershipFilterBranches: [],
  },
});
const forked = (filterBranch: unknown): Part => ({
  ...flowWith("Fork", []),
  actions: [{ type: "LIST_BRANCH", actionId: "1", listBranches: [{ branchName: "Yes", filterBranch }] }],
});

const zone = { zoneId: "Europe/Berlin" };
const today = { timeType: "INDEXED", ...zone, indexReference: { referenceType: "TODAY" } };
const week = { ...today, indexReference: { referenceType: "WEEK", dayOfWeek: "MONDAY" } };
const date = { timeType: "DATE", ...zone, year: 2027, month: 3, day: 1 };
const timeRange = compared("TIME_RANGED", {
  type: "TIME_RANGED",
  lowerBoundTimePoint: week,
  upperBoundTimePoint: date,
});

const TAKEN: readonly (readonly [string, Part])[] = [
  ["a yes or no", startedBy(property(compared("BOOL", { value: true })))],
  ["a number", startedBy(property(compared("NUMBER", { value: 1.5 })))],
  ["numbers between", startedBy(property(compared("NUMBER_RANGED", { lowerBound: 1, upperBound: 2 })))],
  ["a text", startedBy(property(compared("STRING", { value: "Bonn" })))],
  ["several texts", startedBy(property(compared("MULTISTRING", { values: ["Bonn", "Ulm"] })))],
  ["choices", startedBy(property(compared("ENUMERATION", { values: [] })))],
  ["a known value", startedBy(known)],
  ["a day", startedBy(property(compared("DATE", { year: 2027, month: "MARCH", day: 1 })))],
  [
    "a moment",
    startedBy(
      property(compared("DATETIME", { timestamp: 1_800_000_000_000, requiresTimeZoneConversion: true })),
    ),
  ],
  [
    "the last days",
    startedBy(
      property(compared("ROLLING_DATE_RANGE", { numberOfDays: 5, requiresTimeZoneConversion: false })),
    ),
  ],
  [
    "this month",
    startedBy(property(compared("CALENDAR_DATE", { timeUnit: "MONTH", fiscalYearStart: "MAY" }))),
  ],
  [
    "another property",
    startedBy(property(compared("COMPARATIVE_DATE", { comparisonPropertyName: "created" }))),
  ],
  ["today", startedBy(property(compared("TIME_POINT", { type: "TIME_POINT", timePoint: today })))],
  ["from one moment to another", startedBy(property(timeRange))],
  ["a submitted form", startedBy({ filterType: "FORM_SUBMISSION", operator: "FILLED_OUT" })],
  ["a list", startedBy({ filterType: "IN_LIST", listId: "31", operator: "IN_LIST" })],
  [
    "an email's event",
    startedBy({ filterType: "EMAIL_EVENT", operator: "REPLIED", appId: "1", emailId: "2", level: "EMAIL" }),
  ],
  [
    "a page, seen twice",
    startedBy({
      filterType: "PAGE_VIEW",
      operator: "HAS_PAGEVIEW_EQ",
      pageUrl: "https://example.com",
      coalescingRefineBy: { type: "NUM_OCCURRENCES", minOccurrences: 2 },
    }),
  ],
  ["ads of a time", startedBy({ filterType: "ADS_TIME", pruningRefineBy: timeRange })],
  ["branches in branches", listed(branch("OR", [], { filterBranches: [branch("AND", [known])] }))],
  [
    "companies of the contact",
    listed(
      branch("ASSOCIATION", [known], {
        associationCategory: "HUBSPOT_DEFINED",
        associationTypeId: 279,
        objectTypeId: "0-2",
        operator: "IN_LIST",
      }),
    ),
  ],
  ["an event", happened({})],
  ["a fork in the way", forked(branch("AND", [known]))],
  ["a goal", { ...flowWith("Goal", []), goalFilterBranch: branch("OR", [known]) }],
  [
    "a data set",
    { ...flowWith("Data", []), enrollmentCriteria: { type: "DATASET", shouldReEnroll: false, datasetId: 7 } },
  ],
];

const REFUSED: readonly (readonly [string, Part])[] = [
  [
    "a comparison without its kind",
    startedBy(property({ operator: "IS_KNOWN", includeObjectsWithNoValueSet: false })),
  ],
  ["a comparison of a kind that does not exist", startedBy(property(compared("LIKE", { value: "Bo%" })))],
  [
    "a comparison by a number as its operator",
    startedBy(property(compared("ALL_PROPERTY", { operator: 1 }))),
  ],
  [
    "a comparison that leaves empty values open",
    startedBy(property({ operationType: "ALL_PROPERTY", operator: "IS_KNOWN" })),
  ],
  ["a comparison as a text", startedBy(property("IS_KNOWN"))],
  ["a filter without a comparison", startedBy({ filterType: "PROPERTY", property: "city" })],
  ["a filter without its property", startedBy({ filterType: "PROPERTY", operation: known["operation"] })],
  ["a filter of a kind that does not exist", startedBy({ ...known, filterType: "PROPERTIES" })],
  ["a yes or no as a text", startedBy(property(compared("BOOL", { value: "true" })))],
  ["a number as a text", startedBy(property(compared("NUMBER", { value: "12" })))],
  ["several numbers", startedBy(property(compared("NUMBER", { values: [12] })))],
  [
    "a number below another, without the other",
    startedBy(property(compared("NUMBER_RANGED", { lowerBound: 1 }))),
  ],
  [
    "half a number as a bound",
    startedBy(property(compared("NUMBER_RANGED", { lowerBound: 1.5, upperBound: 2 }))),
  ],
  ["one text of several", startedBy(property(compared("MULTISTRING", { value: "Bonn" })))],
  ["choices that are numbers", startedBy(property(compared("ENUMERATION", { values: [1] })))],
  [
    "the last days, not said how many",
    startedBy(property(compared("ROLLING_DATE_RANGE", { requiresTimeZoneConversion: true }))),
  ],
  ["half a day", startedBy(property(compared("ROLLING_PROPERTY_UPDATED", { numberOfDays: 0.5 })))],
  [
    "more days than fit",
    startedBy(property(compared("ROLLING_PROPERTY_UPDATED", { numberOfDays: 2 ** 31 }))),
  ],
  ["a month by its number", startedBy(property(compared("DATE", { year: 2027, month: 3, day: 1 })))],
  [
    "a moment as a text",
    startedBy(property(compared("DATETIME", { timestamp: "2027-03-01", requiresTimeZoneConversion: true }))),
  ],
  [
    "a month that does not exist",
    startedBy(property(compared("CALENDAR_DATE", { timeUnit: "YEAR", fiscalYearStart: "SMARCH" }))),
  ],
  ["a comparison with no other property", startedBy(property(compared("COMPARATIVE_STRING", {})))],
  [
    "a moment in no time zone",
    startedBy(
      property(compared("TIME_POINT", { type: "TIME_POINT", timePoint: { ...date, zoneId: undefined } })),
    ),
  ],
  [
    "a week without its day",
    startedBy(
      property(
        compared("TIME_POINT", {
          type: "TIME_POINT",
          timePoint: { ...week, indexReference: { referenceType: "WEEK" } },
        }),
      ),
    ),
  ],
  ["a range of time without its end", startedBy(property({ ...timeRange, upperBoundTimePoint: undefined }))],
  [
    "a form that was half filled in",
    startedBy({ filterType: "FORM_SUBMISSION", operator: "HALF_FILLED_OUT" }),
  ],
  ["a list without its number", startedBy({ filterType: "IN_LIST", operator: "IN_LIST" })],
  [
    "an email's event that does not exist",
    startedBy({ filterType: "EMAIL_EVENT", operator: "READ", appId: "1", emailId: "2", level: "EMAIL" }),
  ],
  [
    "a page, seen in some unknown way",
    startedBy({
      filterType: "PAGE_VIEW",
      operator: "HAS_PAGEVIEW_EQ",
      pageUrl: "https://example.com",
      coalescingRefineBy: { type: "OFTEN" },
    }),
  ],
  ["ads of no time", startedBy({ filterType: "ADS_TIME" })],
  [
    "an event of its own lines, of a wrong comparison",
    startedBy({ filterType: "UNIFIED_EVENTS", filterLines: [{ property: "city", operation: {} }] }),
  ],
  ["a branch of a kind that does not exist", listed(branch("XOR", [known]))],
  ["a branch without filters", listed({ ...branch("AND", []), filters: undefined })],
  ["a branch without branches", listed({ ...branch("AND", [known]), filterBranches: undefined })],
  [
    "a wrong filter in a branch of a branch",
    listed(branch("OR", [], { filterBranches: [branch("AND", [property({})])] })),
  ],
  ["companies by no association", listed(branch("ASSOCIATION", [known]))],
  ["an event without its kind", happened({ eventTypeId: undefined })],
  ["an event with a wrong filter", happened({ filters: [property(compared("BOOL", {}))] })],
  ["an event of a list's branch", listed(branch("UNIFIED_EVENTS", [known]))],
  ["a wrong filter where the way forks", forked(branch("AND", [property({})]))],
  ["a wrong filter in the goal", { ...flowWith("Goal", []), goalFilterBranch: branch("OR", [property({})]) }],
  [
    "a data set without its number",
    { ...flowWith("Data", []), enrollmentCriteria: { type: "DATASET", shouldReEnroll: false } },
  ],
];

/** As it goes over the wire: members that are undefined are not there. */
const sent = (body: unknown): unknown => JSON.parse(JSON.stringify(body));

const suite = directory === undefined ? describe.skip : describe;

suite("the simulator judges a workflow's conditions as HubSpot's OpenAPI file does", () => {
  const problemsOf = requestValidator(directory ?? "");
  const judge = (flow: Part) => {
    const body = sent(flow);
    const headers = { "content-type": "application/json" };
    const problems = problemsOf({ method: "POST", path: "/automation/v4/flows", headers, body });
    return { byFile: problems.length === 0, bySimulator: flowCreateSchema.safeParse(body).success };
  };

  test.each(TAKEN)("%s is taken", (_name, flow) => {
    expect(judge(flow)).toEqual({ byFile: true, bySimulator: true });
  });

  test.each(REFUSED)("%s is refused", (_name, flow) => {
    expect(judge(flow)).toEqual({ byFile: false, bySimulator: false });
  });
});
