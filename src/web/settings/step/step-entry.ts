import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
  type IfAlreadyEnrolled,
} from "#domain/contract/actions/enroll-contract.js";
import { isPointInTime } from "#domain/contract/point-in-time.js";
import { listSequences, type NamedSequence } from "#domain/directory/people.js";
import { listPresetNames, type StoredPreset } from "#domain/policy/preset-store.js";
import type { RequestedSender } from "#domain/senders/explanation.js";
import type { Database } from "#platform/db/client.js";
import type { PortalId } from "#platform/ids/branded-ids.js";
import type { FormFields } from "#web/kit/form-fields.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import { readNameable, type Nameable } from "../words/names.js";

/** What a workflow's step says of an enrollment besides its contact, as it was typed. */
export interface StepEntry {
  readonly sequence_id: string;
  readonly preset_id: string;
  readonly sender_mode: string;
  readonly sender_user_id: string;
  readonly rotation_id: string;
  readonly sender_alias: string;
  readonly if_already_enrolled: string;
  readonly cooldown_days: string;
  readonly not_before: string;
}

/** The same with ids of this account and values that can be used. */
export interface ChosenStep {
  /** Undefined: none was chosen. */
  readonly sequenceId: string | undefined;
  readonly presetId: bigint | null;
  readonly sender: RequestedSender;
  readonly senderAlias?: string;
  readonly ifAlreadyEnrolled?: IfAlreadyEnrolled;
  readonly cooldownDays?: number;
  readonly notBefore?: string;
}

/** What the fields offer. */
export interface StepOffers {
  readonly sequences: readonly NamedSequence[];
  readonly presets: readonly Pick<StoredPreset, "presetId" | "name">[];
  readonly nameable: Nameable;
}

export const EMPTY_STEP: StepEntry = {
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

const stepForm = z.object({
  sequence_id: z.string().regex(/^\d{0,20}$/, "Choose a sequence."),
  sender_mode: z.enum(SENDER_MODES, "Choose who sends."),
  sender_alias: z.union([
    z.literal(""),
    z.email("Enter a full email address as alias, or leave it blank.").max(LONGEST_ADDRESS),
  ]),
  if_already_enrolled: z.enum(["", ...IF_ALREADY_ENROLLED], "Choose an option from the list."),
  cooldown_days: z
    .string()
    .refine(
      (text) => text === "" || (/^\d{1,4}$/.test(text) && Number(text) <= MAX_COOLDOWN_DAYS),
      `Enter a cooldown in whole days from 0 to ${MAX_COOLDOWN_DAYS.toLocaleString("en-US")}, or leave it blank.`,
    ),
  not_before: z
    .string()
    .refine(
      (text) => text === "" || isPointInTime(text),
      "Enter a day such as 2027-01-31, or leave it blank.",
    ),
});

type Typed = z.output<typeof stepForm>;

export async function readStepOffers(database: Database, portalId: PortalId): Promise<StepOffers> {
  const [sequences, presets, nameable] = await Promise.all([
    listSequences(database.pool, portalId),
    listPresetNames(database, portalId),
    readNameable(database, portalId),
  ]);
  return { sequences, presets, nameable };
}

export function readStepEntry(form: FormFields): StepEntry {
  return {
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

/**
 * Names of this account only: whatever else is typed is a problem of its field.
 *
 * @param needsSequence false if something else may name it.
 */
export function parseStepEntry(
  entry: StepEntry,
  { presets, nameable }: StepOffers,
  { needsSequence }: { needsSequence: boolean },
): { step: ChosenStep } | { problems: Problems } {
  const parsed = stepForm.safeParse(entry);
  const problems: Record<string, string> = parsed.success ? {} : { ...problemsOf(parsed.error) };
  const { sequence_id, preset_id, sender_mode, sender_user_id, rotation_id } = entry;
  if (needsSequence && sequence_id === "") problems["sequence_id"] = "Choose a sequence.";
  if (preset_id !== "" && !presets.some(({ presetId }) => presetId.toString() === preset_id))
    problems["preset_id"] = "Choose a preset from the list.";
  if (sender_mode === "specific_user" && !nameable.names.people.has(sender_user_id))
    problems["sender_user_id"] = "Choose a user.";
  if (sender_mode === "rotation" && !nameable.names.rotations.has(rotation_id))
    problems["rotation_id"] = "Choose a rotation.";
  if (!parsed.success || Object.keys(problems).length > 0) return { problems };
  return {
    step: {
      sequenceId: sequence_id === "" ? undefined : sequence_id,
      presetId: preset_id === "" ? null : BigInt(preset_id),
      sender: toSender(parsed.data.sender_mode, entry),
      ...leftToPreset(parsed.data),
    },
  };
}

/** What is left empty stays the preset's to decide. */
function leftToPreset({ sender_alias, if_already_enrolled, cooldown_days, not_before }: Typed) {
  return {
    ...(sender_alias === "" ? {} : { senderAlias: sender_alias }),
    ...(if_already_enrolled === "" ? {} : { ifAlreadyEnrolled: if_already_enrolled }),
    ...(cooldown_days === "" ? {} : { cooldownDays: Number(cooldown_days) }),
    ...(not_before === "" ? {} : { notBefore: not_before }),
  };
}

function toSender(mode: RequestedSender["mode"], entry: StepEntry): RequestedSender {
  if (mode === "specific_user") return { mode, userId: BigInt(entry.sender_user_id) };
  if (mode === "rotation") return { mode, rotationId: BigInt(entry.rotation_id) };
  return { mode };
}
