import type { Frame } from "../frame/shell.js";
import { DEFAULT_RETENTION_DAYS } from "#domain/history/prune.js";
import type { FormState } from "../frame/versioned-form.js";
import { shortLabel, type Nameable } from "../words/names.js";
import { Conflict } from "../words/change-table.js";
import {
  CheckBox,
  Group,
  PostForm,
  ProblemSummary,
  SelectField,
  TextField,
  type Choice,
} from "../frame/fields.js";
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
      title="Policy"
      lead="Account-wide settings. Which contacts are enrolled, and who sends, is decided by presets."
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
              note: "Used when a step or preset says “default sender”.",
            })}
            problems={problems}
            choices={[{ value: "", label: "Nobody" }, ...people]}
          />
          <CheckBox
            name="only_listed"
            label="Only people marked as allowed may send"
            isChecked={entry.only_listed === "yes"}
            note="Without it everybody may, except those marked as not allowed. People are marked under Senders."
          />
        </Group>
        <Group legend="Sequences">
          <SelectField
            name="sequence_reader"
            label="Read sequences as"
            value={entry.sequence_reader}
            note="HubSpot shows each person their own sequences and those shared with them. What others see is read, too; the overview says who was asked."
            problems={problems}
            choices={[{ value: "", label: "The app chooses" }, ...withSaved(people, entry.sequence_reader)]}
          />
        </Group>
        <Group legend="Time">
          <TextField
            name="max_hold_days"
            label="Longest hold of a contact, days"
            inputMode="numeric"
            value={entry.max_hold_days}
            note="A step that would have to wait longer, for a send window or the end of a sequence, fails at once and says so. HubSpot does not publish how long it holds a contact at most."
            problems={problems}
          />
          <TextField
            name="retention_days"
            label="Keep finished contacts in the history, days"
            inputMode="numeric"
            value={entry.retention_days}
            note={`Empty: ${DEFAULT_RETENTION_DAYS}. Cooldowns look back no further than the history.`}
            problems={problems}
          />
        </Group>
        <div class="actions">
          <button class="button primary">Save</button>
          <a class="button quiet" href="/settings/try">
            Try it
          </a>
        </div>
      </PostForm>
    </SitePage>
  );
}

/** With whom the form holds now, who may be gone. */
function withSaved(people: readonly Choice[], value: string): Choice[] {
  const isKnown = value === "" || people.some((choice) => choice.value === value);
  return isKnown ? [...people] : [{ value, label: `${unnamed(value)} (deactivated)` }, ...people];
}
