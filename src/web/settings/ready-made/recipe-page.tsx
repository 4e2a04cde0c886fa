import type { ExecutionKind } from "#domain/contract/execution.js";
import { planOf } from "#domain/ready-made/plan.js";
import { takesStamps } from "#domain/ready-made/plan-trigger.js";
import { LEAD_STATUSES, RECIPES, type Recipe, type RecipeChoices } from "#domain/ready-made/recipe.js";
import {
  CheckBox,
  Group,
  PostForm,
  ProblemSummary,
  SelectField,
  TextArea,
  TextField,
} from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { SitePage, type Frame } from "../frame/shell.js";
import { activePeople, peopleNote, rotationChoices, rotationNote } from "../step/people-choices.js";
import { STEP_TITLES } from "../words/step-titles.js";
import { reconnectPath, WORKFLOWS_PATH } from "../words/paths.js";
import { leadStatusLabel, planInWords, type PlanNames } from "./plan-words.js";
import { PlanPicture } from "./plan-picture.js";
import { TRIGGERS_OF, type RecipeEntry, type RecipeOptions } from "./recipe-entry.js";
import { RECIPE_WORDS, recipePath } from "./recipe-names.js";

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
        <TextField name="name" label="Name of the workflow" value={entry.name} problems={problems} />
        <Trigger {...model} />
        <Enrollment {...model} />
        <Afterwards {...model} />
        <Stamped {...model} />
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
        <strong>One thing is needed first.</strong> HubSpot tells us the number of an action only when a
        contact reaches it, and has not yet for {names}. In HubSpot, add{" "}
        {actions.length === 1 ? "it" : "them"} to any contact workflow, run a test contact through, then come
        back: this has to be done once only.
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
          Make it in HubSpot, turned off
        </button>
        <span class="note">Nothing is enrolled until someone turns it on in HubSpot.</span>
      </div>
    </section>
  );
}

const TRIGGER_LABELS = {
  form: "submit a form",
  property: "get a value in a property",
  list: "join a list",
  sequence: "are enrolled in a sequence",
  "by-hand": "are put in, by a person or by Sequence Enroller",
} as const;

function Trigger({ recipe, entry, options, problems }: RecipeModel) {
  const kinds = TRIGGERS_OF[recipe];
  const has = (kind: (typeof kinds)[number]) => kinds.includes(kind);
  const when = (kind: keyof typeof TRIGGER_LABELS) =>
    kinds.length > 1 ? `If they ${TRIGGER_LABELS[kind]}. ` : "";
  return (
    <Group legend="Who comes in">
      {kinds.length === 1 ? (
        <input type="hidden" name="trigger" value={kinds[0]} />
      ) : (
        <SelectField
          name="trigger"
          label="Contacts come in when they"
          value={entry.trigger}
          problems={problems}
          choices={kinds.map((value) => ({ value, label: TRIGGER_LABELS[value] }))}
        />
      )}
      {has("form") ? (
        <TextField
          name="form"
          label="Form"
          value={entry.form}
          note={`${when("form")}Its id, or the address of its page in HubSpot (Marketing, Forms).`}
          problems={problems}
        />
      ) : null}
      {has("property") ? (
        <Property entry={entry} options={options} problems={problems} when={when("property")} />
      ) : null}
      {has("list") ? (
        <TextField
          name="list"
          label="List"
          value={entry.list}
          note={`${when("list")}Its id, or the address of its page in HubSpot (CRM, Segments or Lists).`}
          problems={problems}
        />
      ) : null}
      {has("sequence") ? (
        <SelectField
          name="first_sequence"
          label="First sequence"
          value={entry.first_sequence}
          problems={problems}
          choices={[{ value: "", label: "Choose a sequence" }, ...sequenceChoices(options)]}
        />
      ) : null}
    </Group>
  );
}

