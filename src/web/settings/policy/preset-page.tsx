import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { FormState } from "../frame/versioned-form.js";
import type { PresetEntry } from "./preset-entry.js";
import type { Nameable } from "../words/names.js";
import type { StoredPreset } from "#domain/policy/preset-store.js";
import { ChangedBeforeDelete, Conflict } from "../words/change-table.js";
import { CheckBox, Group, SelectField, TextArea, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import { rotationChoices, rotationNote } from "../step/people-choices.js";
import { PropertyField, type KnownProperties } from "../step/property-field.js";
import { SenderModeField, SenderRotationField, SenderUserField } from "../step/sender-fields.js";
import { NEW_PRESET_PATH, PRESETS_PATH } from "./presets-page.js";
import { UsedByNote } from "../frame/used-by.js";
import { SitePage } from "../frame/shell.js";

export interface PresetModel extends FormState<PresetEntry> {
  frame: Frame;
  /** Undefined for a new one. */
  saved: StoredPreset | undefined;
  nameable: Nameable;
  /** Whether contacts can be taken out of their sequences in this account. */
  mayReplace: boolean;
  /** What its rules can be about. */
  properties: KnownProperties;
  /** Which workflows depend on it. */
  uses: FlowUses;
  /** Another admin's save kept it from being deleted. */
  isChangedMeanwhile?: boolean;
}

export function PresetPage(model: PresetModel) {
  const { frame, saved, entry, version, problems, conflict } = model;
  const path = pathOf(saved);
  return (
    <SitePage
      frame={frame}
      current={PRESETS_PATH}
      title={saved?.name ?? "New preset"}
      {...(saved?.isDefault
        ? { lead: "This is the default preset. Used when an action has no preset." }
        : {})}
    >
      <ChangedBeforeDelete isShown={model.isChangedMeanwhile === true} />
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      <PostForm action={path} formToken={frame.formToken} class="card editor" id="preset">
        <input type="hidden" name="version" value={version} />
        <TextField name="name" label="Name" value={entry.name} problems={problems} />
        <Sender {...model} />
        <Fallback {...model} />
        <Contacts {...model} />
        <Suppression {...model} />
      </PostForm>
      <div class="actions">
        <button class="button primary" form="preset">
          Save
        </button>
        <a class="button" href={PRESETS_PATH}>
          All presets
        </a>
        {saved === undefined ? null : (
          <a class="button quiet" href={`/settings/try?preset=${saved.presetId}`}>
            Test a contact
          </a>
        )}
        {saved === undefined ? null : (
          <Delete frame={frame} path={path} saved={saved} version={version} uses={model.uses} />
        )}
      </div>
    </SitePage>
  );
}

function pathOf(saved: StoredPreset | undefined): string {
  return saved === undefined ? NEW_PRESET_PATH : `${PRESETS_PATH}/${saved.presetId}`;
}

interface DeleteModel {
  frame: Frame;
  path: string;
  saved: StoredPreset;
  version: number;
  uses: FlowUses;
}

function Delete({ frame, path, saved, version, uses }: DeleteModel) {
  return (
    <details class="confirm">
      <summary>Delete this preset</summary>
      <p>
        Workflow actions that use this preset will fail until you choose another one.
        {saved.isDefault ? " Actions without a preset will use the built-in rules." : ""}
      </p>
      <UsedByNote uses={uses} flows={uses.presets.get(String(saved.presetId))} />
      <PostForm action={`${path}/delete`} formToken={frame.formToken}>
        <input type="hidden" name="version" value={version} />
        <button class="button danger">Delete</button>
      </PostForm>
    </details>
  );
}

function Sender({ saved, entry, problems, nameable, properties }: PresetModel) {
  return (
    <Group legend="Who sends">
      <SenderModeField
        value={entry.sender_mode}
        modes={["default_sender", "contact_owner", "contact_property", "specific_user", "rotation"]}
        problems={problems}
      />
      <PropertyField
        name="sender_property"
        label="User property"
        value={entry.sender_property}
        note={{ about: "For “A contact property that holds a user”. ", example: "sales_rep" }}
        properties={properties}
        isOfUser
        problems={problems}
      />
      <SenderUserField
        name="sender_user_id"
        value={entry.sender_user_id}
        nameable={nameable}
        page={pathOf(saved)}
        problems={problems}
      />
      <SenderRotationField
        name="sender_rotation_id"
        value={entry.sender_rotation_id}
        nameable={nameable}
        problems={problems}
      />
    </Group>
  );
}

function Fallback({ entry, problems, nameable }: PresetModel) {
  const rotations = rotationChoices(nameable);
  return (
    <Group
      legend="Fallback"
      note="Used when the sender is missing, inactive, blocked, disconnected, at the cap, or away. Tried in this order:"
    >
      <SelectField
        name="fallback_rotation_id"
        label="1. A rotation"
        value={entry.fallback_rotation_id}
        note={rotationNote(rotations)}
        problems={problems}
        choices={[{ value: "", label: "None" }, ...rotations]}
      />
      <CheckBox
        name="fallback_default"
        label="2. The default sender"
        isChecked={entry.fallback_default === "yes"}
      />
      <SelectField
        name="when_nobody"
        label="If no one can send right now"
        value={entry.when_nobody}
        problems={problems}
        choices={[
          { value: "wait", label: "Wait for the next available sender" },
          { value: "fail", label: "Fail" },
        ]}
      />
    </Group>
  );
}

/** Offered only where contacts can be taken out of a sequence, and where it was chosen before. */
const REPLACE = { value: "replace", label: "Is taken out of that sequence, then enrolled" };

function Contacts({ entry, problems, mayReplace }: PresetModel) {
  return (
    <Group legend="Repeat enrollments">
      <SelectField
        name="if_already_enrolled"
        label="If the contact is already in a sequence"
        value={entry.if_already_enrolled}
        problems={problems}
        choices={[
          { value: "skip", label: "Keep there and continue" },
          { value: "fail", label: "Mark as failed and continue" },
          { value: "wait", label: "Wait, then enroll" },
          ...(mayReplace || entry.if_already_enrolled === "replace" ? [REPLACE] : []),
        ]}
        note={mayReplace ? undefined : "Taking it out of that sequence first needs Settings → Unenroll."}
      />
      <div class="pair">
        <TextField
          name="cooldown_days"
          label="Cooldown (days)"
          inputMode="numeric"
          value={entry.cooldown_days}
          note="0 = no cooldown."
          problems={problems}
        />
        <SelectField
          name="cooldown_scope"
          label="Counts enrollments in"
          value={entry.cooldown_scope}
          problems={problems}
          choices={[
            { value: "sequence", label: "The same sequence" },
            { value: "any", label: "Any sequence" },
          ]}
        />
      </div>
    </Group>
  );
}

function Suppression({ entry, problems, properties }: PresetModel) {
  return (
    <Group legend="Never enroll">
      <CheckBox
        name="check_opt_out"
        label="Contacts who opted out of all email"
        isChecked={entry.check_opt_out === "yes"}
        note="HubSpot rejects these contacts anyway; this saves a request."
      />
      <TextArea
        name="domains"
        label="Email domains"
        value={entry.domains}
        note="One per line, such as example.com. Includes subdomains."
        problems={problems}
      />
      <PropertyField
        name="property_name"
        label="Contact property"
        value={entry.property_name}
        note={{ about: "Leave blank for none. ", example: "lifecyclestage" }}
        properties={properties}
        problems={problems}
      />
      <TextArea
        name="property_values"
        label="equals any of these values"
        value={entry.property_values}
        note="One per line, using internal values. Not case sensitive."
        problems={problems}
      />
    </Group>
  );
}
