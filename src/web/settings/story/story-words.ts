import type { ExecutionStory } from "#domain/history/execution-story.js";
import { ANSWER_WORDS } from "#domain/history/shown-outcome.js";
import { WORDS } from "../words/audit-words.js";
import type { Format } from "../words/format.js";

type Entry = readonly [name: string, value: string];

const SETTINGS: Readonly<Record<string, string>> = {
  senderMode: "Sender",
  senderUserId: "User",
  rotationId: "Rotation",
  senderAlias: "Send from alias",
  presetId: "Preset",
  ifAlreadyEnrolled: "If already in a sequence",
  cooldownDays: "Cooldown (days)",
  notBefore: "Enroll on or after",
  waivedNotBefore: "Enroll on or after (waived by an admin)",
  maxWaitDays: "Maximum wait (days)",
};

/** What the workflow's action says, as its editor calls it. */
export function settingsInWords(story: ExecutionStory, format: Format): Entry[] {
  const value = (name: string, given: string): string => {
    if (name === "presetId") return story.preset?.name ?? "Deleted preset";
    if (name === "senderUserId") return story.people.get(given) ?? story.senderName ?? `User ${given}`;
    return inWords(given, format);
  };
  const said = story.inputs.flatMap(([name, given]): Entry[] => {
    const label = SETTINGS[name];
    return label === undefined ? [] : [[label, value(name, given)]];
  });
  return story.inputs.some(([name]) => name === "presetId") || story.kind !== "ENROLL"
    ? said
    : [...said, ["Preset", defaultPreset(story)]];
}

/** What is followed where the action names no preset. */
function defaultPreset({ preset }: ExecutionStory): string {
  return preset === null ? "Built-in rules" : `${preset.name} (account default)`;
}

const RESULTS: Readonly<Record<string, string>> = {
  outcome: "Result",
  is_enrolled: "In a sequence",
  sequence_name: "Sequence",
  enrolled_at: "Enrolled",
  enrolled_by_email: "Enrolled by",
  ended_at: "Ended",
  days_waited: "Days waited",
};

/** What the action told the workflow; ids that only programs need are left out. */
export function resultsInWords(outputs: readonly Entry[], format: Format): Entry[] {
  return outputs.flatMap(([name, value]): Entry[] => {
    const label = RESULTS[name];
    if (label === undefined) return name.endsWith("_id") ? [] : [[name.replaceAll("_", " "), value]];
    return [[label, inWords(value, format)]];
  });
}

const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const ANSWERS: Readonly<Record<string, string>> = { ...ANSWER_WORDS, true: "Yes", false: "No" };

function inWords(value: string, format: Format): string {
  if (MOMENT.test(value) && !Number.isNaN(Date.parse(value))) return format.dateTime(new Date(value));
  if (Object.hasOwn(ANSWERS, value)) return ANSWERS[value] ?? value;
  return Object.hasOwn(WORDS, value) ? (WORDS[value] ?? value) : value;
}