function Property({
  entry,
  options: { properties },
  problems,
  when,
}: Pick<RecipeModel, "entry" | "options" | "problems"> & { when: string }) {
  return (
    <>
      <TextField
        name="property"
        label="Property"
        value={entry.property}
        note={`${when}${properties === undefined ? "HubSpot did not list the account's properties now. Type the internal name, such as hs_lead_status." : "Its internal name, such as hs_lead_status; the list helps while you type."}`}
        problems={problems}
        list={properties === undefined ? undefined : "properties"}
      />
      <datalist id="properties">
        {properties?.map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </datalist>
      <TextArea
        name="values"
        label="Values"
        value={entry.values}
        rows={2}
        note="One a line, as HubSpot stores them; any of them counts. Leave blank for any value."
        problems={problems}
      />
    </>
  );
}

const sequenceChoices = ({ sequences }: RecipeOptions) =>
  sequences.map(({ sequenceId, name }) => ({ value: sequenceId, label: name }));

function Enrollment({ recipe, entry, options, problems }: RecipeModel) {
  const people = activePeople(options.nameable);
  const rotations = rotationChoices(options.nameable);
  return (
    <Group legend={recipe === "NO_REPLY" ? "The next sequence" : "The enrollment"}>
      <SelectField
        name="sequence_id"
        label="Sequence"
        value={entry.sequence_id}
        note={
          options.sequences.length === 0
            ? "No sequence of this account is known yet. Make one in HubSpot; it shows here within the hour."
            : undefined
        }
        problems={problems}
        choices={[{ value: "", label: "Choose a sequence" }, ...sequenceChoices(options)]}
      />
      <SelectField
        name="sender_mode"
        label="Sender"
        value={entry.sender_mode}
        problems={problems}
        choices={[
          { value: "contact_owner", label: "The contact's owner" },
          { value: "rotation", label: "A rotation" },
          { value: "specific_user", label: "One user" },
          { value: "portal_default", label: "As the preset says" },
        ]}
      />
      <SelectField
        name="rotation_id"
        label="Rotation"
        value={entry.rotation_id}
        note={rotationNote(rotations, "For “A rotation”.")}
        problems={problems}
        choices={[{ value: "", label: "Choose a rotation" }, ...rotations]}
      />
      <SelectField
        name="sender_user_id"
        label="User"
        value={entry.sender_user_id}
        note={peopleNote(people, { page: recipePath(recipe), note: "For “One user”." })}
        problems={problems}
        choices={[{ value: "", label: "Choose a person" }, ...people]}
      />
      <SelectField
        name="preset_id"
        label="Preset"
        value={entry.preset_id}
        problems={problems}
        choices={[
          { value: "", label: "The account's default preset" },
          ...options.presets.map(({ presetId, name }) => ({ value: presetId.toString(), label: name })),
        ]}
      />
    </Group>
  );
}

function Afterwards({ recipe, entry, problems }: RecipeModel) {
  if (recipe === "NO_REPLY")
    return (
      <TextField
        name="days"
        label="Days after the first sequence ended"
        inputMode="numeric"
        value={entry.days}
        note="Whoever replies in the meantime is not enrolled in the next one."
        problems={problems}
      />
    );
  if (recipe !== "OUTCOME") return null;
  const statuses = [
    { value: "", label: "Leave it as it is" },
    ...LEAD_STATUSES.map((value) => ({ value, label: leadStatusLabel(value) })),
  ];
  return (
    <Group
      legend="When the sequence has ended"
      note="Each way gets a branch of its own in HubSpot, where you can add more steps."
    >
      <TextField
        name="days"
        label="Wait at most, days"
        inputMode="numeric"
        value={entry.days}
        problems={problems}
      />
      <SelectField
        name="replied_status"
        label="Lead status of a contact who replied"
        value={entry.replied_status}
        problems={problems}
        choices={statuses}
      />
      <SelectField
        name="finished_status"
        label="Lead status of a contact who did not"
        value={entry.finished_status}
        problems={problems}
        choices={statuses}
      />
    </Group>
  );
}

function Stamped({ recipe, entry, options }: RecipeModel) {
  const isOffered = TRIGGERS_OF[recipe].some(takesStamps);
  if (!isOffered) return null;
  if (!options.mayStamp)
    return (
      <p class="note">
        Sequence Enroller can put contacts in this workflow by a contact property, which is safer than
        HubSpot's old way, if it may write to contacts.{" "}
        <a href={reconnectPath("unenroll")}>Give the two permissions in HubSpot</a>, then come back.
      </p>
    );
  return (
    <CheckBox
      name="stamped"
      label="Sequence Enroller may put contacts in as well"
      isChecked={entry.stamped === "yes"}
      note={`Adds our contact property to the trigger.${TRIGGERS_OF[recipe].includes("form") ? " Not if they submit a form." : ""}`}
    />
  );
}
