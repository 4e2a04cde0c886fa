import type { ExecutionKind } from "#domain/contract/execution.js";
import { planOf } from "#domain/ready-made/plan.js";
import { TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import { SitePage } from "../frame/shell.js";
import { STEP_TITLES } from "../words/step-titles.js";
import { WORKFLOWS_PATH } from "../words/paths.js";
import { planInWords } from "./plan-words.js";
import { PlanPicture } from "./plan-picture.js";
import { RECIPE_WORDS, recipePath } from "./recipe-names.js";
import { AfterSequenceFields, EnrollmentFields, StampedField, TriggerFields } from "./recipe-fields.js";
import type { RecipeModel } from "./recipe-model.js";

export function RecipePage(model: RecipeModel) {
  const { frame, recipe, problems, entry } = model;
  return (
    <SitePage
      frame={frame}
      current={WORKFLOWS_PATH}
      title={RECIPE_WORDS[recipe].title}
      lead={RECIPE_WORDS[recipe].lead}
    >
      <ProblemSummary problems={problems} />
      <UnknownActions actions={model.unknownActions} />
      <PostForm action={recipePath(recipe)} formToken={frame.formToken} class="card editor">
        {/* The first button is the one that Enter presses. */}
        <button class="enter" tabIndex={-1} aria-hidden="true">
          Preview
        </button>
        <input type="hidden" name="key" value={entry.key} />
        <Preview {...model} />
        <TextField name="name" label="Workflow name" value={entry.name} problems={problems} />
        <TriggerFields {...model} />
        <EnrollmentFields {...model} />
        <AfterSequenceFields {...model} />
        <StampedField {...model} />
        <div class="actions">
          <button class={model.choices === undefined ? "button primary" : "button"}>Preview</button>
          <a class="button quiet" href={WORKFLOWS_PATH}>
            All workflows
          </a>
        </div>
      </PostForm>
    </SitePage>
  );
}

function UnknownActions({ actions }: { actions: readonly ExecutionKind[] }) {
  if (actions.length === 0) return null;
  const names = actions.map((kind) => `“${STEP_TITLES[kind]}”`).join(" and ");
  return (
    <div class="notice wait" role="status">
      <p>
        <strong>One step first.</strong> HubSpot tells us an action's number only when a contact reaches it,
        which hasn't happened yet for {names}. In HubSpot, add {actions.length === 1 ? "it" : "them"} to any
        contact workflow, run a test contact through, then come back. You only need to do this once.
      </p>
    </div>
  );
}

/** What the workflow would be, in words and as a picture, and the button that has it made. */
function Preview({ choices, names, unknownActions }: RecipeModel) {
  if (choices === undefined) return null;
  const plan = planOf(choices);
  return (
    <section class="preview" aria-labelledby="preview-title">
      <h2 id="preview-title">Preview of “{choices.name}”</h2>
      <div class="preview-parts">
        <ol>
          {planInWords(plan, names).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ol>
        <PlanPicture plan={plan} names={names} />
      </div>
      <div class="actions">
        <button class="button primary" name="make" value="yes" disabled={unknownActions.length > 0}>
          Create in HubSpot, turned off
        </button>
        <span class="note">No one is enrolled until someone turns it on in HubSpot.</span>
      </div>
    </section>
  );
}
