import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { FormState } from "../frame/versioned-form.js";
import type { RotationEntry } from "./rotation-entry.js";
import { MemberRows, type MembersModel } from "./rotation-members.js";
import type { StoredRotation } from "#domain/policy/rotation-store.js";
import { ChangedBeforeDelete, Conflict } from "../words/change-table.js";
import { CheckBox, SelectField, TextField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import { activePeople, peopleNote } from "../step/people-choices.js";
import { NEW_ROTATION_PATH, ROTATIONS_PATH } from "../words/paths.js";
import { SENDERS_PATH } from "../senders/senders-address.js";
import { UsedByNote } from "../frame/used-by.js";
import { SitePage } from "../frame/shell.js";

export interface RotationModel extends FormState<RotationEntry>, MembersModel {
  /** Which workflows depend on it. */
  uses: FlowUses;
  /** Presets that keep it from being deleted. */
  usedBy?: readonly string[];
  /** Another admin's save kept it from being deleted. */
  isChangedMeanwhile?: boolean;
  /** The form shows more or fewer senders than are saved. */
  isUnsaved?: boolean;
}

export function RotationPage(model: RotationModel) {
  const { frame, saved, entry, version, problems, conflict, usedBy, isUnsaved } = model;
  const isChangedMeanwhile = model.isChangedMeanwhile === true;
  const path = pathOf(saved);
  return (
    <SitePage
      frame={frame}
      current={ROTATIONS_PATH}
      title={saved?.name ?? "New rotation"}
      lead="Senders who are away, at their cap, or can't send are skipped."
    >
      <InUse presetNames={usedBy} />
      <ChangedBeforeDelete isShown={isChangedMeanwhile} />
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      {isUnsaved ? (
        <p class="notice wait" role="status">
          Unsaved changes. Select Save when you're done.
        </p>
      ) : null}
      <PostForm action={path} formToken={frame.formToken} class="card editor" id="rotation">
        {/* The first button is the one that Enter presses. */}
        <button class="enter" tabIndex={-1} aria-hidden="true">
          Save
        </button>
        <input type="hidden" name="version" value={version} />
        <TextField name="name" label="Name" value={entry.name} problems={problems} />
        <CheckBox
          name="keeps_sender"
          label="Keep contacts with the same sender"
          isChecked={entry.keeps_sender === "yes"}
          note="If that sender can't send, the next one does."
        />
        <MemberRows {...model}>
          <NewMember {...model} />
        </MemberRows>
      </PostForm>
      <div class="actions">
        <button class="button primary" form="rotation">
          Save
        </button>
        <a class="button" href={ROTATIONS_PATH}>
          All rotations
        </a>
        {saved === undefined ? null : (
          <a class="button quiet" href={`/settings/try?rotation=${saved.rotationId}`}>
            Test a contact
          </a>
        )}
        {saved === undefined ? null : (
          <Delete frame={frame} saved={saved} version={version} uses={model.uses} />
        )}
      </div>
    </SitePage>
  );
}

type DeleteModel = Pick<RotationModel, "frame" | "version" | "uses"> & { saved: StoredRotation };

function Delete({ frame, saved, version, uses }: DeleteModel) {
  return (
    <details class="confirm">
      <summary>Delete this rotation</summary>
      <p>Actions of workflows that use this rotation will fail until you choose another sender in them.</p>
      <UsedByNote uses={uses} flows={uses.rotations.get(String(saved.rotationId))} />
      <PostForm action={`${pathOf(saved)}/delete`} formToken={frame.formToken}>
        <input type="hidden" name="version" value={version} />
        <button class="button danger">Delete</button>
      </PostForm>
    </details>
  );
}

function pathOf(saved: StoredRotation | undefined): string {
  return saved === undefined ? NEW_ROTATION_PATH : `${ROTATIONS_PATH}/${saved.rotationId}`;
}

function InUse({ presetNames }: { presetNames: readonly string[] | undefined }) {
  if (presetNames === undefined) return null;
  return (
    <p class="notice bad" role="alert">
      <strong>Can't delete:</strong> {presetNames.length === 1 ? "preset" : "presets"}{" "}
      {presetNames.map((name) => `“${name}”`).join(", ")} {presetNames.length === 1 ? "uses" : "use"} this
      rotation. Change the {presetNames.length === 1 ? "preset" : "presets"} first.
    </p>
  );
}

function NewMember({
  saved,
  entry,
  nameable,
  problems,
}: Pick<RotationModel, "saved" | "entry" | "nameable" | "problems">) {
  const taken = new Set(entry.members.map(({ userId }) => userId));
  const people = activePeople(nameable);
  const others = people.filter(({ value }) => !taken.has(value));
  const isFull = people.length > 0 && others.length === 0;
  return (
    <div class="add">
      <SelectField
        name="new_member"
        label="Add a sender"
        value=""
        note={isFull ? <EverybodyIn /> : peopleNote(people, { page: pathOf(saved) })}
        problems={problems}
        choices={[{ value: "", label: "Choose a user" }, ...others]}
      />
      {others.length === 0 ? null : (
        <button class="button" name="add" value="yes">
          Add
        </button>
      )}
    </div>
  );
}

function EverybodyIn() {
  return (
    <>
      All senders are in this rotation. <a href={SENDERS_PATH}>See senders</a>.
    </>
  );
}
