import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { FormState } from "../frame/versioned-form.js";
import type { RotationEntry } from "./rotation-entry.js";
import { MAX_WEIGHT, type StoredRotation } from "#domain/policy/rotation-store.js";
import type { Nameable } from "../words/names.js";
import { ChangedBeforeDelete, Conflict } from "../words/change-table.js";
import { CheckBox, Group, PostForm, ProblemSummary, SelectField, TextField } from "../frame/fields.js";
import { activePeople, peopleNote } from "../step/people-choices.js";
import { NEW_ROTATION_PATH, ROTATIONS_PATH } from "../words/paths.js";
import { percentOf } from "./rotations-page.js";
import { SENDERS_PATH } from "../senders/senders-page.js";
import { UsedByNote } from "../frame/used-by.js";
import { SitePage } from "../frame/shell.js";
import { unnamed } from "#domain/directory/people.js";

export interface RotationModel extends FormState<RotationEntry> {
  frame: Frame;
  /** Undefined for a new one. */
  saved: StoredRotation | undefined;
  nameable: Nameable;
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
      lead="A sender who is away, at the cap or refused by HubSpot is passed over, and the next one takes the turn."
    >
      <InUse presetNames={usedBy} />
      <ChangedBeforeDelete isShown={isChangedMeanwhile} />
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      {isUnsaved ? (
        <p class="notice wait" role="status">
          Not saved yet. Save the rotation when everybody is in it.
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
          label="A contact stays with the sender it had before"
          isChecked={entry.keeps_sender === "yes"}
          note="While that sender can send. Otherwise the next one takes over."
        />
        <Members {...model} />
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
            Try it
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
      <strong>This rotation is in use and was not deleted.</strong>{" "}
      {presetNames.length === 1 ? "The preset" : "The presets"}{" "}
      {presetNames.map((name) => `“${name}”`).join(", ")} {presetNames.length === 1 ? "names" : "name"} it.
      Choose another sender there first.
    </p>
  );
}

function Members({ saved, entry, nameable, problems, frame }: RotationModel) {
  const picks = new Map(saved?.members.map((member) => [member.userId.toString(), member.picks]));
  const weights = entry.members.map(({ weight }) => (/^\d{1,3}$/.test(weight) ? Number(weight) : 0));
  const totalWeight = weights.reduce((sum, weight) => sum + weight, 0);
  return (
    <Group
      legend="Senders"
      note={`Weights from 1 to ${MAX_WEIGHT} say how the contacts are shared. Turns start again when they change.`}
    >
      {entry.members.length === 0 ? <p class="note">Nobody yet.</p> : null}
      <ul class="members">
        {entry.members.map(({ userId, weight }, index) => (
          <li key={userId}>
            <input type="hidden" name="member" value={userId} />
            <TextField
              name={`weight_${userId}`}
              label={nameable.names.people.get(userId) ?? unnamed(userId)}
              inputMode="numeric"
              value={weight}
              problems={problems}
              note={`${percentOf(weights[index] ?? 0, totalWeight)} of the contacts · picks so far: ${frame.format.count(Number(picks.get(userId) ?? 0n))}`}
            />
            <button
              class="button quiet"
              name="remove"
              value={userId}
              aria-label={`Remove ${nameable.names.people.get(userId) ?? unnamed(userId)}`}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <NewMember saved={saved} entry={entry} nameable={nameable} problems={problems} />
    </Group>
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
        choices={[{ value: "", label: "Choose a person" }, ...others]}
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
      Everybody is in it. <a href={SENDERS_PATH}>See who they are</a>.
    </>
  );
}
