import { RECIPES } from "#domain/ready-made/recipe.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { WORKFLOWS_PATH } from "../words/paths.js";
import { RECIPE_WORDS, recipePath } from "./recipe-names.js";

/** What to choose from. */
export function RecipesPage({ frame }: { frame: Frame }) {
  return (
    <SitePage
      frame={frame}
      current={WORKFLOWS_PATH}
      title="New workflow"
      lead="Choose what the workflow should do. You see a preview first, and it is created in HubSpot turned off."
    >
      <ul class="recipes">
        {RECIPES.map((recipe) => (
          <li key={recipe} class="card">
            <h2>
              <a href={recipePath(recipe)}>{RECIPE_WORDS[recipe].title}</a>
            </h2>
            <p>{RECIPE_WORDS[recipe].lead}</p>
          </li>
        ))}
      </ul>
    </SitePage>
  );
}
