import type { RecipeChoices, RecipeEnrollment, RecipeTrigger } from "#domain/ready-made/recipe.js";

const property = (type: "string" | "enumeration" | "number" | "bool", values: string[]) =>
  ({ kind: "property", name: "hs_lead_status", type, values }) as const;

/** Each way in which contacts can come into a workflow. */
export const TRIGGERS: readonly RecipeTrigger[] = [
  { kind: "form", formId: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" },
  property("string", []),
  property("string", ["one", "two"]),
  property("enumeration", ["NEW", "OPEN"]),
  property("number", ["12"]),
  property("bool", ["true"]),
  { kind: "list", listId: "31" },
  { kind: "sequence", sequenceId: "300000001" },
  { kind: "by-hand" },
];

const ENROLL: RecipeEnrollment = {
  sequenceId: "300000001",
  senderMode: "contact_owner",
  senderUserId: null,
  rotationId: null,
  presetId: null,
};

/** A recipe as an admin may have filled it in. */
export function chosen(
  recipe: RecipeChoices["recipe"],
  {
    trigger = { kind: "by-hand" },
    enroll = {},
    name = "Webinar follow-up",
  }: {
    trigger?: RecipeTrigger;
    enroll?: Partial<RecipeEnrollment>;
    name?: string;
  } = {},
): RecipeChoices {
  const common = { name, trigger, enroll: { ...ENROLL, ...enroll } };
  switch (recipe) {
    case "FORM":
    case "FILTER":
      return { recipe, ...common };
    case "NO_REPLY":
      return { recipe, ...common, days: 5, waitDays: 30 };
    case "OUTCOME":
      return { recipe, ...common, days: 14, leadStatus: { replied: "CONNECTED", finished: "UNQUALIFIED" } };
  }
}
