import type { UnsupportedPreset } from "#domain/policy/fallback-presets.js";
import { CheckBox, Group } from "../frame/fields.js";
import { PostForm } from "../frame/form.js";
import type { FlowUses } from "#domain/flows/flow-uses.js";
import { UsedByNote } from "../frame/used-by.js";
import { LONGEST_LABEL } from "../words/names.js";
import { fullLabel, unnamed, type PeopleList } from "#domain/directory/people.js";
import { CutNote } from "../frame/cut-note.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { numbered } from "../words/format.js";
import { shorten } from "#platform/text/shorten.js";

export interface SenderFormModel {
  current: { userId: UserId | null; version: number };
  senders: PeopleList;
  formToken: string;
  /** Which workflows may send by it. */
  uses: FlowUses;
  /** Presets by which it sends. */
  within: readonly Pick<UnsupportedPreset, "presetId" | "name">[];
  /** Presets that never come to it. */
  without: readonly UnsupportedPreset[];
}

export function SenderForm({ current, senders, formToken, uses, within, without }: SenderFormModel) {
  const options = senders.people;
  return (
    <section class="card" aria-labelledby="sender-title">
      <div class="card-head">
        <h2 id="sender-title">Default sender</h2>
      </div>
      <PostForm action="/settings/default-sender" formToken={formToken}>
        <input type="hidden" name="version" value={current.version} />
        <label for="sender">Sender</label>
        <SenderSelect current={current} senders={senders} />
        <p class="note" id="sender-note">
          {options.length === 0
            ? "We're still loading your users from HubSpot. Reload in a minute."
            : "Sends when a preset or action uses the default sender. Needs a connected inbox and a Sales or Service seat."}
        </p>
        <Within presets={within} />
        <UsedByNote uses={uses} flows={uses.defaultSender} />
        <WithoutIt presets={without} />
        <CutNote list={senders} />
        <button class="button primary" disabled={options.length === 0 && current.userId === null}>
          Save
        </button>
      </PostForm>
    </section>
  );
}

/** "Sends by 2 presets: House rules, Inbound" */
function Within({ presets }: { presets: SenderFormModel["within"] }) {
  if (presets.length === 0)
    return <p class="note">No preset uses the default sender yet; the built-in rules do.</p>;
  return (
    <p class="note" id="sender-presets">
      Used by {numbered(presets.length, "preset")}:{" "}
      {presets.map(({ presetId, name }, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/settings/presets/${presetId}`}>
            <bdi>{shorten(name, LONGEST_LABEL)}</bdi>
          </a>
        </>
      ))}
      ; and by the built-in rules.
    </p>
  );
}

/** The default sender helps only where presets come to it: both are decided here in one go. */
function WithoutIt({ presets }: { presets: readonly UnsupportedPreset[] }) {
  if (presets.length === 0) return null;
  return (
    <Group legend="Also use it as the fallback in">
      <div class="checks">
        {presets.map(({ presetId, name, version }) => (
          <CheckBox
            key={String(presetId)}
            name="fallback_in"
            value={`${presetId}-${version}`}
            label={shorten(name, LONGEST_LABEL)}
            isChecked={false}
          />
        ))}
      </div>
      {presets.length === 1 ? null : (
        <CheckBox name="fallback_in_all" label={`All ${presets.length} presets`} isChecked={false} />
      )}
    </Group>
  );
}

export function SenderSelect({
  current,
  senders,
  id = "sender",
}: Pick<SenderFormModel, "current" | "senders"> & { id?: string }) {
  const isGone = current.userId !== null && !senders.people.some(({ userId }) => userId === current.userId);
  return (
    <select id={id} name="sender_user_id" aria-describedby={id === "sender" ? "sender-note" : undefined}>
      <option value="" selected={current.userId === null}>
        No default sender
      </option>
      {isGone ? (
        <option value={String(current.userId)} selected>
          {unnamed(String(current.userId))} (inactive)
        </option>
      ) : null}
      {senders.people.map((person) => (
        <option
          key={String(person.userId)}
          value={String(person.userId)}
          selected={person.userId === current.userId}
        >
          {shorten(fullLabel(person), LONGEST_LABEL)}
        </option>
      ))}
    </select>
  );
}
