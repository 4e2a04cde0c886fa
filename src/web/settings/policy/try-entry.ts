import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
} from "#domain/contract/actions/enroll-contract.js";
import { isPointInTime } from "#domain/contract/point-in-time.js";
import type { NamedSequence } from "#domain/directory/people.js";
import type { StoredPreset } from "#domain/policy/preset-store.js";
import type { EnrollQuestion, RequestedSender } from "#domain/senders/explanation.js";
import { readId, type FormFields } from "#web/kit/form-fields.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import type { Nameable } from "../words/names.js";

/** The question as it was typed. */
export interface TryEntry {
  contact: string;
  sequence_id: string;
  preset_id: string;
  sender_mode: string;
  sender_user_id: string;
  rotation_id: string;
  sender_alias: string;
  if_already_enrolled: string;
  cooldown_days: string;
  not_before: string;
}

/** What the question can be put together from. */
export interface TryChoices {
  sequences: readonly NamedSequence[];
  presets: readonly Pick<StoredPreset, "presetId" | "name">[];
  nameable: Nameable;
}

export const EMPTY_TRY: TryEntry = {
  contact: "",
  sequence_id: "",
  preset_id: "",
  sender_mode: "portal_default",
  sender_user_id: "",
  rotation_id: "",
  sender_alias: "",
  if_already_enrolled: "",
  cooldown_days: "",
  not_before: "",
};

const tryForm = z.object({
  contact: z.union(
    [z.string().regex(/^\d{1,18}$/), z.email().max(LONGEST_ADDRESS)],
    "Enter the contact's email address, or its record id.",
  ),
  sequence_id: z.string().regex(/^\d{1,20}$/, "Choose a sequence."),
  sender_mode: z.enum(SENDER_MODES, "Choose who is to send."),
  sender_alias: z.union([
    z.literal(""),
    z.email("The alias has to be an email address, or nothing.").max(LONGEST_ADDRESS),
  ]),
  if_already_enrolled: z.enum(["", ...IF_ALREADY_ENROLLED], "Choose one of the list."),
  cooldown_days: z
    .string()
    .refine(
      (text) => text === "" || (/^\d{1,4}$/.test(text) && Number(text) <= MAX_COOLDOWN_DAYS),
      `Enter the cooldown as a whole number of days from 0 to ${MAX_COOLDOWN_DAYS.toLocaleString("en-US")}, or nothing.`,
    ),
  not_before: z
    .string()
    .refine((text) => text === "" || isPointInTime(text), "Enter a day such as 2027-01-31, or nothing."),
});

/** Names of this portal only: whatever else is typed is a problem of its field. */
export function parseTryEntry(
  entry: TryEntry,
  { presets, nameable }: TryChoices,
): { question: EnrollQuestion } | { problems: Problems } {
  const parsed = tryForm.safeParse(entry);
  const problems: Record<string, string> = parsed.success ? {} : { ...problemsOf(parsed.error) };
  const { preset_id, sender_mode, sender_user_id, rotation_id } = entry;
  if (preset_id !== "" && !presets.some(({ presetId }) => presetId.toString() === preset_id))
    problems["preset_id"] = "Choose a preset from the list.";
  if (sender_mode === "specific_user" && !nameable.names.people.has(sender_user_id))
    problems["sender_user_id"] = "Choose the user to send as.";
  if (sender_mode === "rotation" && !nameable.names.rotations.has(rotation_id))
    problems["rotation_id"] = "Choose a rotation.";
  if (!parsed.success || Object.keys(problems).length > 0) return { problems };
  return {
    question: {
      contact: parsed.data.contact,
      sequenceId: parsed.data.sequence_id,
      presetId: preset_id === "" ? null : BigInt(preset_id),
      sender: toSender(parsed.data.sender_mode, entry),
      ...toChoices(parsed.data),
    },
  };
}

type Typed = z.output<typeof tryForm>;

/** What is left empty stays the preset's to decide. */
function toChoices({ sender_alias, if_already_enrolled, cooldown_days, not_before }: Typed) {
  return {
    ...(sender_alias === "" ? {} : { senderAlias: sender_alias }),
    ...(if_already_enrolled === "" ? {} : { ifAlreadyEnrolled: if_already_enrolled }),
    ...(cooldown_days === "" ? {} : { cooldownDays: Number(cooldown_days) }),
    ...(not_before === "" ? {} : { notBefore: not_before }),
  };
}

function toSender(mode: RequestedSender["mode"], entry: TryEntry): RequestedSender {
  if (mode === "specific_user") return { mode, userId: BigInt(entry.sender_user_id) };
  if (mode === "rotation") return { mode, rotationId: BigInt(entry.rotation_id) };
  return { mode };
}

export function readTryEntry(form: FormFields): TryEntry {
  return {
    contact: form.text("contact"),
    sequence_id: form.text("sequence_id"),
    preset_id: form.text("preset_id"),
    sender_mode: form.text("sender_mode"),
    sender_user_id: form.text("sender_user_id"),
    rotation_id: form.text("rotation_id"),
    sender_alias: form.text("sender_alias"),
    if_already_enrolled: form.text("if_already_enrolled"),
    cooldown_days: form.text("cooldown_days"),
    not_before: form.text("not_before"),
  };
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
