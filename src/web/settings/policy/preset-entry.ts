import { z } from "zod";
import { MAX_COOLDOWN_DAYS } from "#domain/contract/actions/enroll-contract.js";
import { policySchema, type Policy, type SenderRule } from "#domain/contract/policy.js";
import type { PresetDraft } from "#domain/policy/preset-store.js";
import type { Nameable } from "../words/names.js";
import { problemsOf, type Problems } from "../frame/problems.js";
import type { FormFields } from "#web/kit/form-fields.js";
import { internalNameOf, missingProperty, type KnownProperties } from "../step/property-field.js";
import { nameField } from "./rotation-entry.js";
import { cutText } from "#platform/text/storable-text.js";

/** A preset's form as texts: what was saved, or what was typed. */
export interface PresetEntry {
  name: string;
  sender_mode: string;
  sender_property: string;
  sender_user_id: string;
  sender_rotation_id: string;
  fallback_rotation_id: string;
  fallback_default: string;
  when_nobody: string;
  if_already_enrolled: string;
  cooldown_days: string;
  cooldown_scope: string;
  domains: string;
  property_name: string;
  property_values: string;
  check_opt_out: string;
}

const FIELDS = [
  "name",
  "sender_mode",
  "sender_property",
  "sender_user_id",
  "sender_rotation_id",
  "fallback_rotation_id",
  "fallback_default",
  "when_nobody",
  "if_already_enrolled",
  "cooldown_days",
  "cooldown_scope",
  "domains",
  "property_name",
  "property_values",
  "check_opt_out",
] as const satisfies readonly (keyof PresetEntry)[];

export function readPresetEntry(form: FormFields): PresetEntry {
  return Object.fromEntries(FIELDS.map((name) => [name, form.text(name)])) as Record<
    (typeof FIELDS)[number],
    string
  >;
}

export function presetEntryOf({ name, policy }: PresetDraft): PresetEntry {
  const { sender, fallback, cooldown, suppression } = policy;
  return {
    name,
    sender_mode: sender.mode,
    sender_property: sender.mode === "contact_property" ? sender.property : "",
    sender_user_id: sender.mode === "specific_user" ? sender.userId : "",
    sender_rotation_id: sender.mode === "rotation" ? sender.rotationId : "",
    fallback_rotation_id: fallback.rotationId ?? "",
    fallback_default: fallback.toDefaultSender ? "yes" : "",
    when_nobody: fallback.whenNobody,
    if_already_enrolled: policy.ifAlreadyEnrolled,
    cooldown_days: String(cooldown.days),
    cooldown_scope: cooldown.scope,
    domains: suppression.domains.join("\n"),
    property_name: suppression.property?.name ?? "",
    property_values: suppression.property?.values.join("\n") ?? "",
    check_opt_out: policy.checkOptOut ? "yes" : "",
  };
}

/** With the internal names of properties that were typed by their labels. */
export function withInternalNames(entry: PresetEntry, properties: KnownProperties): PresetEntry {
  return {
    ...entry,
    sender_property: internalNameOf(entry.sender_property, properties),
    property_name: internalNameOf(entry.property_name, properties),
  };
}

/** True if it has a rule about a property. */
export const namesProperty = ({ sender, suppression }: Policy): boolean =>
  sender.mode === "contact_property" || suppression.property !== null;

/** What was typed as a draft, or what is wrong with it by field. Whom and what it names has to be in this portal. */
export function parsePresetEntry(
  entry: PresetEntry,
  nameable: Nameable,
  properties: KnownProperties,
): { draft: PresetDraft } | { problems: Problems } {
  const name = z.object({ name: nameField }).safeParse(entry);
  const policy = policySchema.safeParse(toPolicy(entry));
  const problems = {
    ...(name.success ? {} : problemsOf(name.error)),
    ...unknownProperties(entry, properties),
    ...(policy.success ? {} : policyProblems(policy.error, entry)),
    ...unknownNames(entry, nameable),
  };
  if (policy.success && Object.keys(problems).length === 0)
    return { draft: { name: entry.name, policy: policy.data } };
  return { problems };
}

function toPolicy(entry: PresetEntry): unknown {
  const isSuppressing = entry.property_name !== "" || entry.property_values !== "";
  return {
    sender: toSenderRule(entry),
    fallback: {
      rotationId: entry.fallback_rotation_id === "" ? null : entry.fallback_rotation_id,
      toDefaultSender: entry.fallback_default === "yes",
      whenNobody: entry.when_nobody,
    },
    ifAlreadyEnrolled: entry.if_already_enrolled,
    cooldown: {
      days: /^\d{1,6}$/.test(entry.cooldown_days) ? Number(entry.cooldown_days) : undefined,
      scope: entry.cooldown_scope,
    },
    suppression: {
      domains: domainsOf(entry.domains),
      property: isSuppressing ? { name: entry.property_name, values: linesOf(entry.property_values) } : null,
    } satisfies Record<keyof Policy["suppression"], unknown>,
    checkOptOut: entry.check_opt_out === "yes",
  };
}

