import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { Problems } from "../frame/problems.js";
import type { FormState } from "../frame/versioned-form.js";
import type { SenderEntry } from "./sender-entry.js";
import { DEFAULT_DAILY_CAP, MAX_DAILY_CAP } from "#domain/contract/sender-policy.js";
import type { SenderMarks } from "#domain/policy/sender-store.js";
import type { SenderItem } from "#domain/policy/sender-list.js";
import { Conflict } from "../words/change-table.js";
import { CheckBox, Group, SelectField, TextField, TimeField } from "../frame/fields.js";
import { PostForm, ProblemSummary } from "../frame/form.js";
import type { SenderImpact } from "#domain/history/attention/sender-impact.js";
import type { SenderPlaces } from "#domain/policy/sender-places.js";
import { ImpactCard } from "./sender-impact.js";
import { SitePage } from "../frame/shell.js";
import { ACTIVITY_PATH } from "../words/paths.js";
import { RefusalNotice } from "./sender-refusal.js";
import { SENDERS_PATH } from "./senders-address.js";
import { Status } from "./senders-table.js";
import type { StatusFacts } from "./sender-status.js";

export interface SenderModel extends FormState<SenderEntry> {
  frame: Frame;
  item: SenderItem;
  /** Which workflows may send by this person. */
  uses: FlowUses;
  facts: StatusFacts;
  /** Origin of the account's HubSpot UI. */
  hubspotUrl: string;
  /** What HubSpot said of the sender. */
  marks: SenderMarks;
  impact: SenderImpact;
  places: SenderPlaces;
  sentByDay: readonly number[];
  /** Time off was added or removed, and nothing is saved yet. */
  isUnsaved?: boolean;
}

export function SenderPage(model: SenderModel) {
  const { frame, item, uses, facts, entry, version, problems, conflict } = model;
  const { format } = frame;
  const path = `${SENDERS_PATH}/${item.userId}`;
  const seats = item.seatNames.length === 0 ? "Seats unknown." : `Seats: ${item.seatNames.join(", ")}.`;
  return (
    <SitePage
      frame={frame}
      current={SENDERS_PATH}
      title={item.label}
      lead={`${item.email ?? "No email address"}. ${seats} ${format.count(item.sentLastDay)} of ${format.count(item.dailyCap)} enrollments in the last 24 hours.`}
    >
      <p class="facts-line">
        <Status item={item} facts={facts} />{" "}
        <a href={`${ACTIVITY_PATH}?sender=${item.userId}`}>All contacts of this sender</a>
      </p>
      <RefusalNotice {...model} path={path} />
      <ImpactCard {...model} uses={uses} format={format} />
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      {model.isUnsaved === true ? (
        <p class="notice wait" role="status">
          Unsaved changes. Select Save when you're done.
        </p>
      ) : null}
      <PostForm action={path} formToken={frame.formToken} class="card editor">
        {/* The first button is the one that Enter presses. */}
        <button class="enter" tabIndex={-1} aria-hidden="true">
          Save
        </button>
        <input type="hidden" name="version" value={version} />
        <Identity item={item} facts={facts} entry={entry} problems={problems} />
        <Window frame={frame} entry={entry} problems={problems} />
        <Away entry={entry} problems={problems} />
        <div class="actions">
          <button class="button primary">Save</button>
          <a class="button" href={SENDERS_PATH}>
            All senders
          </a>
          <a class="button quiet" href={`/settings/try?sender=${item.userId}`}>
            Test a contact
          </a>
        </div>
      </PostForm>
    </SitePage>
  );
}

interface PartModel {
  entry: SenderEntry;
  problems: Problems;
}

function Identity({ item, facts, entry, problems }: PartModel & { item: SenderItem; facts: StatusFacts }) {
  return (
    <Group legend="Sending">
      <SelectField
        name="allowed"
        label="Can send"
        value={entry.allowed}
        problems={problems}
        choices={[
          { value: "", label: `Account default (${facts.onlyListed ? "no" : "yes"})` },
          { value: "yes", label: "Always" },
          { value: "no", label: "Never" },
        ]}
      />
      <TextField
        name="send_as_email"
        label="Inbox address"
        inputMode="email"
        value={entry.send_as_email}
        note={`Only if the connected inbox isn't ${item.email ?? "the sign-in address"}.`}
        problems={problems}
      />
      <TextField
        name="sender_alias"
        label="Alias (optional)"
        value={entry.sender_alias}
        note="Send from this alias of the inbox."
        problems={problems}
      />
      <TextField
        name="daily_cap"
        label="Daily cap"
        inputMode="numeric"
        value={entry.daily_cap}
        note={`Maximum enrollments in any 24 hours (1–${MAX_DAILY_CAP.toLocaleString("en-US")}). Leave blank for ${DEFAULT_DAILY_CAP}.`}
        problems={problems}
      />
    </Group>
  );
}

const WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function Window({ frame, entry, problems }: PartModel & { frame: Frame }) {
  return (
    <Group legend="Sending hours" note="Outside these hours, contacts wait or go to the next sender.">
      <Group legend="Days">
        <div class="checks" id="days">
          {WEEK.map((day, index) => (
            <CheckBox
              key={day}
              name="days"
              value={String(index + 1)}
              label={day}
              isChecked={entry.days.length === 0 || entry.days.includes(String(index + 1))}
            />
          ))}
        </div>
        {problems["days"] === undefined ? null : <p class="warning">{problems["days"]}</p>}
      </Group>
      <div class="pair">
        <TimeField name="window_from" label="From" value={entry.window_from} problems={problems} />
        <TimeField
          name="window_to"
          label="Until"
          value={entry.window_to}
          note="For an overnight window, choose an end time earlier than the start."
          problems={problems}
        />
      </div>
      <SelectField
        name="time_zone"
        label="Time zone"
        value={entry.time_zone}
        note="Used for sending hours and time off."
        problems={problems}
        choices={[
          { value: "", label: `Account time zone: ${frame.format.timeZone}` },
          ...TIME_ZONES.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") })),
        ]}
      />
    </Group>
  );
}

const TIME_ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

function Away({ entry, problems }: PartModel) {
  const problem = problems["away_from"];
  return (
    <Group legend="Time off" id="time-off">
      {problem === undefined ? null : (
        <p class="warning" id="away-problem">
          {problem}
        </p>
      )}
      {entry.away.length === 0 ? <p class="note">None planned.</p> : null}
      {entry.away.map(({ from, to }, index) => (
        <div class="time-off" key={index}>
          <label>
            First day
            <input
              type="date"
              id={index === 0 ? "away_from" : undefined}
              name="away_from"
              value={from}
              autofocus={from === "" && to === ""}
              aria-describedby={problem === undefined ? undefined : "away-problem"}
              aria-invalid={problem === undefined ? undefined : "true"}
            />
          </label>
          <label>
            Last day
            <input type="date" name="away_to" value={to} />
          </label>
          <button
            class="button quiet"
            name="remove_away"
            value={index}
            aria-label={`Remove time off ${index + 1}`}
          >
            Remove
          </button>
        </div>
      ))}
      <button class="button" name="add_away" value="yes">
        Add time off
      </button>
    </Group>
  );
}
