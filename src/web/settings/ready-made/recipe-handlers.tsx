import { listSequences } from "#domain/directory/people.js";
import { listPresetNames } from "#domain/policy/preset-store.js";
import { makeFlow, removeMadeFlow } from "#domain/ready-made/change-made-flows.js";
import { readOwnActions } from "#domain/ready-made/own-actions.js";
import { planOf } from "#domain/ready-made/plan.js";
import { actionsOf } from "#domain/ready-made/plan-flow.js";
import { takesStamps } from "#domain/ready-made/plan-trigger.js";
import { RECIPES, type Recipe, type RecipeChoices } from "#domain/ready-made/recipe.js";
import { readHoldSettings } from "#domain/senders/hold-settings.js";
import { UNENROLL_SCOPES } from "#platform/hubspot/oauth/scopes.js";
import { readId } from "#web/kit/form-fields.js";
import { sendPage } from "#web/kit/page.js";
import type { Exchange, FormExchange } from "../frame/exchange.js";
import { finishForm, sendMissing, statusOf } from "../frame/form-answers.js";
import type { Problems } from "../frame/problems.js";
import { frameOf } from "../frame/shell.js";
import { actorOf } from "../session/visit.js";
import { readNameable } from "../words/names.js";
import { WORKFLOWS_PATH } from "../words/paths.js";
import type { PlanNames } from "./plan-words.js";
import { parseRecipeEntry } from "./parse-recipe.js";
import {
  emptyEntry,
  readRecipeEntry,
  requestKeyOf,
  type RecipeEntry,
  type RecipeOptions,
} from "./recipe-entry.js";
import { RECIPE_WORDS } from "./recipe-names.js";
import { RecipePage } from "./recipe-page.js";
import { RecipesPage } from "./recipes-page.js";

/** `GET /settings/workflows/new` */
export function showRecipes(exchange: Exchange): Promise<void> {
  sendPage(exchange.response, 200, <RecipesPage frame={frameOf(exchange)} />);
  return Promise.resolve();
}

/** `GET /settings/workflows/new/:recipe` */
export async function showRecipe(exchange: Exchange): Promise<void> {
  const recipe = recipeOf(exchange);
  if (recipe === undefined) return sendNoRecipe(exchange);
  const options = await readOptions(exchange);
  await send(exchange, { recipe, options, entry: emptyEntry(recipe), problems: {} });
}

/** `POST /settings/workflows/new/:recipe`: shows what it would come to; with `make` it is made. */
export async function makeRecipe(exchange: FormExchange): Promise<void> {
  const { options: site, visit, form } = exchange;
  const recipe = recipeOf(exchange);
  if (recipe === undefined) return sendNoRecipe(exchange);
  const options = await readOptions(exchange);
  const entry = readRecipeEntry(form);
  const parsed = parseRecipeEntry(recipe, entry, options);
  if ("problems" in parsed) return send(exchange, { recipe, options, entry, problems: parsed.problems });
  const { choices } = parsed;
  if (!form.has("make")) return send(exchange, { recipe, options, entry, problems: {}, choices });
  const outcome = await makeFlow(site.database.pool, actorOf(visit), {
    requestKey: requestKeyOf(entry),
    choices,
    takesStamps: isStamped(options, entry),
  });
  if (outcome.kind === "actions-unknown")
    return send(exchange, { recipe, options, entry, problems: {}, choices });
  site.wake(visit.portal.portalId);
  finishForm(exchange, "flow-asked");
}

/** `POST /settings/workflows/made/:id/delete` */
export async function removeMade(exchange: FormExchange): Promise<void> {
  const { options, visit, request } = exchange;
  const id = readId(request.params["id"]);
  const isRemoved = id !== undefined && (await removeMadeFlow(options.database.pool, actorOf(visit), id));
  if (!isRemoved)
    return sendMissing(exchange, {
      what: "workflow",
      back: { href: WORKFLOWS_PATH, label: "All workflows" },
    });
  options.wake(visit.portal.portalId);
  finishForm(exchange, "flow-removed");
}

function recipeOf({ request }: Exchange): Recipe | undefined {
  return RECIPES.find((recipe) => RECIPE_WORDS[recipe].slug === request.params["recipe"]);
}

function sendNoRecipe(exchange: Exchange): void {
  sendMissing(exchange, { what: "recipe", back: { href: WORKFLOWS_PATH, label: "All workflows" } });
}

async function readOptions({
  options: { database, contactProperties },
  visit,
}: Exchange): Promise<RecipeOptions> {
  const { portalId, scopes } = visit.portal;
  const [sequences, presets, nameable, hold, properties] = await Promise.all([
    listSequences(database.pool, portalId),
    listPresetNames(database, portalId),
    readNameable(database, portalId),
    readHoldSettings(database.pool, portalId),
    contactProperties(portalId),
  ]);
  const mayStamp = UNENROLL_SCOPES.every((scope) => scopes.includes(scope));
  return { sequences, presets, nameable, longestHoldDays: hold.maxHoldDays, properties, mayStamp };
}

interface RecipeState {
  readonly recipe: Recipe;
  readonly options: RecipeOptions;
  readonly entry: RecipeEntry;
  readonly problems: Problems;
  readonly choices?: RecipeChoices;
}

async function send(exchange: Exchange, state: RecipeState): Promise<void> {
  const { recipe, problems, choices } = state;
  const actions = await readOwnActions(exchange.options.database.pool);
  const needed = choices === undefined ? NEEDED[recipe] : actionsOf(planOf(choices));
  const unknownActions = needed.filter((kind) => actions[kind] === undefined);
  const model = { ...state, frame: frameOf(exchange), names: namesOf(state), unknownActions };
  sendPage(exchange.response, statusOf({ problems }), <RecipePage {...model} />);
}

/** What a recipe's steps need, before anything was chosen. */
const NEEDED = {
  FORM: ["ENROLL"],
  FILTER: ["ENROLL"],
  NO_REPLY: ["WAIT_FOR_SEQUENCE_END", "ENROLL"],
  OUTCOME: ["ENROLL", "WAIT_FOR_SEQUENCE_END"],
} as const;

function isStamped({ mayStamp }: RecipeOptions, { stamped }: RecipeEntry): boolean {
  return mayStamp && stamped === "yes";
}

function namesOf({ options, entry, choices }: RecipeState): PlanNames {
  const { sequences, presets, nameable, properties = [] } = options;
  return {
    isStamped: choices !== undefined && takesStamps(choices.trigger.kind) && isStamped(options, entry),
    sequences: new Map(sequences.map(({ sequenceId, name }) => [sequenceId, name])),
    people: nameable.names.people,
    rotations: nameable.names.rotations,
    presets: new Map(presets.map(({ presetId, name }) => [presetId.toString(), name])),
    properties: new Map(properties.map(({ name, label }) => [name, label])),
  };
}
