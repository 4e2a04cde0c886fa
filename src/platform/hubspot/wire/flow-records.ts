import { z } from "zod";
import { cutText } from "#platform/text/storable-text.js";
import { readHubSpotDate } from "./hubspot-date.js";

/** Flow ids go into addresses of HubSpot's editor, and are compared with those of calls: digits only. */
const flowId = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,20}$/));
const token = z.union([z.string().max(100), z.number()]).transform(String);
/** In characters: what a person wrote, or chose in a step. */
const LONGEST_TEXT = 1_000;
const LONGEST_VALUE = 200;

/** One workflow in HubSpot's list. */
export const listedFlow = z.object({
  id: flowId,
  name: z
    .string()
    .nullish()
    .catch(null)
    .transform((name) => (name == null || name.trim() === "" ? null : cutText(name, LONGEST_TEXT))),
  isEnabled: z.boolean(),
  revisionId: token,
  updatedAt: z
    .unknown()
    .optional()
    .transform((value) => readHubSpotDate(value)),
});
export type ListedFlow = z.output<typeof listedFlow>;

/** A field of a step: what was chosen, or only that each contact has its own value. */
export type FlowField = { readonly kind: "value"; readonly value: string } | { readonly kind: "varies" };

const plain = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value): FlowField => ({ kind: "value", value: cutText(String(value), LONGEST_VALUE) }));
/** HubSpot writes a field as its value, or as an object that says where the value comes from. */
const field = z.union([
  plain,
  z
    .looseObject({ type: z.literal("STATIC_VALUE"), staticValue: plain })
    .transform((given) => given.staticValue),
  z.looseObject({ type: z.string() }).transform((): FlowField => ({ kind: "varies" })),
]);

/** A step that does something. Branches and delays between steps have other forms, and are left out. */
export const flowAction = z.object({
  actionId: token,
  actionTypeId: z.string().regex(/^\d{1,10}-\d{1,20}$/),
  fields: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((given) => readFields(given ?? {})),
});
export type FlowAction = z.output<typeof flowAction>;

/** A workflow with its steps, of which each is read by itself. */
export const wholeFlow = z.object({ id: flowId, revisionId: token, actions: z.array(z.unknown()) });

/** A workflow as we read it. */
export interface Flow {
  readonly id: string;
  readonly revisionId: string;
  readonly actions: readonly FlowAction[];
  /** Steps of a kind that we may know, in a form that we do not. */
  readonly oddActions: number;
}

/** HubSpot's old number of a workflow, which some of its parts still call it by. */
export const workflowIdMapping = z.object({ flowId, workflowId: flowId });

function readFields(given: Readonly<Record<string, unknown>>): ReadonlyMap<string, FlowField> {
  const read = new Map<string, FlowField>();
  for (const [name, value] of Object.entries(given)) {
    const parsed = field.safeParse(value);
    if (parsed.success) read.set(name, parsed.data);
  }
  return read;
}
