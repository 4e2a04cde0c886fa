import type { Router } from "express";
import type { Handlers } from "../gate/handlers.js";
import { RECIPES_PATH } from "./recipe-names.js";
import { MADE_PATH } from "./made-list.js";
import { makeRecipe, removeMade, showRecipe, showRecipes } from "./recipe-handlers.js";

/**
 * Workflows that the app makes in HubSpot.
 *
 * | route under /settings/workflows | |
 * | --- | --- |
 * | GET /new | what can be made |
 * | GET and POST /new/:recipe | its form, what it would come to, and the order to make it |
 * | POST /made/:id/delete | deletes one that nobody has changed |
 */
export function addRecipesRoutes(router: Router, { page, form }: Handlers): void {
  router.get(RECIPES_PATH, page(showRecipes));
  router.get(`${RECIPES_PATH}/:recipe`, page(showRecipe));
  router.post(`${RECIPES_PATH}/:recipe`, form(makeRecipe));
  router.post(`${MADE_PATH}/:id/delete`, form(removeMade));
}
