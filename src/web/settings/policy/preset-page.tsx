import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { FormState } from "../frame/versioned-form.js";
import type { PresetEntry } from "./preset-entry.js";
import type { Nameable } from "../words/names.js";
import type { StoredPreset } from "#domain/policy/preset-store.js";
import { ChangedBeforeDelete, Conflict } from "../words/change-table.js";
import {
  CheckBox,
  Group,
  PostForm,
  ProblemSummary,
  SelectField,
  TextArea,
  TextField,
  type Choice,
} from "../frame/fields.js";
import { activePeople, peopleNote, rotationChoices, rotationNote } from "../step/people-choices.js";
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
      {...(saved?.isDefault ? { lead: "This is the default: it applies to steps that name no preset." } : {})}
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
            Try it
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
        Steps of workflows that name it have to be given another one.
        {saved.isDefault ? " The built-in policy then applies to steps that name none." : ""}
      </p>
      <UsedByNote uses={uses} flows={uses.presets.get(String(saved.presetId))} />
      <PostForm action={`${path}/delete`} formToken={frame.formToken}>
        <input type="hidden" name="version" value={version} />
        <button class="button danger">Delete</button>
      </PostForm>
    </details>
  );
}

function Sender({ saved, entry, problems, nameable }: PresetModel) {
  const [people, rotations] = [activePeople(nameable), rotationChoices(nameable)];
  return (
    <Group legend="Who sends">
      <SelectField
        name="sender_mode"
        label="Sender"
        value={entry.sender_mode}
        problems={problems}
        choices={[
          { value: "default_sender", label: "The account's default sender" },
          { value: "contact_owner", label: "The contact's owner" },
          { value: "contact_property", label: "Another user property of the contact" },
          { value: "specific_user", label: "One user" },
          { value: "rotation", label: "A rotation" },
        ]}
      />
      <TextField
        name="sender_property"
        label="User property"
        value={entry.sender_property}
        note="Its internal name. For “Another user property”."
        problems={problems}
      />
      <SelectField
        name="sender_user_id"
        label="User"
        value={entry.sender_user_id}
        note={peopleNote(people, { page: pathOf(saved), note: "For “One user”." })}
        problems={problems}
        choices={[{ value: "", label: "Choose a person" }, ...people]}
      />
      <SelectField
        name="sender_rotation_id"
        label="Rotation"
        value={entry.sender_rotation_id}
        note={rotationNote(rotations, "For “A rotation”.")}
        problems={problems}
        choices={[{ value: "", label: "Choose a rotation" }, ...rotations]}
      />
    </Group>
  );
}

function Fallback({ entry, problems, nameable }: PresetModel) {
  const rotations = rotationChoices(nameable);
  return (
    <Group
      legend="When that sender cannot send"
      note="Missing, inactive, not allowed, without an inbox, at the cap, away or outside the window. Tried in this order; a rotation's other members come first."
    >
      <SelectField
        name="fallback_rotation_id"
        label="Next, a sender of the rotation"
        value={entry.fallback_rotation_id}
        note={rotationNote(rotations)}
        problems={problems}
        choices={[{ value: "", label: "None" }, ...rotations]}
      />
      <CheckBox
        name="fallback_default"
        label="Then the account's default sender"
        isChecked={entry.fallback_default === "yes"}
      />
      <SelectField
        name="when_nobody"
        label="When nobody can send now, but somebody can later"
        value={entry.when_nobody}
        problems={problems}
        choices={[
          { value: "wait", label: "Wait for the first who can" },
          { value: "fail", label: "Fail with the reason" },
        ]}
      />
    </Group>
  );
}

/** Offered only where contacts can be taken out of a sequence, and where it was chosen before. */
const REPLACE = { value: "replace", label: "Is taken out of that sequence, then enrolled" };

function Contacts({ entry, problems, mayReplace }: PresetModel) {
  return (
    <Group legend="Contacts that were enrolled before">
      <SelectField
        name="if_already_enrolled"
        label="A contact that is in a sequence now"
        value={entry.if_already_enrolled}
        problems={problems}
        choices={[
          { value: "skip", label: "Goes on as a success" },
          { value: "fail", label: "Goes on as a failure" },
          { value: "wait", label: "Waits until that sequence ends" },
          ...(mayReplace || entry.if_already_enrolled === "replace" ? [REPLACE] : []),
        ]}
        note={mayReplace ? undefined : "Taking it out of that sequence first needs Settings → Unenroll."}
      />
      <div class="pair">
        <TextField
          name="cooldown_days"
          label="Cooldown, days"
          inputMode="numeric"
          value={entry.cooldown_days}
          note="0: none."
          problems={problems}
        />
        <SelectField
          name="cooldown_scope"
          label="Since the last enrollment in"
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

function Suppression({ entry, problems }: PresetModel) {
  return (
    <Group legend="Contacts that are never enrolled">
      <CheckBox
        name="check_opt_out"
        label="Contacts who opted out of all email"
        isChecked={entry.check_opt_out === "yes"}
        note="Checked before a request is spent; HubSpot refuses them anyway."
      />
      <TextArea
        name="domains"
        label="Contacts of these email domains"
        value={entry.domains}
        note="One per line, such as example.com; subdomains are included."
        problems={problems}
      />
      <TextField
        name="property_name"
        label="Contacts whose property"
        value={entry.property_name}
        note="Its internal name, such as lifecyclestage. Empty for none."
        problems={problems}
      />
      <TextArea
        name="property_values"
        label="has one of these values"
        value={entry.property_values}
        note="One per line, as stored in HubSpot; case is ignored."
        problems={problems}
      />
    </Group>
  );
}
