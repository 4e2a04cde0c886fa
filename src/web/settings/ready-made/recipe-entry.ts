import { createHash, randomUUID } from "node:crypto";
import type { NamedSequence } from "#domain/directory/people.js";
import type { StoredPreset } from "#domain/policy/preset-store.js";
import type { Recipe, RecipeChoices } from "#domain/ready-made/recipe.js";
import type { ContactProperty } from "#platform/hubspot/gateway.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Nameable } from "../words/names.js";
import { RECIPE_WORDS } from "./recipe-names.js";

/** A recipe's form as texts. */
const FIELDS = [
  "name",
  "trigger",
  "form",
  "property",
  "values",
  "list",
  "first_sequence",
  "sequence_id",
  "sender_mode",
  "sender_user_id",
  "rotation_id",
  "preset_id",
  "days",
  "replied_status",
  "finished_status",
  "stamped",
  "key",
] as const;
export type RecipeEntry = Record<(typeof FIELDS)[number], string>;

/** What can be chosen. */
export interface RecipeOptions {
  readonly sequences: readonly NamedSequence[];
  readonly presets: readonly Pick<StoredPreset, "presetId" | "name">[];
  readonly nameable: Nameable;
  /** Undefined: HubSpot did not list them, so names are typed, and not checked. */
  readonly properties: readonly ContactProperty[] | undefined;
  /** Days that a step can hold a contact, as the account's settings say. */
  readonly longestHoldDays: number;
  /** Whether the account lets the app write the property that puts contacts in. */
  readonly mayStamp: boolean;
}

/** Each way into the workflow of a recipe, the usual one first. */
export const TRIGGERS_OF: Readonly<Record<Recipe, readonly RecipeChoices["trigger"]["kind"][]>> = {
  FORM: ["form"],
  FILTER: ["property", "list"],
  NO_REPLY: ["sequence"],
  OUTCOME: ["by-hand", "form", "property", "list"],
};

/** The form as it is opened. */
export function emptyEntry(recipe: Recipe): RecipeEntry {
  const nothing = Object.fromEntries(FIELDS.map((field) => [field, ""])) as RecipeEntry;
  return {
    ...nothing,
    name: RECIPE_WORDS[recipe].title,
    trigger: TRIGGERS_OF[recipe][0] ?? "",
    sender_mode: recipe === "FILTER" ? "rotation" : "contact_owner",
    days: recipe === "NO_REPLY" ? "5" : "14",
    stamped: "yes",
    key: randomUUID(),
  };
}

export function readRecipeEntry(form: FormFields): RecipeEntry {
  return Object.fromEntries(FIELDS.map((field) => [field, form.text(field)])) as RecipeEntry;
}

/** Names the form as it was filled in: sent twice it is one, and with other choices another. */
export function requestKeyOf({ key, ...entry }: RecipeEntry): string {
  return createHash("sha256")
    .update(JSON.stringify([key, entry]))
    .digest("hex")
    .slice(0, 24);
}
