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
      lead="Choose what it is to do. You see what it would look like before it is made in HubSpot, and it is made turned off."
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
