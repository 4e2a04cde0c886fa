import { SENDER_MODES } from "#domain/contract/actions/enroll-contract.js";
import {
  choicesSchema,
  LEAD_STATUSES,
  PROPERTY_TYPES,
  type PropertyType,
  type Recipe,
  type RecipeChoices,
} from "#domain/ready-made/recipe.js";
import type { ContactProperty } from "#platform/hubspot/gateway.js";
import type { Problems } from "../frame/problems.js";
import { TRIGGERS_OF, type RecipeEntry, type RecipeOptions } from "./recipe-entry.js";

/** What was typed as choices, or what is wrong with it by field. Only what this account has can be chosen. */
export function parseRecipeEntry(
  recipe: Recipe,
  entry: RecipeEntry,
  options: RecipeOptions,
): { choices: RecipeChoices } | { problems: Problems } {
  const problems: Record<string, string> = {
    ...generalProblems(recipe, entry),
    ...triggerProblems(recipe, entry, options),
    ...enrollProblems(entry, options),
    ...(recipe === "NO_REPLY" && entry.first_sequence !== "" && entry.first_sequence === entry.sequence_id
      ? { sequence_id: "Choose another sequence than the first one." }
      : {}),
    ...daysProblems(recipe, entry, options),
  };
  if (Object.keys(problems).length > 0) return { problems };
  const { replied_status, finished_status } = entry;
  const parsed = choicesSchema.safeParse({
    recipe,
    name: entry.name,
    trigger: triggerOf(entry, options),
    enroll: {
      sequenceId: entry.sequence_id,
      senderMode: entry.sender_mode,
      senderUserId: entry.sender_mode === "specific_user" ? entry.sender_user_id : null,
      rotationId: entry.sender_mode === "rotation" ? entry.rotation_id : null,
      presetId: entry.preset_id || null,
    },
    ...(recipe === "NO_REPLY" || recipe === "OUTCOME" ? { days: Number(entry.days) } : {}),
    ...(recipe === "NO_REPLY" ? { waitDays: Math.min(LONGEST_WAIT_DAYS, options.longestHoldDays) } : {}),
    ...(recipe === "OUTCOME"
      ? { leadStatus: { replied: replied_status || null, finished: finished_status || null } }
      : {}),
  });
  return parsed.success
    ? { choices: parsed.data }
    : { problems: { name: "Something in this form is not one of its choices. Load the page again." } };
}

/** As the recipe allows. */
const LONGEST_WAIT_DAYS = 90;
const LONGEST_NAME = 200;

function generalProblems(recipe: Recipe, { name, replied_status, finished_status }: RecipeEntry) {
  const isStatus = (value: string) => value === "" || LEAD_STATUSES.some((status) => status === value);
  return {
    ...(name === "" ? { name: "Give the workflow a name." } : {}),
    ...(name.length > LONGEST_NAME ? { name: `Use ${LONGEST_NAME} characters at most for the name.` } : {}),
    ...(recipe === "OUTCOME" && !isStatus(replied_status)
      ? { replied_status: "Choose one of the list." }
      : {}),
    ...(recipe === "OUTCOME" && !isStatus(finished_status)
      ? { finished_status: "Choose one of the list." }
      : {}),
  };
}

/** A form's id is a GUID; whoever pastes the address of its page has it in there. */
const FORM_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;
const LIST_ID = /(?:^|\/)(\d{1,18})(?:\/?$|\/(?:filters|contacts|details))/;

function triggerProblems(recipe: Recipe, entry: RecipeEntry, options: RecipeOptions): Problems {
  const { trigger, form, property, values, list, first_sequence } = entry;
  if (!TRIGGERS_OF[recipe].some((kind) => kind === trigger))
    return { trigger: "Choose how contacts come into the workflow." };
  switch (trigger) {
    case "form":
      return FORM_ID.test(form)
        ? {}
        : { form: "Enter the form's id, or the address of its page in HubSpot, which contains the id." };
    case "property":
      return propertyProblems(property, values, options);
    case "list":
      return LIST_ID.test(list)
        ? {}
        : { list: "Enter the list's id, a number, or the address of its page in HubSpot." };
    case "sequence":
      return options.sequences.some(({ sequenceId }) => sequenceId === first_sequence)
        ? {}
        : { first_sequence: "Choose the sequence that contacts go through first." };
    default:
      return {};
  }
}

