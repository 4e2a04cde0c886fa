import type { Plan, PlanBranch, PlanStep } from "#domain/ready-made/plan.js";
import type { RecipeEnrollment, RecipeTrigger } from "#domain/ready-made/recipe.js";
import { unnamed } from "#domain/directory/people.js";
import { numbered } from "../words/format.js";

/** Names of what a plan names by id. */
export interface PlanNames {
  readonly sequences: ReadonlyMap<string, string>;
  readonly people: ReadonlyMap<string, string>;
  readonly rotations: ReadonlyMap<string, string>;
  readonly presets: ReadonlyMap<string, string>;
  /** Labels of contact properties; empty where HubSpot did not list them. */
  readonly properties: ReadonlyMap<string, string>;
  /** Our contact property puts contacts in as well. */
  readonly isStamped: boolean;
}

/** HubSpot's values of the lead status as its users see them. */
export const leadStatusLabel = (value: string): string => {
  const text = value.toLowerCase().replaceAll("_", " ");
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
};

const sequenceName = (id: string, { sequences }: PlanNames) => `“${sequences.get(id) ?? id}”`;

/** How contacts come in, as a sentence without its period. */
export function triggerInWords(trigger: RecipeTrigger, names: PlanNames): string {
  return `${ownTrigger(trigger, names)}${names.isStamped ? ", or Sequence Enroller adds it" : ""}`;
}

function ownTrigger(trigger: RecipeTrigger, names: PlanNames): string {
  switch (trigger.kind) {
    case "form":
      return `A contact submits the form ${trigger.formId}`;
    case "property": {
      const { name, values } = trigger;
      const property = `“${names.properties.get(name) ?? name}”`;
      if (values.length === 0) return `The property ${property} of a contact gets a value`;
      return `The property ${property} of a contact becomes ${values.map((value) => `“${value}”`).join(" or ")}`;
    }
    case "list":
      return `A contact joins the list ${trigger.listId}`;
    case "sequence":
      return `A contact is enrolled in the sequence ${sequenceName(trigger.sequenceId, names)}`;
    case "by-hand":
      return "A user adds a contact";
  }
}

/** What a step is called, and what it says. */
export interface StepWords {
  readonly title: string;
  readonly text: string;
}

export function stepInWords(step: Exclude<PlanStep, PlanBranch>, names: PlanNames): StepWords {
  switch (step.kind) {
    case "enroll":
      return { title: "Enroll in sequence", text: enrollmentInWords(step.enroll, names) };
    case "delay":
      return { title: "Delay", text: numbered(step.days, "day") };
    case "wait":
      return {
        title: "Wait for sequence end",
        text: `Until the sequence ends, up to ${numbered(step.maxDays, "day")}`,
      };
    case "unless-replied":
      return {
        title: "Still no reply?",
        text: `Contacts who replied in the last ${numbered(step.days, "day")} leave here`,
      };
    case "set-property":
      return { title: "Set a property", text: `Lead status: ${leadStatusLabel(step.value)}` };
  }
}

function enrollmentInWords(enroll: RecipeEnrollment, names: PlanNames): string {
  const preset =
    enroll.presetId === null ? "" : `, preset “${names.presets.get(enroll.presetId) ?? enroll.presetId}”`;
  return `${sequenceName(enroll.sequenceId, names)}, sent by ${senderInWords(enroll, names)}${preset}`;
}

function senderInWords({ senderMode, senderUserId, rotationId }: RecipeEnrollment, names: PlanNames): string {
  switch (senderMode) {
    case "contact_owner":
      return "the contact's owner";
    case "specific_user":
      return names.people.get(senderUserId ?? "") ?? unnamed(senderUserId ?? "");
    case "rotation":
      return `the rotation “${names.rotations.get(rotationId ?? "") ?? rotationId}”`;
    case "portal_default":
      return "the preset's sender";
  }
}

export const WAYS: Readonly<Record<PlanBranch["ways"][number]["outcome"], string>> = {
  REPLIED: "Replied",
  FINISHED: "Ended without a reply",
};

/** The whole plan as sentences, in the order of its steps. */
export function planInWords({ trigger, steps }: Plan, names: PlanNames): string[] {
  return [`${triggerInWords(trigger, names)}.`, ...sentences(steps, names)];
}

function sentences(steps: readonly PlanStep[], names: PlanNames, way = ""): string[] {
  return steps.flatMap((step) => {
    if (step.kind !== "branch") {
      const { title, text } = stepInWords(step, names);
      return [`${way}${title}: ${text}.`];
    }
    const ways = step.ways.flatMap(({ outcome, steps: inner }) =>
      inner.length === 0
        ? [`${WAYS[outcome]}: the contact leaves the workflow.`]
        : sentences(inner, names, `${WAYS[outcome]}: `),
    );
    return [...ways, `${step.others}: the contact leaves the workflow.`];
  });
}
