import { describe, expect, test } from "@jest/globals";
import { planOf } from "#domain/ready-made/plan.js";
import { toFlow } from "#domain/ready-made/plan-flow.js";
import type { RecipeChoices, RecipeTrigger } from "#domain/ready-made/recipe.js";
import { flowCreateSchema } from "../../src/simulator/flows/flow-requests.js";
import { requestValidator, specDirectory } from "../support/openapi.js";
import { TRIGGERS, chosen } from "../support/recipes.js";

const directory = specDirectory();
if (directory === undefined)
  console.warn("Skipped: HubSpot's OpenAPI files are not here; set HUBSPOT_SPEC_DIR to check our workflows.");

const ACTIONS = {
  ENROLL: { typeId: "1-170012345", version: 4 },
  WAIT_FOR_SEQUENCE_END: { typeId: "1-170012347", version: 2 },
};
const labels = { name: "Webinar", description: "Made by us [sequence-enroller k]", stamp: "k" };

const JSON_TYPE = { "content-type": "application/json" };

const recipes = (["FORM", "FILTER", "NO_REPLY", "OUTCOME"] as const).flatMap((recipe) =>
  TRIGGERS.map((trigger): [string, RecipeChoices] => [
    `${recipe} by ${nameOf(trigger)}`,
    chosen(recipe, { trigger }),
  ]),
);

function nameOf(trigger: RecipeTrigger): string {
  return trigger.kind === "property" ? `a property of type ${trigger.type}` : trigger.kind;
}

const suite = directory === undefined ? describe.skip : describe;

suite("every ready-made workflow keeps HubSpot's published contract", () => {
  const problemsOf = requestValidator(directory ?? "");

  test.each(recipes)("%s", (_name, choices) => {
    const body = toFlow(planOf(choices), ACTIONS, labels);
    expect(problemsOf({ method: "POST", path: "/automation/v4/flows", headers: JSON_TYPE, body })).toEqual(
      [],
    );
    expect(flowCreateSchema.safeParse(body).error).toBeUndefined();
  });
});
