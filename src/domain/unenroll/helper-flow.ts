import { z } from "zod";
import { PLAIN_CONTACT_FLOW } from "#platform/hubspot/wire/plain-flow.js";
import type { SetupProblem } from "./setup.js";

/** The property of a contact that starts the helper workflow: when it was asked for, or nothing. */
export const STAMP_PROPERTY = "sequence_enroller_unenroll_requested_at";

/** As HubSpot's users see the property, if they look for it: lists of properties leave hidden ones out. */
export const STAMP_PROPERTY_DEFINITION = {
  name: STAMP_PROPERTY,
  label: "Sequence Enroller: unenroll requested at",
  description:
    "Set by the app Sequence Enroller while it takes a contact out of its sequence, and emptied again. Do not edit.",
  groupName: "contactinformation",
  type: "datetime",
  fieldType: "date",
  hidden: true,
  formField: false,
} as const;

export const HELPER_NAME = "Sequence Enroller: take contacts out of their sequence";

/** HubSpot's own step that ends a contact's enrollment (docs/hubspot.md §10). */
const UNENROLL_STEP = "0-4702372";

const STEPS = [
  { type: "SINGLE_CONNECTION", actionId: "1", actionTypeId: UNENROLL_STEP, actionTypeVersion: 0, fields: {} },
] as const;

const STAMP_IS_KNOWN = {
  filterType: "PROPERTY",
  property: STAMP_PROPERTY,
  operation: { operationType: "ALL_PROPERTY", operator: "IS_KNOWN", includeObjectsWithNoValueSet: false },
} as const;

/**
 * Contacts enter each time the property gets a value, and leave when it is emptied: a run that comes late must not end
 * the next enrollment.
 */
const TRIGGER = {
  type: "LIST_BASED",
  shouldReEnroll: true,
  unEnrollObjectsNotMeetingCriteria: true,
  reEnrollmentTriggersFilterBranches: [],
  listFilterBranch: {
    filterBranchType: "OR",
    filterBranchOperator: "OR",
    filters: [],
    filterBranches: [
      {
        filterBranchType: "AND",
        filterBranchOperator: "AND",
        filterBranches: [],
        filters: [STAMP_IS_KNOWN],
      },
    ],
  },
} as const;

/** The helper workflow as it is made, in the form of the flows API. The page shows the same before it is made. */
export const HELPER_FLOW = {
  ...PLAIN_CONTACT_FLOW,
  name: HELPER_NAME,
  description:
    "Made by the app Sequence Enroller. It ends the sequence of each contact whose property “Sequence Enroller: unenroll requested at” is set. If you change it or turn it off, the app stops using it and says so on its settings pages.",
  isEnabled: true,
  startActionId: "1",
  actions: STEPS,
  enrollmentCriteria: TRIGGER,
} as const;

const trigger = z.object({
  type: z.literal("LIST_BASED"),
  shouldReEnroll: z.literal(true),
  unEnrollObjectsNotMeetingCriteria: z.literal(true),
  listFilterBranch: z.unknown(),
});
const stampIsKnown = z.object({
  filterType: z.literal("PROPERTY"),
  property: z.literal(STAMP_PROPERTY),
  operation: z.object({ operator: z.literal("IS_KNOWN") }),
});

/** A workflow as HubSpot shows it; only what decides whether it is the helper. */
export interface SeenFlow {
  readonly id: string;
  readonly revisionId: string;
  readonly isEnabled: boolean;
  readonly startActionId?: string | undefined;
  readonly actions: readonly Readonly<Record<string, unknown>>[];
  readonly enrollmentCriteria: unknown;
  readonly timeWindows?: readonly unknown[] | undefined;
  readonly blockedDates?: readonly unknown[] | undefined;
  readonly suppressionListIds?: readonly unknown[] | undefined;
}

/** All filters of a trigger, however HubSpot nests them. */
function filtersIn(branch: unknown): unknown[] {
  if (typeof branch !== "object" || branch === null) return [];
  const { filters, filterBranches } = branch as { filters?: unknown; filterBranches?: unknown };
  const inner = Array.isArray(filterBranches) ? filterBranches.flatMap(filtersIn) : [];
  return [...(Array.isArray(filters) ? (filters as unknown[]) : []), ...inner];
}

/** HubSpot may write a trigger in another form than it was given in: what counts is whom it takes in. */
function isOurTrigger(criteria: unknown): boolean {
  const { success, data } = trigger.safeParse(criteria);
  if (!success) return false;
  const filters = filtersIn(data.listFilterBranch);
  return filters.length === 1 && stampIsKnown.safeParse(filters[0]).success;
}

const isEmpty = (list: readonly unknown[] | undefined): boolean => list === undefined || list.length === 0;

function doesWhatWeMade(flow: SeenFlow): boolean {
  const [step] = flow.actions;
  return (
    flow.actions.length === 1 &&
    step?.["type"] === "SINGLE_CONNECTION" &&
    step["actionTypeId"] === UNENROLL_STEP &&
    flow.startActionId === step["actionId"] &&
    isOurTrigger(flow.enrollmentCriteria) &&
    isEmpty(flow.timeWindows) &&
    isEmpty(flow.blockedDates) &&
    isEmpty(flow.suppressionListIds)
  );
}

/**
 * What keeps the helper workflow from being used; undefined if nothing does. Its name and description are a person's to
 * change.
 *
 * @param flow undefined: HubSpot has no such workflow.
 */
export function problemOfHelper(flow: SeenFlow | undefined): SetupProblem | undefined {
  if (flow === undefined) return "DELETED";
  if (!doesWhatWeMade(flow)) return "CHANGED";
  return flow.isEnabled ? undefined : "DISABLED";
}
