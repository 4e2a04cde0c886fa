import { z } from "zod";
import { SENDER_MODES } from "#domain/contract/actions/enroll-contract.js";

/**
 * Workflows that admins can have made:
 * - `FORM`: whoever submits a form is enrolled
 * - `FILTER`: whoever meets a filter is enrolled, usually by a rotation
 * - `NO_REPLY`: whoever did not reply to one sequence continues to the next
 * - `OUTCOME`: enrolled, waited for, and then told apart by how the sequence ended
 */
export const RECIPES = ["FORM", "FILTER", "NO_REPLY", "OUTCOME"] as const;
export type Recipe = (typeof RECIPES)[number];

const id = z.string().regex(/^\d{1,18}$/);
/** HubSpot's form ids are GUIDs. */
const formId = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const propertyName = z.string().regex(/^[a-z][a-z0-9_]{0,99}$/);
const propertyValue = z.string().min(1).max(200);

/** What HubSpot compares a property's values as. */
export const PROPERTY_TYPES = ["string", "enumeration", "number", "bool"] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

/** How contacts come into a workflow. */
export const triggerSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("form"), formId }),
  z.strictObject({
    kind: z.literal("property"),
    name: propertyName,
    type: z.enum(PROPERTY_TYPES),
    /** None: any value. */
    values: z.array(propertyValue).max(100),
  }),
  z.strictObject({ kind: z.literal("list"), listId: id }),
  /** Their latest sequence is this one. */
  z.strictObject({ kind: z.literal("sequence"), sequenceId: id }),
  /** Only who is put in by a person, or by the app. */
  z.strictObject({ kind: z.literal("by-hand") }),
]);
export type RecipeTrigger = z.output<typeof triggerSchema>;

/** What an enroll step says. */
export const enrollSchema = z
  .strictObject({
    sequenceId: id,
    senderMode: z.enum(SENDER_MODES),
    /** Of `specific_user`. */
    senderUserId: id.nullable(),
    /** Of `rotation`. */
    rotationId: id.nullable(),
    /** Null: the account's default preset. */
    presetId: id.nullable(),
  })
  .refine(({ senderMode, senderUserId }) => (senderMode === "specific_user") === (senderUserId !== null))
  .refine(({ senderMode, rotationId }) => (senderMode === "rotation") === (rotationId !== null));
export type RecipeEnrollment = z.output<typeof enrollSchema>;

/** HubSpot's values of `hs_lead_status`, which a workflow can set. */
export const LEAD_STATUSES = [
  "NEW",
  "OPEN",
  "IN_PROGRESS",
  "OPEN_DEAL",
  "UNQUALIFIED",
  "ATTEMPTED_TO_CONTACT",
  "CONNECTED",
  "BAD_TIMING",
] as const;
const leadStatus = z.enum(LEAD_STATUSES).nullable();

const named = { name: z.string().trim().min(1).max(200), trigger: triggerSchema, enroll: enrollSchema };
const days = z.int().min(1).max(90);

/** A recipe with what an admin chose. */
export const choicesSchema = z.discriminatedUnion("recipe", [
  z.strictObject({ recipe: z.literal("FORM"), ...named }),
  z.strictObject({ recipe: z.literal("FILTER"), ...named }),
  /** `days`: since the first sequence ended; `waitDays`: how long its end is waited for. */
  z.strictObject({ recipe: z.literal("NO_REPLY"), ...named, days, waitDays: days }),
  z.strictObject({
    recipe: z.literal("OUTCOME"),
    ...named,
    /** How long the end of the sequence is waited for. */
    days,
    /** What happens to the lead status; null: it stays. */
    leadStatus: z.strictObject({ replied: leadStatus, finished: leadStatus }),
  }),
]);
export type RecipeChoices = z.output<typeof choicesSchema>;
