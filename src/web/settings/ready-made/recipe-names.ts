import type { Recipe } from "#domain/ready-made/recipe.js";
import { WORKFLOWS_PATH } from "../words/paths.js";

export const RECIPES_PATH = `${WORKFLOWS_PATH}/new`;

interface RecipeWords {
  /** The last part of its page's address. */
  readonly slug: string;
  readonly title: string;
  readonly lead: string;
}

export const RECIPE_WORDS: Readonly<Record<Recipe, RecipeWords>> = {
  FORM: {
    slug: "form",
    title: "Form submitted, then enroll",
    lead: "Whoever submits a form is enrolled in a sequence.",
  },
  FILTER: {
    slug: "filter",
    title: "Filter met, then enroll",
    lead: "Whoever gets a value in a property, or joins a list, is enrolled; a rotation shares the contacts among your senders.",
  },
  NO_REPLY: {
    slug: "no-reply",
    title: "No reply, then the next sequence",
    lead: "Whoever has gone through one sequence without a reply goes on to the next one some days later.",
  },
  OUTCOME: {
    slug: "outcome",
    title: "Enroll, wait, then branch",
    lead: "Enrolls, waits until the sequence has ended, and sends each contact its own way: replied, or not.",
  },
};

export const recipePath = (recipe: Recipe): string => `${RECIPES_PATH}/${RECIPE_WORDS[recipe].slug}`;
