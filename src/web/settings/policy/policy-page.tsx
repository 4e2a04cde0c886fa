import type { Frame } from "../frame/shell.js";
import { DEFAULT_RETENTION_DAYS } from "#domain/history/prune.js";
import type { FormState } from "../frame/versioned-form.js";
import type { Nameable } from "../words/names.js";
import { Conflict } from "../words/change-table.js";
import { CheckBox, Group, SelectField, TextField, type Choice } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import { SitePage } from "../frame/shell.js";
import type { PolicyEntry } from "./policy-entry.js";
import { activePeople, peopleNote } from "../step/people-choices.js";
import { unnamed } from "#domain/directory/people.js";

export const POLICY_PATH = "/settings/policy";

export interface PolicyModel extends FormState<PolicyEntry> {
  frame: Frame;
  nameable: Nameable;
}

export function PolicyPage({ frame, entry, version, nameable, problems, conflict }: PolicyModel) {
  const people = activePeople(nameable);
  return (
    <SitePage
      frame={frame}
      current={POLICY_PATH}
      title="Account defaults"
      lead="These settings apply to every workflow. Presets decide who sends and which contacts to skip."
    >
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      <PostForm action={POLICY_PATH} formToken={frame.formToken} class="card editor">
        <input type="hidden" name="version" value={version} />
        <Group legend="Senders">
          <SelectField
            name="default_sender"
            label="Default sender"
            value={entry.default_sender}
            note={peopleNote(people, {
              page: POLICY_PATH,
              note: "Used when an action or preset is set to the default sender.",
            })}
            problems={problems}
            choices={[{ value: "", label: "No default sender" }, ...people]}
          />
          <CheckBox
            name="only_listed"
            label="Only approved users can send"
            isChecked={entry.only_listed === "yes"}
            note="If off, anyone can send except users you block under Senders."
          />
        </Group>
        <Group legend="Sequences">
          <SelectField
            name="sequence_reader"
            label="Read sequences as"
            value={entry.sequence_reader}
            note="HubSpot shows each user their own sequences and those shared with them. We also read what other users see; Overview lists them."
            problems={problems}
            choices={[{ value: "", label: "The app chooses" }, ...withSaved(people, entry.sequence_reader)]}
          />
        </Group>
        <Group legend="Time">
          <TextField
            name="max_hold_days"
            label="Maximum wait (days)"
            inputMode="numeric"
            value={entry.max_hold_days}
            note="If a contact would wait longer than this for sending hours or a sequence to end, the action fails right away."
            problems={problems}
          />
          <TextField
            name="retention_days"
            label="Keep history for (days)"
            inputMode="numeric"
            value={entry.retention_days}
            note={`Leave blank for ${DEFAULT_RETENTION_DAYS}. Cooldowns can't look back further than this.`}
            problems={problems}
          />
        </Group>
        <div class="actions">
          <button class="button primary">Save</button>
          <a class="button quiet" href="/settings/try">
            Test a contact
          </a>
        </div>
      </PostForm>
    </SitePage>
  );
}

/** With whom the form holds now, who may be gone. */
function withSaved(people: readonly Choice[], value: string): Choice[] {
  const isKnown = value === "" || people.some((choice) => choice.value === value);
  return isKnown ? [...people] : [{ value, label: `${unnamed(value)} (inactive)` }, ...people];
}
