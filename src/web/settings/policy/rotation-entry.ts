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
}

export function readRotationEntry(form: FormFields): RotationEntry {
  const userIds = [...new Set(form.texts("member"))].filter((id) => /^\d{1,18}$/.test(id));
  const members = userIds.map((userId) => ({ userId, weight: form.text(`weight_${userId}`) }));
  return { name: form.text("name"), keeps_sender: form.text("keeps_sender"), members };
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
    else if (!/^\d{1,3}$/.test(weight) || Number(weight) < 1 || Number(weight) > MAX_WEIGHT)
      problems[field] = `Enter a weight from 1 to ${MAX_WEIGHT} for ${names.people.get(userId)}.`;
  }
  if (Object.keys(problems).length > 0) return { problems };
  return {
    draft: {
      name: entry.name,
      keepsSender: entry.keeps_sender === "yes",
      members: entry.members.map(({ userId, weight }) => ({
        userId: BigInt(userId),
        weight: Number(weight),
      })),
    },
  };
}
