import type { CloseChoices, CloseFacts } from "#domain/imports/close-choices.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";
import type { StepOffers } from "../step/step-entry.js";

/** Which subscriptions of Close are enrolled, as it was typed: by the places of their names in what was read. */
export interface CloseEntry {
  readonly statuses: readonly string[];
  /** HubSpot's id of a sequence, or empty. */
  readonly sequences: readonly string[];
  /** HubSpot's id of a user, or empty. */
  readonly senders: readonly string[];
}

export const sequenceField = (place: number): string => `close_sequence_${place}`;
export const senderField = (place: number): string => `close_sender_${place}`;

export function readCloseEntry(form: FormFields, { sequences, senders }: CloseFacts): CloseEntry {
  return {
    statuses: form.texts("close_status").filter((status) => status !== ""),
    sequences: sequences.map((_, place) => form.text(sequenceField(place))),
    senders: senders.map((_, place) => form.text(senderField(place))),
  };
}

export function closeEntryOf({ sequences, senders }: CloseFacts, choices: CloseChoices): CloseEntry {
  return {
    statuses: choices.statuses ?? [],
    sequences: sequences.map(({ id }) => choices.sequences?.[id] ?? ""),
    senders: senders.map(({ email }) => choices.senders?.[email] ?? ""),
  };
}

/** Names of this account only. */
export function parseCloseEntry(
  entry: CloseEntry,
  facts: CloseFacts,
  { sequences, nameable }: StepOffers,
): { choices: CloseChoices } | { problems: Problems } {
  const problems: Record<string, string> = {};
  const known = new Set(sequences.map(({ sequenceId }) => sequenceId));
  entry.sequences.forEach((id, place) => {
    if (id !== "" && !known.has(id)) problems[sequenceField(place)] = "Choose a sequence from the list.";
  });
  entry.senders.forEach((id, place) => {
    if (id !== "" && !nameable.names.people.has(id))
      problems[senderField(place)] = "Choose a person from the list.";
  });
  if (entry.statuses.length === 0) problems["close_status"] = "Choose at least one status.";
  if (entry.sequences.every((id) => id === ""))
    problems[sequenceField(0)] = "Choose a HubSpot sequence for at least one of Close's.";
  if (Object.keys(problems).length > 0) return { problems };
  const chosen = (ids: readonly string[], names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.flatMap((name, place) => (ids[place] ? [[name, ids[place]] as const] : [])));
  return {
    choices: {
      statuses: entry.statuses.filter((status) => facts.statuses.some((one) => one.status === status)),
      sequences: chosen(
        entry.sequences,
        facts.sequences.map(({ id }) => id),
      ),
      senders: chosen(
        entry.senders,
        facts.senders.map(({ email }) => email),
      ),
    },
  };
}
