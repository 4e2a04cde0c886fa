import { z } from "zod";
import {
  IF_ALREADY_ENROLLED,
  LONGEST_ADDRESS,
  MAX_COOLDOWN_DAYS,
  SENDER_MODES,
  type EnrollInput,
} from "#domain/contract/actions/enroll-contract.js";
import type { EnrollRequest } from "#domain/contract/execution.js";
import { isPointInTime } from "#domain/contract/point-in-time.js";
import { cutText } from "#platform/text/storable-text.js";

/** The inputs of one call as text; undefined if the step leaves one empty. */
export type GivenInputs = Readonly<Partial<Record<EnrollInput, string | undefined>>>;

function oneOf<T extends string>(choices: readonly T[], given: string | undefined): T | undefined {
  return choices.find((choice) => choice === given);
}

const isId = (given: string): boolean => /^\d{1,18}$/.test(given);

function findSenderProblem(given: GivenInputs): string | undefined {
  const { sender_mode: mode, sender_user_id: userId, rotation_id: rotationId, sender_alias: alias } = given;
  if (oneOf(SENDER_MODES, mode) === undefined) return "Choose a valid option for “Send from”.";
  if (mode === "specific_user") {
    if (userId === undefined) return "No sender selected.";
    if (!isId(userId)) return "Choose a valid sender.";
  }
  if (mode === "rotation") {
    if (rotationId === undefined) return "No rotation selected.";
    if (!isId(rotationId)) return "Choose a valid rotation.";
  }
  if (alias !== undefined && !z.email().max(LONGEST_ADDRESS).safeParse(alias).success)
    return "The sender alias isn't an email address.";
  return undefined;
}

/** The first thing wrong with the inputs, in the words of the workflow editor; undefined when they are usable. */
export function findInputProblem(given: GivenInputs): string | undefined {
  if (given.sequence_id === undefined) return "No sequence selected.";
  if (!/^\d{1,20}$/.test(given.sequence_id)) return "Choose a valid sequence.";
  const senderProblem = findSenderProblem(given);
  if (senderProblem !== undefined) return senderProblem;
  const {
    preset_id: presetId,
    if_already_enrolled: ifEnrolled,
    cooldown_days: days,
    not_before: time,
  } = given;
  if (presetId !== undefined && !isId(presetId)) return "Choose a valid preset.";
  if (ifEnrolled !== undefined && oneOf(IF_ALREADY_ENROLLED, ifEnrolled) === undefined)
    return "Choose a valid option for “If the contact is already in a sequence”.";
  if (days !== undefined && !(/^\d{1,4}$/.test(days) && Number(days) <= MAX_COOLDOWN_DAYS))
    return `“Cooldown (days)” isn't a whole number from 0 to ${MAX_COOLDOWN_DAYS}.`;
  if (time !== undefined && !isPointInTime(time))
    return "“Enroll on or after” isn't a date, such as 2027-01-31, or a date and time.";
  return undefined;
}

function cut(given: string | undefined, longest: number): string | undefined {
  return given === undefined ? undefined : cutText(given, longest);
}

/** Without the members that are undefined: those are left to the preset. */
function withoutEmpty<T extends object>(choices: { [Name in keyof T]: T[Name] | undefined }): Partial<T> {
  const given: Partial<T> = {};
  for (const name in choices) {
    const choice = choices[name];
    if (choice !== undefined) given[name] = choice;
  }
  return given;
}

/** What the step decides itself; what it leaves empty stays undefined, so that the preset decides. */
export function readChoices(given: GivenInputs): Partial<EnrollRequest> {
  return withoutEmpty({
    senderMode: oneOf(SENDER_MODES, given.sender_mode),
    senderUserId: cut(given.sender_user_id, 64),
    rotationId: cut(given.rotation_id, 64),
    senderAlias: cut(given.sender_alias, LONGEST_ADDRESS),
    presetId: cut(given.preset_id, 64),
    ifAlreadyEnrolled: oneOf(IF_ALREADY_ENROLLED, given.if_already_enrolled),
    cooldownDays: given.cooldown_days === undefined ? undefined : Number(given.cooldown_days),
  });
}
