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
    title: "Enroll after a form submission",
    lead: "Contacts who submit a form are enrolled in a sequence.",
  },
  FILTER: {
    slug: "filter",
    title: "Enroll when a filter is met",
    lead: "Contacts who get a property value or join a list are enrolled; a rotation shares them among your senders.",
  },
  NO_REPLY: {
    slug: "no-reply",
    title: "Follow up when there's no reply",
    lead: "Contacts who finish one sequence without replying start the next one some days later.",
  },
  OUTCOME: {
    slug: "outcome",
    title: "Enroll, wait, then branch",
    lead: "Enrolls contacts, waits until the sequence ends, then branches by whether they replied.",
  },
};

export const recipePath = (recipe: Recipe): string => `${RECIPES_PATH}/${RECIPE_WORDS[recipe].slug}`;
