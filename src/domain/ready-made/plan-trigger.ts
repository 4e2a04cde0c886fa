import { ENTRY_PROPERTY } from "#domain/flow-entries/entry-property.js";
import type { RecipeTrigger } from "./recipe.js";

type Part = Readonly<Record<string, unknown>>;

/** HubSpot's event of a submitted form (docs/hubspot.md §10). */
const FORM_SUBMITTED = "4-1639801";

/**
 * Whether a value of our contact property can put contacts in as well: not beside an event, nor where the first step waits
 * for the end of a sequence that such a contact is not in.
 */
export function takesStamps(kind: RecipeTrigger["kind"]): boolean {
  return kind !== "form" && kind !== "sequence";
}

/**
 * A trigger as the flows API takes it.
 *
 * @param stamp the value of our contact property that puts contacts in as well; null: none does. Emptying the property
 *   again must not take contacts out, so nobody leaves by no longer meeting the filter.
 */
export function triggerOf(trigger: RecipeTrigger, stamp: string | null): Part {
  if (trigger.kind === "form") return formSubmitted(trigger.formId);
  const filters = [
    ...filtersOf(trigger),
    ...(stamp === null ? [] : [isAnyOf(ENTRY_PROPERTY, "string", [stamp])]),
  ];
  if (filters.length === 0) return { type: "MANUAL", shouldReEnroll: true };
  return {
    type: "LIST_BASED",
    shouldReEnroll: true,
    unEnrollObjectsNotMeetingCriteria: false,
    reEnrollmentTriggersFilterBranches: [],
    listFilterBranch: {
      filterBranchType: "OR",
      filterBranchOperator: "OR",
      filters: [],
      filterBranches: filters.map(alone),
    },
  };
}

/** One filter as a group of its own: of several groups a contact has to meet one. */
function alone(filter: Part): Part {
  return { filterBranchType: "AND", filterBranchOperator: "AND", filterBranches: [], filters: [filter] };
}

function formSubmitted(formId: string): Part {
  return {
    type: "EVENT_BASED",
    shouldReEnroll: true,
    eventFilterBranches: [
      {
        filterBranchType: "UNIFIED_EVENTS",
        filterBranchOperator: "AND",
        eventTypeId: FORM_SUBMITTED,
        operator: "HAS_COMPLETED",
        filterBranches: [],
        filters: [isAnyOf("hs_form_id", "enumeration", [formId])],
      },
    ],
    listMembershipFilterBranches: [],
  };
}

function filtersOf(trigger: Exclude<RecipeTrigger, { kind: "form" }>): Part[] {
  switch (trigger.kind) {
    case "property": {
      const { name, type, values } = trigger;
      return [values.length === 0 ? isKnown(name) : isAnyOf(name, type, values)];
    }
    case "list":
      return [{ filterType: "IN_LIST", listId: trigger.listId, operator: "IN_LIST" }];
    case "sequence":
      return [isAnyOf("hs_latest_sequence_enrolled", "number", [trigger.sequenceId])];
    case "by-hand":
      return [];
  }
}

const withProperty = (property: string, operation: Part): Part => ({
  filterType: "PROPERTY",
  property,
  operation: { ...operation, includeObjectsWithNoValueSet: false },
});

const isKnown = (property: string): Part =>
  withProperty(property, { operationType: "ALL_PROPERTY", operator: "IS_KNOWN" });

/** Numbers and yes-or-no properties are compared with the first value alone. */
function isAnyOf(
  property: string,
  type: Extract<RecipeTrigger, { kind: "property" }>["type"],
  values: readonly string[],
): Part {
  const [first = ""] = values;
  switch (type) {
    case "number":
      return withProperty(property, {
        operationType: "NUMBER",
        operator: "IS_EQUAL_TO",
        value: Number(first),
      });
    case "bool":
      return withProperty(property, {
        operationType: "BOOL",
        operator: "IS_EQUAL_TO",
        value: first === "true",
      });
    case "enumeration":
      return withProperty(property, { operationType: "ENUMERATION", operator: "IS_ANY_OF", values });
    case "string":
      return withProperty(property, { operationType: "MULTISTRING", operator: "IS_EQUAL_TO", values });
  }
}
