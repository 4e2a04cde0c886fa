import type { Filter, FilterBranch } from "./flow-filters.js";
import type { EnrollmentCriteria } from "./flow-requests.js";

type Properties = Readonly<Record<string, string | null>>;

/** Whether a record with these properties meets a workflow's filter trigger. Triggers by event or by hand never do. */
export function meetsCriteria(criteria: EnrollmentCriteria | undefined, properties: Properties): boolean {
  return criteria?.type === "LIST_BASED" && meetsBranch(criteria.listFilterBranch, properties);
}

/** The properties that a filter trigger looks at: only a change of one of them makes HubSpot look again. */
export function propertiesIn(criteria: EnrollmentCriteria | undefined): ReadonlySet<string> {
  const names = new Set<string>();
  if (criteria?.type === "LIST_BASED") collect(criteria.listFilterBranch, names);
  return names;
}

function collect({ filters, filterBranches }: FilterBranch, names: Set<string>): void {
  for (const filter of filters) if (filter.filterType === "PROPERTY") names.add(filter.property);
  for (const branch of filterBranches) collect(branch, names);
}

/** Whether a record with these properties meets a group of filters. */
export function meetsBranch(branch: FilterBranch, properties: Properties): boolean {
  const parts = [
    ...branch.filters.map((filter) => meetsFilter(filter, properties)),
    ...branch.filterBranches.map((inner) => meetsBranch(inner, properties)),
  ];
  if (parts.length === 0) return false;
  return branch.filterBranchType === "OR" ? parts.some(Boolean) : parts.every(Boolean);
}

/** Forms, lists and events are not simulated: nobody meets a filter on them. */
function meetsFilter(filter: Filter, properties: Properties): boolean {
  if (filter.filterType !== "PROPERTY") return false;
  const value = properties[filter.property] ?? "";
  const {
    operator,
    value: wanted,
    values,
    numberOfDays,
  } = filter.operation as { operator: string } & Record<string, unknown>;
  switch (operator) {
    case "IS_KNOWN":
      return value !== "";
    case "IS_UNKNOWN":
    case "IS_NOT_KNOWN":
      return value === "";
    case "IS_EQUAL_TO":
      return Array.isArray(values) ? values.map(String).includes(value) : value === String(wanted);
    case "IS_ANY_OF":
      return Array.isArray(values) && values.map(String).includes(value);
    case "IS_LESS_THAN_X_DAYS_AGO":
      return value !== "" && Date.now() - Date.parse(value) < Number(numberOfDays) * 86_400_000;
    default:
      return false;
  }
}

/** The form whose submission starts a workflow; undefined if none does. */
export function formOf(criteria: EnrollmentCriteria | undefined): string | undefined {
  if (criteria?.type !== "EVENT_BASED") return undefined;
  for (const { eventTypeId, filters } of criteria.eventFilterBranches)
    for (const filter of filters) {
      if (eventTypeId !== FORM_SUBMITTED || filter.filterType !== "PROPERTY") continue;
      const { values } = filter.operation as { values?: unknown };
      if (filter.property === "hs_form_id" && Array.isArray(values)) return String(values[0]);
    }
  return undefined;
}

/** HubSpot's event of a submitted form. */
const FORM_SUBMITTED = "4-1639801";
