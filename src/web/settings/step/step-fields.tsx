import { MOST_SEQUENCES_LISTED } from "#domain/directory/people.js";
import { DateField, Group, SelectField, TextField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { SenderModeField, SenderRotationField, SenderUserField } from "./sender-fields.js";
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
          { value: "", label: "Default preset" },
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
    return "No sequences found. Create or share one in HubSpot; it appears here within an hour.";
  if (listed < MOST_SEQUENCES_LISTED) return undefined;
  return `Only the first ${MOST_SEQUENCES_LISTED.toLocaleString("en-US")} sequences by name are listed here. Workflow actions can use all of them.`;
}

function SenderFields({ entry, choices: { nameable }, problems, page }: StepFieldsModel) {
  return (
    <Group legend="Sender">
      <SenderModeField
        value={entry.sender_mode}
        modes={["portal_default", "contact_owner", "specific_user", "rotation"]}
        problems={problems}
      />
      <SenderUserField
        name="sender_user_id"
        value={entry.sender_user_id}
        nameable={nameable}
        page={page}
        problems={problems}
      />
      <SenderRotationField
        name="rotation_id"
        value={entry.rotation_id}
        nameable={nameable}
        problems={problems}
      />
      <TextField
        name="sender_alias"
        label="Send from alias"
        inputMode="email"
        value={entry.sender_alias}
        note="Leave blank to use the sender's alias."
        problems={problems}
      />
    </Group>
  );
}

function OtherFields({ entry, problems }: StepFieldsModel) {
  return (
    <Group legend="More action settings" note="Leave blank to use the preset.">
      <SelectField
        name="if_already_enrolled"
        label="If already in a sequence"
        value={entry.if_already_enrolled}
        problems={problems}
        choices={[
          { value: "", label: "Use the preset" },
          { value: "skip", label: "Keep there and continue" },
          { value: "fail", label: "Mark as failed and continue" },
          { value: "wait", label: "Wait, then enroll" },
          { value: "replace", label: "Take out of that sequence, then enroll" },
        ]}
      />
      <TextField
        name="cooldown_days"
        label="Cooldown (days)"
        inputMode="numeric"
        value={entry.cooldown_days}
        problems={problems}
      />
      <DateField name="not_before" label="Enroll on or after" value={entry.not_before} problems={problems} />
    </Group>
  );
}
