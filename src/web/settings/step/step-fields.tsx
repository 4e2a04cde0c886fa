import { MOST_SEQUENCES_LISTED } from "#domain/directory/people.js";
import { Group, SelectField, TextField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { activePeople, peopleNote, rotationChoices } from "./people-choices.js";
import type { StepOffers, StepEntry } from "./step-entry.js";

export interface StepFieldsModel {
  readonly entry: StepEntry;
  readonly choices: StepOffers;
  readonly problems: Problems;
  /** The page that is loaded again once names are known. */
  readonly page: string;
  /** The first entry of the list of sequences. */
  readonly noSequence?: string;
  /** False if something else says which sequence. */
  readonly hasSequence?: boolean;
}

/** What a workflow's step asks for: the sequence, the preset, the sender, and what else it may say. */
export function StepFields(model: StepFieldsModel) {
  const { entry, choices, problems, hasSequence = true } = model;
  return (
    <>
      {hasSequence ? <SequenceField {...model} /> : null}
      <SelectField
        name="preset_id"
        label="Preset"
        value={entry.preset_id}
        problems={problems}
        choices={[
          { value: "", label: "None named: the default applies" },
          ...choices.presets.map(({ presetId, name }) => ({ value: presetId.toString(), label: name })),
        ]}
      />
      <SenderFields {...model} />
      <OtherFields {...model} />
    </>
  );
}

function SequenceField({ entry, choices, problems, noSequence = "Choose a sequence" }: StepFieldsModel) {
  const { sequences } = choices;
  return (
    <SelectField
      name="sequence_id"
      label="Sequence"
      value={entry.sequence_id}
      note={sequencesNote(sequences.length)}
      problems={problems}
      choices={[
        { value: "", label: noSequence },
        ...sequences.map(({ sequenceId, name }) => ({ value: sequenceId, label: name })),
      ]}
    />
  );
}

/** Why the sequence that somebody looks for is not in the list. */
function sequencesNote(listed: number): string | undefined {
  if (listed === 0)
    return "No sequence of this account is known yet. Make one in HubSpot; it shows here within the hour.";
  if (listed < MOST_SEQUENCES_LISTED) return undefined;
  return `Only the first ${MOST_SEQUENCES_LISTED.toLocaleString("en-US")} sequences by name are listed here. Workflow steps can use all of them.`;
}

function SenderFields({ entry, choices: { nameable }, problems, page }: StepFieldsModel) {
  const people = activePeople(nameable);
  return (
    <Group legend="Who sends">
      <SelectField
        name="sender_mode"
        label="Sender"
        value={entry.sender_mode}
        problems={problems}
        choices={[
          { value: "portal_default", label: "As the preset says" },
          { value: "contact_owner", label: "The contact's owner" },
          { value: "specific_user", label: "One user" },
          { value: "rotation", label: "A rotation" },
        ]}
      />
      <SelectField
        name="sender_user_id"
        label="User"
        value={entry.sender_user_id}
        note={peopleNote(people, { page, note: "For “One user”." })}
        problems={problems}
        choices={[{ value: "", label: "Choose a person" }, ...people]}
      />
      <SelectField
        name="rotation_id"
        label="Rotation"
        value={entry.rotation_id}
        note="For “A rotation”."
        problems={problems}
        choices={[{ value: "", label: "Choose a rotation" }, ...rotationChoices(nameable)]}
      />
      <TextField
        name="sender_alias"
        label="Sender alias"
        inputMode="email"
        value={entry.sender_alias}
        note="Empty: as the sender's settings say."
        problems={problems}
      />
    </Group>
  );
}

function OtherFields({ entry, problems }: StepFieldsModel) {
  return (
    <Group legend="What else applies" note="What is left empty is decided by the preset.">
      <SelectField
        name="if_already_enrolled"
        label="If already enrolled"
        value={entry.if_already_enrolled}
        problems={problems}
        choices={[
          { value: "", label: "As the preset says" },
          { value: "skip", label: "Goes on as a success" },
          { value: "fail", label: "Goes on as a failure" },
          { value: "wait", label: "Waits until that sequence ends" },
          { value: "replace", label: "Is taken out of that sequence, then enrolled" },
        ]}
      />
      <TextField
        name="cooldown_days"
        label="Cooldown, days"
        inputMode="numeric"
        value={entry.cooldown_days}
        problems={problems}
      />
      <TextField
        name="not_before"
        label="Not before"
        value={entry.not_before}
        note="A day, such as 2027-01-31."
        problems={problems}
      />
    </Group>
  );
}
