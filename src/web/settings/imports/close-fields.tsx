import type { CloseFacts } from "#domain/imports/close-choices.js";
import { shorten } from "#platform/text/shorten.js";
import { CheckBox, Group, SelectField } from "../frame/fields.js";
import type { Problems } from "../frame/problems.js";
import { activePeople } from "../step/people-choices.js";
import type { StepOffers } from "../step/step-entry.js";
import { numbered } from "../words/format.js";
import { LONGEST_LABEL } from "../words/names.js";
import { senderField, sequenceField, type CloseEntry } from "./close-entry.js";

export interface CloseFieldsModel {
  readonly facts: CloseFacts;
  readonly entry: CloseEntry;
  readonly choices: StepOffers;
  readonly problems: Problems;
}

/** Which contacts of Close are enrolled, in what, and who sends. */
export function CloseFields(model: CloseFieldsModel) {
  const { facts, entry, choices, problems } = model;
  const sequences = choices.sequences.map(({ sequenceId, name }) => ({ value: sequenceId, label: name }));
  const people = activePeople(choices.nameable);
  return (
    <>
      <div id="close_status">
        <Group legend="Status in Close" note="Contacts with these statuses are enrolled.">
          {problems["close_status"] === undefined ? null : <p class="warning">{problems["close_status"]}</p>}
          {facts.statuses.map(({ status, count }) => (
            <CheckBox
              key={status}
              name="close_status"
              value={status}
              label={`${shorten(status, LONGEST_LABEL)} · ${numbered(count, "contact")}`}
              isChecked={entry.statuses.includes(status)}
            />
          ))}
        </Group>
      </div>
      <Group
        legend="Sequences"
        note="For each sequence in Close, choose the HubSpot sequence to enroll its contacts in. They start with the first step."
      >
        {facts.sequences.map(({ id, name, count }, place) => (
          <SelectField
            key={id}
            name={sequenceField(place)}
            label={`${shorten(name, LONGEST_LABEL)} · ${numbered(count, "contact")}`}
            value={entry.sequences[place] ?? ""}
            problems={problems}
            choices={[{ value: "", label: "Skip these contacts" }, ...sequences]}
          />
        ))}
      </Group>
      <Group legend="Senders" note="For each sender in Close, choose who sends in HubSpot.">
        {facts.senders.map(({ email, count }, place) => (
          <SelectField
            key={email}
            name={senderField(place)}
            label={`${shorten(email, LONGEST_LABEL)} · ${numbered(count, "contact")}`}
            value={entry.senders[place] ?? ""}
            problems={problems}
            choices={[{ value: "", label: "As chosen below" }, ...people]}
          />
        ))}
      </Group>
    </>
  );
}
