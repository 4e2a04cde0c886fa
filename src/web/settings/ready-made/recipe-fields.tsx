import { takesStamps } from "#domain/ready-made/plan-trigger.js";
import { LEAD_STATUSES } from "#domain/ready-made/recipe.js";
import { CheckBox, Group, SelectField, TextArea, TextField } from "../frame/fields.js";
import { SenderModeField, SenderRotationField, SenderUserField } from "../step/sender-fields.js";
import { PropertyField } from "../step/property-field.js";
import { reconnectPath } from "../words/paths.js";
import { leadStatusLabel } from "./plan-words.js";
import { TRIGGERS_OF, type RecipeOptions } from "./recipe-entry.js";
import { recipePath } from "./recipe-names.js";
import type { RecipeModel } from "./recipe-model.js";

const TRIGGER_LABELS = {
  form: "submit a form",
  property: "get a value in a property",
  list: "join a list",
  sequence: "are enrolled in a sequence",
  "by-hand": "are added, by a user or by Sequence Enroller",
} as const;

/** Who comes in. */
export function TriggerFields({ recipe, entry, options, problems }: RecipeModel) {
  const kinds = TRIGGERS_OF[recipe];
  const has = (kind: (typeof kinds)[number]) => kinds.includes(kind);
  const when = (kind: keyof typeof TRIGGER_LABELS) =>
    kinds.length > 1 ? `If they ${TRIGGER_LABELS[kind]}. ` : "";
  return (
    <Group legend="Trigger">
      {kinds.length === 1 ? (
        <input type="hidden" name="trigger" value={kinds[0]} />
      ) : (
        <SelectField
          name="trigger"
          label="Contacts enter when they"
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
          note={`${when("form")}Its ID, or the URL of its page in HubSpot (Marketing > Forms).`}
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
          note={`${when("list")}Its ID, or the URL of its page in HubSpot (CRM > Segments or Lists).`}
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
      <PropertyField
        name="property"
        label="Property"
        value={entry.property}
        note={{ about: when, example: "hs_lead_status" }}
        properties={properties}
        problems={problems}
      />
      <TextArea
        name="values"
        label="Values"
        value={entry.values}
        rows={2}
        note="Internal values, one per line; any of them triggers. Leave blank for any value."
        problems={problems}
      />
    </>
  );
}

const sequenceChoices = ({ sequences }: RecipeOptions) =>
  sequences.map(({ sequenceId, name }) => ({ value: sequenceId, label: name }));

/** Which sequence, and who sends. */
export function EnrollmentFields({ recipe, entry, options, problems }: RecipeModel) {
  return (
    <Group legend={recipe === "NO_REPLY" ? "Next sequence" : "Enrollment"}>
      <SelectField
        name="sequence_id"
        label="Sequence"
        value={entry.sequence_id}
        note={
          options.sequences.length === 0
            ? "No sequences found. Create or share one in HubSpot; it appears here within an hour."
            : undefined
        }
        problems={problems}
        choices={[{ value: "", label: "Choose a sequence" }, ...sequenceChoices(options)]}
      />
      <SenderModeField
        value={entry.sender_mode}
        modes={["contact_owner", "rotation", "specific_user", "portal_default"]}
        problems={problems}
      />
      <SenderRotationField
        name="rotation_id"
        value={entry.rotation_id}
        nameable={options.nameable}
        problems={problems}
      />
      <SenderUserField
        name="sender_user_id"
        value={entry.sender_user_id}
        nameable={options.nameable}
        page={recipePath(recipe)}
        problems={problems}
      />
      <SelectField
        name="preset_id"
        label="Preset"
        value={entry.preset_id}
        problems={problems}
        choices={[
          { value: "", label: "Default preset" },
          ...options.presets.map(({ presetId, name }) => ({ value: presetId.toString(), label: name })),
        ]}
      />
    </Group>
  );
}

/** What comes after the sequence, if the recipe goes on. */
export function AfterSequenceFields({ recipe, entry, problems }: RecipeModel) {
  if (recipe === "NO_REPLY")
    return (
      <TextField
        name="days"
        label="Days after the first sequence ended"
        inputMode="numeric"
        value={entry.days}
        note="Contacts who reply in that time aren't enrolled in the next one."
        problems={problems}
      />
    );
  if (recipe !== "OUTCOME") return null;
  const statuses = [
    { value: "", label: "Don't change" },
    ...LEAD_STATUSES.map((value) => ({ value, label: leadStatusLabel(value) })),
  ];
  return (
    <Group
      legend="When the sequence has ended"
      note="Each result gets its own branch in HubSpot, where you can add more actions."
    >
      <TextField
        name="days"
        label="Maximum wait (days)"
        inputMode="numeric"
        value={entry.days}
        problems={problems}
      />
      <SelectField
        name="replied_status"
        label="Lead status if they replied"
        value={entry.replied_status}
        problems={problems}
        choices={statuses}
      />
      <SelectField
        name="finished_status"
        label="Lead status if they didn't"
        value={entry.finished_status}
        problems={problems}
        choices={statuses}
      />
    </Group>
  );
}

/** Whether Sequence Enroller may put contacts in as well. */
export function StampedField({ recipe, entry, options }: RecipeModel) {
  const isOffered = TRIGGERS_OF[recipe].some(takesStamps);
  if (!isOffered) return null;
  if (!options.mayStamp)
    return (
      <p class="note">
        Sequence Enroller can add contacts to this workflow by a contact property, which is safer than
        HubSpot's older API, if it can write to contacts.{" "}
        <a href={reconnectPath("unenroll")}>Grant the two permissions in HubSpot</a>, then come back.
      </p>
    );
  return (
    <CheckBox
      name="stamped"
      label="Let Sequence Enroller add contacts too"
      isChecked={entry.stamped === "yes"}
      note={`Adds our contact property to the trigger.${TRIGGERS_OF[recipe].includes("form") ? " Not if they submit a form." : ""}`}
    />
  );
}
