import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { Problems } from "../frame/problems.js";
import type { FormState } from "../frame/versioned-form.js";
import type { SenderEntry } from "./sender-entry.js";
import { DEFAULT_DAILY_CAP, MAX_DAILY_CAP } from "#domain/contract/sender-policy.js";
import type { SenderMarks } from "#domain/policy/sender-store.js";
import type { SenderItem } from "./sender-list.js";
import { Conflict } from "../words/change-table.js";
import { Time } from "../frame/connection.js";
import {
  CheckBox,
  Group,
  PostForm,
  ProblemSummary,
  SelectField,
  TextField,
  TimeField,
} from "../frame/fields.js";
import { UsedByNote } from "../frame/used-by.js";
import { SitePage } from "../frame/shell.js";
import { REFUSALS, SENDERS_PATH } from "./senders-page.js";

export interface SenderModel extends FormState<SenderEntry> {
  frame: Frame;
  item: SenderItem;
  /** Which workflows may send by this person. */
  uses: FlowUses;
  /** What HubSpot said of the sender. */
  marks: SenderMarks;
}

export function SenderPage({ frame, item, uses, marks, entry, version, problems, conflict }: SenderModel) {
  const path = `${SENDERS_PATH}/${item.userId}`;
  const seats = item.seatNames.length === 0 ? "Seats are not known." : `Seats: ${item.seatNames.join(", ")}.`;
  return (
    <SitePage
      frame={frame}
      current={SENDERS_PATH}
      title={item.label}
      lead={`${item.email ?? "No email address known"}. ${seats} Sent in the last 24 hours: ${frame.format.count(item.sentLastDay)} of ${frame.format.count(item.dailyCap)}.`}
    >
      <UsedByNote uses={uses} flows={uses.senders.get(String(item.userId))} />
      <Refusal frame={frame} marks={marks} path={path} />
      <ProblemSummary problems={problems} />
      <Conflict changes={conflict} />
      <PostForm action={path} formToken={frame.formToken} class="card editor">
        <input type="hidden" name="version" value={version} />
        <Identity item={item} entry={entry} problems={problems} />
        <Window frame={frame} entry={entry} problems={problems} />
        <Away entry={entry} problems={problems} />
        <div class="actions">
          <button class="button primary">Save</button>
          <a class="button" href={SENDERS_PATH}>
            All senders
          </a>
          <a class="button quiet" href={`/settings/try?sender=${item.userId}`}>
            Try it
          </a>
        </div>
      </PostForm>
    </SitePage>
  );
}

function Refusal({ frame, marks, path }: { frame: Frame; marks: SenderMarks; path: string }) {
  const { refusedCode, refusedMessage, refusedAt, limitedUntil } = marks;
  if (refusedCode === null && limitedUntil === null) return null;
  return (
    <div class="notice wait" id="refusal">
      {refusedCode === null ? null : (
        <p>
          <strong>HubSpot refused this sender: {REFUSALS[refusedCode] ?? refusedCode}.</strong>{" "}
          {refusedAt === null ? null : (
            <>
              Last on <Time date={refusedAt} format={frame.format} />.{" "}
            </>
          )}
          The sender is passed over until you clear this. Saving the form below clears it, too.
        </p>
      )}
      {refusedMessage === null ? null : <p class="quote">HubSpot said: {refusedMessage}</p>}
      {limitedUntil === null ? null : (
        <p>
          HubSpot said that the sender is at its own limit: passed over until{" "}
          <Time date={limitedUntil} format={frame.format} />.
        </p>
      )}
      <PostForm action={`${path}/clear`} formToken={frame.formToken}>
        <button class="button">Clear, and try this sender again</button>
      </PostForm>
    </div>
  );
}

interface PartModel {
  entry: SenderEntry;
  problems: Problems;
}

function Identity({ item, entry, problems }: PartModel & { item: SenderItem }) {
  return (
    <Group legend="Sending">
      <SelectField
        name="allowed"
        label="May send"
        value={entry.allowed}
        problems={problems}
        choices={[
          { value: "", label: "Account default" },
          { value: "yes", label: "Yes" },
          { value: "no", label: "No" },
        ]}
      />
      <TextField
        name="send_as_email"
        label="Send-as address"
        inputMode="email"
        value={entry.send_as_email}
        note={`The address of the connected inbox, where it is not ${item.email ?? "the sign-in address"}.`}
        problems={problems}
      />
      <TextField
        name="sender_alias"
        label="Alias"
        value={entry.sender_alias}
        note="An alias address of that inbox to send from; empty for none."
        problems={problems}
      />
      <TextField
        name="daily_cap"
        label="Daily cap"
        inputMode="numeric"
        value={entry.daily_cap}
        note={`Enrollments in any 24 hours, ${MAX_DAILY_CAP.toLocaleString("en-US")} at most. Empty: ${DEFAULT_DAILY_CAP}.`}
        problems={problems}
      />
    </Group>
  );
}

const WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function Window({ frame, entry, problems }: PartModel & { frame: Frame }) {
  return (
    <Group legend="Send window" note="Contacts that come at other times wait for the next window.">
      <Group legend="Days (none ticked: every day)">
        <div class="checks" id="days">
          {WEEK.map((day, index) => (
            <CheckBox
              key={day}
              name="days"
              value={String(index + 1)}
              label={day}
              isChecked={entry.days.includes(String(index + 1))}
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
          note="00:00 is midnight. An earlier time than “From” is on the next day."
          problems={problems}
        />
      </div>
      <SelectField
        name="time_zone"
        label="Time zone"
        value={entry.time_zone}
        note="Of the window and of the days away."
        problems={problems}
        choices={[
          { value: "", label: `The account's (${frame.format.timeZone})` },
          ...TIME_ZONES.map((zone) => ({ value: zone, label: zone.replaceAll("_", " ") })),
        ]}
      />
    </Group>
  );
}

const TIME_ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

const SPARE_ROWS = 2;

function Away({ entry, problems }: PartModel) {
  const rows = [...entry.away, ...Array.from({ length: SPARE_ROWS }, () => ({ from: "", to: "" }))];
  const problem = problems["away_from"];
  return (
    <Group legend="Away" note="First and last day of each absence. Empty both to remove one.">
      {problem === undefined ? null : (
        <p class="warning" id="away-problem">
          {problem}
        </p>
      )}
      {rows.map(({ from, to }, index) => (
        <div class="pair" key={index}>
          <input
            type="date"
            id={index === 0 ? "away_from" : undefined}
            name="away_from"
            value={from}
            aria-label={`First day of absence ${index + 1}`}
            aria-describedby={problem === undefined ? undefined : "away-problem"}
            aria-invalid={problem === undefined ? undefined : "true"}
          />
          <input type="date" name="away_to" value={to} aria-label={`Last day of absence ${index + 1}`} />
        </div>
      ))}
    </Group>
  );
}
