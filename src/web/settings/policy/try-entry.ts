import { z } from "zod";
import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import type { EnrollQuestion } from "#domain/senders/explanation.js";
import { readId, type FormFields } from "#web/kit/form-fields.js";
import type { Problems } from "../frame/problems.js";
import {
  EMPTY_STEP,
  parseStepEntry,
  readStepEntry,
  type StepOffers,
  type StepEntry,
} from "../step/step-entry.js";

/** The question as it was typed. */
export interface TryEntry extends StepEntry {
  readonly contact: string;
}

export const EMPTY_TRY: TryEntry = { ...EMPTY_STEP, contact: "" };

const contactField = z.union([z.string().regex(/^\d{1,18}$/), z.email().max(LONGEST_ADDRESS)]);

/** Names of this portal only: whatever else is typed is a problem of its field. */
export function parseTryEntry(
  entry: TryEntry,
  choices: StepOffers,
): { question: EnrollQuestion } | { problems: Problems } {
  const contact = contactField.safeParse(entry.contact);
  const contactProblem = contact.success
    ? {}
    : { contact: "Enter the contact's email address or contact ID." };
  const parsed = parseStepEntry(entry, choices, { needsSequence: true });
  if ("problems" in parsed) return { problems: { ...contactProblem, ...parsed.problems } };
  const { sequenceId, ...step } = parsed.step;
  if (!contact.success || sequenceId === undefined) return { problems: contactProblem };
  return { question: { contact: contact.data, sequenceId, ...step } };
}

export function readTryEntry(form: FormFields): TryEntry {
  return { ...readStepEntry(form), contact: form.text("contact") };
}

/** What another page's link names: `?preset=3`, `?sender=7` or `?rotation=5`. No contact stands in an address. */
export function linkedTryEntry(fields: FormFields): TryEntry {
  const [preset, sender, rotation] = ["preset", "sender", "rotation"].map(
    (name) => readId(fields.text(name))?.toString() ?? "",
  );
  return {
    ...EMPTY_TRY,
    preset_id: preset ?? "",
    ...(sender ? { sender_mode: "specific_user", sender_user_id: sender } : {}),
    ...(rotation ? { sender_mode: "rotation", rotation_id: rotation } : {}),
  };
}
