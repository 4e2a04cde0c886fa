import type { CloseChoices } from "#domain/imports/close-choices.js";
import type { EnrollmentDefaults } from "#domain/imports/enrollment-defaults.js";
import { IMPORT_FIELDS, type ImportField, type ImportMapping } from "#domain/imports/file/guess-mapping.js";
import type { Import } from "#domain/imports/import.js";
import type { FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";
import {
  EMPTY_STEP,
  parseStepEntry,
  readStepEntry,
  type ChosenStep,
  type StepOffers,
  type StepEntry,
} from "../step/step-entry.js";

import { closeEntryOf, parseCloseEntry, readCloseEntry, type CloseEntry } from "./close-entry.js";

/** How an import is set up, as it was typed: the places of columns, and what applies to every row. */
export interface SetUpEntry {
  /** The column's place, counted from 0; empty: none. */
  readonly columns: Readonly<Record<ImportField, string>>;
  readonly step: StepEntry;
  /** Of an import from Close, instead of the columns. */
  readonly close?: CloseEntry | undefined;
}

/** What is stored of it. */
export interface SetUpDraft {
  readonly mapping: ImportMapping;
  readonly defaults: EnrollmentDefaults;
  readonly choices?: CloseChoices;
}

type SetUp = Pick<Import, "columns" | "mapping" | "defaults" | "closeFacts" | "choices">;

/** The name of a column's field in the form. */
export const columnField = (field: ImportField): string => `column_${field}`;

const ofEach = <Value>(valueOf: (field: ImportField) => Value): Record<ImportField, Value> =>
  Object.fromEntries(IMPORT_FIELDS.map((field) => [field, valueOf(field)])) as Record<ImportField, Value>;

export function readSetUpEntry(form: FormFields, { closeFacts }: SetUp): SetUpEntry {
  return {
    columns: ofEach((field) => form.text(columnField(field))),
    step: readStepEntry(form),
    close: closeFacts === null ? undefined : readCloseEntry(form, closeFacts),
  };
}

/** The import as it is set up now. What a program named in words is shown as what it stands for. */
export function setUpEntryOf(
  { columns, mapping, defaults, closeFacts, choices: chosen }: SetUp,
  choices: StepOffers,
): SetUpEntry {
  const placeOf = (field: ImportField): string => {
    const place = columns.indexOf(mapping[field] ?? "");
    return place === -1 ? "" : String(place);
  };
  const close = closeFacts === null ? undefined : closeEntryOf(closeFacts, chosen);
  return { columns: ofEach(placeOf), step: stepOf(defaults, choices), close };
}

function stepOf(defaults: EnrollmentDefaults, choices: StepOffers): StepEntry {
  const { sequence, presetId, ifAlreadyEnrolled, cooldownDays, notBefore } = defaults;
  const sender: Partial<NonNullable<EnrollmentDefaults["sender"]>> = defaults.sender ?? {};
  const named = choices.sequences.filter(
    ({ name }) => sequence && "name" in sequence && name === sequence.name,
  );
  const userId = sender.userId ?? userOf(sender.email, choices);
  const implied = userId ? "specific_user" : sender.rotationId ? "rotation" : EMPTY_STEP.sender_mode;
  return {
    sequence_id: sequence && "id" in sequence ? sequence.id : (named[0]?.sequenceId ?? ""),
    preset_id: presetId ?? "",
    sender_mode: sender.mode ?? implied,
    sender_user_id: userId ?? "",
    rotation_id: sender.rotationId ?? "",
    sender_alias: sender.alias ?? "",
    if_already_enrolled: ifAlreadyEnrolled ?? "",
    cooldown_days: cooldownDays === undefined ? "" : String(cooldownDays),
    not_before: notBefore ?? "",
  };
}

function userOf(email: string | undefined, { nameable: { people } }: StepOffers): string | undefined {
  if (email === undefined) return undefined;
  return people.find((person) => person.email?.toLowerCase() === email.toLowerCase())?.userId.toString();
}

/** @param before the import that is set up: what the form has no field for stays. */
export function parseSetUpEntry(
  entry: SetUpEntry,
  before: SetUp,
  choices: StepOffers,
): { draft: SetUpDraft } | { problems: Problems } {
  const { close, step } = entry;
  if (close === undefined || before.closeFacts === null) return parseColumns(entry, before, choices);
  const chosen = parseCloseEntry(close, before.closeFacts, choices);
  const parsed = parseStepEntry(step, choices, { needsSequence: false });
  const problems = {
    ...("problems" in chosen && chosen.problems),
    ...("problems" in parsed && parsed.problems),
  };
  if ("problems" in chosen || "problems" in parsed) return { problems };
  const defaults = defaultsOf(parsed.step, before.defaults);
  return { draft: { mapping: before.mapping, defaults, choices: chosen.choices } };
}

function parseColumns(
  { columns, step }: SetUpEntry,
  before: SetUp,
  choices: StepOffers,
): { draft: SetUpDraft } | { problems: Problems } {
  const problems: Record<string, string> = {};
  const mapping: Partial<Record<ImportField, string>> = {};
  for (const field of IMPORT_FIELDS) {
    const place = columns[field];
    if (place === "") continue;
    const column = /^\d{1,3}$/.test(place) ? before.columns[Number(place)] : undefined;
    if (column === undefined) problems[columnField(field)] = "Choose a column of the file.";
    else mapping[field] = column;
  }
  if (mapping.email === undefined && mapping.contactId === undefined && Object.keys(problems).length === 0)
    problems[columnField("email")] =
      "Choose the column that names the contact: by email address, or by record id.";
  const needsSequence = mapping.sequenceId === undefined && mapping.sequenceName === undefined;
  const parsed = parseStepEntry(step, choices, { needsSequence });
  if ("problems" in parsed) return { problems: { ...problems, ...parsed.problems } };
  if (Object.keys(problems).length > 0) return { problems };
  return { draft: { mapping, defaults: defaultsOf(parsed.step, before.defaults) } };
}

function defaultsOf(step: ChosenStep, { reference }: EnrollmentDefaults): EnrollmentDefaults {
  const { sequenceId, presetId, sender, senderAlias, ...rest } = step;
  return {
    ...rest,
    ...(reference === undefined ? {} : { reference }),
    ...(sequenceId === undefined ? {} : { sequence: { id: sequenceId } }),
    ...(presetId === null ? {} : { presetId: String(presetId) }),
    sender: {
      mode: sender.mode,
      ...(sender.mode === "specific_user" ? { userId: String(sender.userId) } : {}),
      ...(sender.mode === "rotation" ? { rotationId: String(sender.rotationId) } : {}),
      ...(senderAlias === undefined ? {} : { alias: senderAlias }),
    },
  };
}