function propertyProblems(name: string, values: string, { properties }: RecipeOptions): Problems {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(name))
    return { property: "Enter the property's internal name, such as hs_lead_status." };
  const found = properties?.find((property) => property.name === name);
  if (properties !== undefined && found === undefined)
    return { property: `This account has no contact property with the internal name ${name}.` };
  const lines = linesOf(values);
  if (lines.length > 100 || lines.some((line) => line.length > 200))
    return { values: "Enter 100 values at most, of 200 characters at most." };
  const type = typeOf(found);
  if (type === undefined && lines.length > 0)
    return { values: "A property of this type can only be asked whether it has a value. Leave this empty." };
  if (type === "number" && lines.some((line) => !/^-?\d{1,15}(?:\.\d{1,9})?$/.test(line)))
    return { values: "This property is a number. Enter a number." };
  if (type === "bool" && lines.some((line) => line !== "true" && line !== "false"))
    return { values: "This property is yes or no. Enter true or false." };
  if ((type === "number" || type === "bool") && lines.length > 1)
    return { values: "A property of this type is compared with one value. Enter one." };
  return {};
}

const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  ),
];

/** One that HubSpot did not list is taken as text; undefined: a type whose values we cannot write. */
function typeOf(property: ContactProperty | undefined): PropertyType | undefined {
  return property === undefined ? "string" : PROPERTY_TYPES.find((type) => type === property.type);
}

function triggerOf(entry: RecipeEntry, { properties }: RecipeOptions): unknown {
  const kind = entry.trigger;
  switch (kind) {
    case "form":
      return { kind, formId: FORM_ID.exec(entry.form)?.[0] };
    case "property": {
      const found = properties?.find(({ name }) => name === entry.property);
      return { kind, name: entry.property, type: typeOf(found) ?? "string", values: linesOf(entry.values) };
    }
    case "list":
      return { kind, listId: LIST_ID.exec(entry.list)?.[1] };
    case "sequence":
      return { kind, sequenceId: entry.first_sequence };
    default:
      return { kind };
  }
}

function enrollProblems(entry: RecipeEntry, { sequences, presets, nameable }: RecipeOptions): Problems {
  const { sequence_id, sender_mode, sender_user_id, rotation_id, preset_id } = entry;
  const isNamed = (all: readonly { toString(): string }[], id: string) =>
    all.some((one) => one.toString() === id);
  return {
    ...(isNamed(
      sequences.map(({ sequenceId }) => sequenceId),
      sequence_id,
    )
      ? {}
      : { sequence_id: "Choose the sequence to enroll in." }),
    ...(isNamed(SENDER_MODES, sender_mode) ? {} : { sender_mode: "Choose who is to send." }),
    ...(sender_mode !== "specific_user" || nameable.names.people.has(sender_user_id)
      ? {}
      : { sender_user_id: "Choose the user to send as." }),
    ...(sender_mode !== "rotation" || nameable.names.rotations.has(rotation_id)
      ? {}
      : { rotation_id: "Choose a rotation." }),
    ...(preset_id === "" ||
    isNamed(
      presets.map(({ presetId }) => presetId),
      preset_id,
    )
      ? {}
      : { preset_id: "Choose a preset from the list." }),
  };
}

function daysProblems(recipe: Recipe, { days }: RecipeEntry, { longestHoldDays }: RecipeOptions): Problems {
  if (recipe !== "NO_REPLY" && recipe !== "OUTCOME") return {};
  const most = recipe === "OUTCOME" ? Math.min(LONGEST_WAIT_DAYS, longestHoldDays) : LONGEST_WAIT_DAYS;
  const isDays = /^\d{1,2}$/.test(days) && Number(days) >= 1 && Number(days) <= most;
  return isDays ? {} : { days: `Enter a whole number of days from 1 to ${most}.` };
}
