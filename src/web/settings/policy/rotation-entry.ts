import { z } from "zod";
import {
  LONGEST_NAME,
  MAX_MEMBERS,
  MAX_WEIGHT,
  type RotationDraft,
  type StoredRotation,
} from "#domain/policy/rotation-store.js";
import type { Nameable } from "../words/names.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import type { FormFields } from "#web/kit/form-fields.js";
import { unnamed } from "#domain/directory/people.js";

/** A rotation's form as texts: what was saved, or what was typed. */
export interface RotationEntry {
  name: string;
  keeps_sender: string;
  members: readonly MemberEntry[];
}

export interface MemberEntry {
  userId: string;
  weight: string;
  /** Days on which the sender sends, as typed here; undefined: the form did not show them. */
  days?: MemberDays;
}

/** The sender's own setting, which rotations only show. */
export interface MemberDays {
  readonly days: readonly string[];
  /** Of the sender, as the form showed it. */
  readonly version: number;
}

export function readRotationEntry(form: FormFields): RotationEntry {
  const userIds = [...new Set(form.texts("member"))].filter((id) => /^\d{1,18}$/.test(id));
  const members = userIds.map((userId) => ({
    userId,
    weight: form.text(`weight_${userId}`),
    ...(form.has(`days_version_${userId}`) ? { days: readDays(form, userId) } : {}),
  }));
  return { name: form.text("name"), keeps_sender: form.text("keeps_sender"), members };
}

function readDays(form: FormFields, userId: string): MemberDays {
  const days = form.texts(`days_${userId}`).filter((day) => /^[1-7]$/.test(day));
  return { days, version: form.version(`days_version_${userId}`) };
}

export const EMPTY_ROTATION: RotationEntry = { name: "", keeps_sender: "", members: [] };

export function rotationEntryOf({ name, keepsSender, members }: StoredRotation): RotationEntry {
  return {
    name,
    keeps_sender: keepsSender ? "yes" : "",
    members: members.map(({ userId, weight }) => ({ userId: userId.toString(), weight: String(weight) })),
  };
}

/** The form with a sender more or less, as its buttons ask for. Undefined if neither was pressed: it is to be saved. */
export function rearrange(entry: RotationEntry, form: FormFields): RotationEntry | undefined {
  const [added, removed] = [form.text("new_member"), form.text("remove")];
  if (removed !== "") return { ...entry, members: entry.members.filter(({ userId }) => userId !== removed) };
  if (!form.has("add")) return undefined;
  if (!/^\d{1,18}$/.test(added) || entry.members.some(({ userId }) => userId === added)) return entry;
  return { ...entry, members: [...entry.members, { userId: added, weight: "1" }] };
}

/** A name that tells one thing from another in lists and dropdowns. */
export const nameField = z
  .string()
  .min(1, "Enter a name.")
  .max(LONGEST_NAME, `Use up to ${LONGEST_NAME} characters for the name.`);

const rotationForm = z.object({
  name: nameField,
  members: z
    .array(z.unknown())
    .min(1, "Add at least one sender.")
    .max(MAX_MEMBERS, `You can add up to ${MAX_MEMBERS} senders.`),
});

/** What was typed as a draft, or what is wrong with it by field. Members have to be people of this portal. */
export function parseRotationEntry(
  entry: RotationEntry,
  { names }: Nameable,
): { draft: RotationDraft } | { problems: Problems } {
  const parsed = rotationForm.safeParse(entry);
  const { members, ...named } = parsed.success ? {} : (problemsOf(parsed.error) as Record<string, string>);
  const problems: Record<string, string> = { ...named, ...(members ? { new_member: members } : {}) };
  for (const { userId, weight } of entry.members) {
    const field = `weight_${userId}`;
    if (!names.people.has(userId))
      problems[field] = `${unnamed(userId)} isn't a user of this account. Remove them.`;
    else if (weightOf(weight) === undefined)
      problems[field] = `Enter a weight from 0.25 to ${MAX_WEIGHT} for ${names.people.get(userId)}.`;
  }
  if (Object.keys(problems).length > 0) return { problems };
  const weights = wholeWeights(entry.members.map(({ weight }) => weightOf(weight) ?? 0));
  if (weights === undefined)
    return { problems: { new_member: "These weights are too far apart. Use whole numbers up to 100." } };
  return {
    draft: {
      name: entry.name,
      keepsSender: entry.keeps_sender === "yes",
      members: entry.members.map(({ userId }, index) => ({
        userId: BigInt(userId),
        weight: weights[index] ?? 1,
      })),
    },
  };
}

/** A weight as typed, in quarters: 0.5 gets half of what others with 1 get. Undefined: it is none. */
export function weightOf(text: string): number | undefined {
  const weight = /^\d{1,3}(?:[.,]\d{1,2})?$/.test(text) ? Number(text.replace(",", ".")) : Number.NaN;
  return weight >= 0.25 && weight <= MAX_WEIGHT && Number.isInteger(weight * 4) ? weight : undefined;
}

/** The same shares in whole numbers, as they are stored; undefined if that takes weights beyond the highest one. */
function wholeWeights(weights: readonly number[]): number[] | undefined {
  const factor = [1, 2, 4].find((one) => weights.every((weight) => Number.isInteger(weight * one))) ?? 4;
  const whole = weights.map((weight) => weight * factor);
  return Math.max(0, ...whole) > MAX_WEIGHT ? undefined : whole;
}
