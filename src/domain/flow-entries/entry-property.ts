import { z } from "zod";

/** The property of a contact that puts it in a workflow whose trigger names the value; empty otherwise. */
export const ENTRY_PROPERTY = "sequence_enroller_put_in_workflow";

/** As HubSpot's users see it, where they build a trigger: so it is not hidden. */
export const ENTRY_PROPERTY_DEFINITION = {
  name: ENTRY_PROPERTY,
  label: "Sequence Enroller: put in workflow",
  description:
    "Set by the app Sequence Enroller for a few minutes when a contact is put in a workflow that is triggered by this value, and emptied again.",
  groupName: "contactinformation",
  type: "string",
  fieldType: "text",
  formField: false,
} as const;

const byStamp = z.object({
  filterType: z.literal("PROPERTY"),
  property: z.literal(ENTRY_PROPERTY),
  operation: z.union([
    z.object({ operator: z.enum(["IS_EQUAL_TO", "IS_ANY_OF"]), values: z.array(z.string().min(1)).min(1) }),
    z.object({ operator: z.literal("IS_EQUAL_TO"), value: z.string().min(1) }),
  ]),
});
const filterTrigger = z.object({
  type: z.literal("LIST_BASED"),
  unEnrollObjectsNotMeetingCriteria: z.literal(false),
  listFilterBranch: z.object({
    filterBranchType: z.literal("OR"),
    filterBranches: z.array(
      z.object({
        filterBranchType: z.literal("AND"),
        filters: z.array(z.unknown()),
        filterBranches: z.array(z.unknown()),
      }),
    ),
  }),
});

/**
 * The value of our property that puts a contact in a workflow with this trigger, whoever made it; undefined if none does.
 * It counts only where the value alone is enough, and where emptying it does not take the contact out again.
 */
export function stampOfTrigger(enrollmentCriteria: unknown): string | undefined {
  const trigger = filterTrigger.safeParse(enrollmentCriteria);
  if (!trigger.success) return undefined;
  for (const { filters, filterBranches } of trigger.data.listFilterBranch.filterBranches) {
    if (filters.length !== 1 || filterBranches.length > 0) continue;
    const { data } = byStamp.safeParse(filters[0]);
    if (data !== undefined)
      return "value" in data.operation ? data.operation.value : data.operation.values[0];
  }
  return undefined;
}
