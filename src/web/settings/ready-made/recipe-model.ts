import type { ExecutionKind } from "#domain/contract/execution.js";
import type { Recipe, RecipeChoices } from "#domain/ready-made/recipe.js";
import type { Problems } from "../frame/problems.js";
import type { Frame } from "../frame/shell.js";
import type { PlanNames } from "./plan-words.js";
import type { RecipeEntry, RecipeOptions } from "./recipe-entry.js";

/** What the page of a recipe shows: the form as it was typed, and what it would make. */
export interface RecipeModel {
  frame: Frame;
  recipe: Recipe;
  entry: RecipeEntry;
  options: RecipeOptions;
  names: PlanNames;
  problems: Problems;
  /** What was filled in, to be looked at; undefined: nothing that could be made yet. */
  choices?: RecipeChoices;
  /** Our actions that HubSpot has not named yet. */
  unknownActions: readonly ExecutionKind[];
}