function toSenderRule(entry: PresetEntry): Record<string, unknown> {
  const mode = entry.sender_mode as SenderRule["mode"];
  if (mode === "contact_property") return { mode, property: entry.sender_property };
  if (mode === "specific_user") return { mode, userId: entry.sender_user_id };
  if (mode === "rotation") return { mode, rotationId: entry.sender_rotation_id };
  return { mode };
}

/** As typed, each once: an address list is often pasted with commas, and with the @ before the domain. */
const domainsOf = (text: string): string[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(/[\s,;]+/)
      .map((domain) => domain.replace(/^@/, ""))
      .filter(Boolean),
  ),
];

const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];

/** Field and sentence by the place in the policy, the longest that fits. */
const PROBLEMS: readonly [path: string, field: keyof PresetEntry, sentence: string][] = [
  ["sender.property", "sender_property", "Enter the internal name of a user property, such as sales_rep."],
  ["sender.userId", "sender_user_id", "Choose the user to send as."],
  ["sender.rotationId", "sender_rotation_id", "Choose the rotation that sends."],
  ["sender", "sender_mode", "Choose who sends."],
  ["fallback.rotationId", "fallback_rotation_id", "Choose the rotation to fall back to, or none."],
  ["fallback.whenNobody", "when_nobody", "Choose what happens if no one can send right now."],
  ["ifAlreadyEnrolled", "if_already_enrolled", "Choose what happens to a contact that is in a sequence now."],
  [
    "cooldown.days",
    "cooldown_days",
    `Enter the cooldown as a whole number of days from 0 to ${MAX_COOLDOWN_DAYS.toLocaleString("en-US")}.`,
  ],
  ["cooldown.scope", "cooldown_scope", "Choose which enrollments the cooldown counts."],
  [
    "suppression.property.name",
    "property_name",
    "Enter the internal name of the suppressing property, such as lifecyclestage.",
  ],
  [
    "suppression.property.values",
    "property_values",
    "Enter the suppressing values, one per line: 1 to 100 of them, 200 characters each at most.",
  ],
];

function policyProblems({ issues }: z.ZodError, { domains }: PresetEntry): Problems {
  const problems: Record<string, string> = {};
  for (const { path } of issues) {
    const place = path.join(".");
    if (place.startsWith("suppression.domains")) {
      problems["domains"] ??= domainProblem(path, domains);
      continue;
    }
    const known = PROBLEMS.find(([start]) => place === start || place.startsWith(`${start}.`));
    if (known !== undefined) problems[known[1]] ??= known[2];
  }
  return problems;
}

const LONGEST_QUOTE = 60;

function domainProblem(path: readonly PropertyKey[], typed: string): string {
  const index = path[2];
  if (typeof index !== "number") return "List 1,000 domains at most.";
  const wrong = domainsOf(typed)[index] ?? "";
  return `“${cutText(wrong, LONGEST_QUOTE)}” is not a domain. Write one per line, such as example.com.`;
}

function unknownProperties(entry: PresetEntry, properties: KnownProperties): Problems {
  const isUsed = entry.sender_mode === "contact_property";
  const sender = isUsed ? missingProperty(entry.sender_property, properties) : undefined;
  const suppressing = missingProperty(entry.property_name, properties);
  return {
    ...(sender === undefined ? {} : { sender_property: sender }),
    ...(suppressing === undefined ? {} : { property_name: suppressing }),
  };
}

function unknownNames(entry: PresetEntry, { names }: Nameable): Problems {
  const { sender_mode: mode, sender_user_id: userId, sender_rotation_id: own } = entry;
  const other = entry.fallback_rotation_id;
  return {
    ...(mode === "specific_user" && !names.people.has(userId)
      ? { sender_user_id: "Choose a user of this account to send as." }
      : {}),
    ...(mode === "rotation" && !names.rotations.has(own)
      ? { sender_rotation_id: "Choose the rotation that sends." }
      : {}),
    ...(other !== "" && !names.rotations.has(other)
      ? { fallback_rotation_id: "The rotation to fall back to was deleted. Choose another one, or none." }
      : {}),
  };
}
